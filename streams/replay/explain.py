"""One alert worked out again from a history: its changes, the readings round its onset, the limits, and what is not there."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from detectors.beside import asked
from detectors.event import Change
from detectors.level import Level
from detectors.pack import City, Detector, Indicator, Rule
from detectors.plan import number
from detectors.reading import Flag
from streams.clock import MICRO
from streams.errors import WanglouError
from streams.events import event_json
from streams.packs.truth import said
from streams.replay.offline import Offline

if TYPE_CHECKING:
    from streams.replay.history import History

BEFORE, AFTER = 24, 12
"""Readings of each series shown before the onset and from it on."""


@dataclass(frozen=True)
class Seen:
    """A reading as it was judged: times in µs UTC, the final flag and the check (or other reason) that decided."""

    series: str
    t: int
    arrived: int
    value: float | None
    flag: int
    check: str

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        from streams.clock import iso

        return {"series": self.series, "time": iso(self.t), "arrived": iso(self.arrived), "value": self.value,
                "flag": Flag(self.flag).name.lower(), "check": self.check}


@dataclass
class Explanation:
    """What is known of one alert, and `absent`: what is not there, in words."""

    alert: str
    entry: Detector | Rule | None
    file: str
    events: list[Change]
    limits: list[str] = field(default_factory=list)
    readings: list[Seen] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        entry = self.entry
        return {"alert": self.alert, "path": entry.path if entry else "", "file": self.file,
                "why": {"zh": entry.why.zh, "en": entry.why.en} if entry else {}, "source": entry.source if entry else "",
                "limits": self.limits, "events": [event_json(e) for e in self.events],
                "readings": [r.plain() for r in self.readings], "absent": self.absent}


def explain(city: City, history: History, alert: str, plan_hash: str = "", compiled: bool = True) -> Explanation:
    """Run the history and tell all about the alert (or event) with this id; WanglouError when it does not come up."""
    wanted = alert.partition("-")[0]
    offline = Offline(city, plan_hash, compiled=compiled)
    said = [e for block in history.blocks() for e in offline.feed(block)] + offline.finish()
    events = [e for e in said if e.alert == wanted]
    if not events:
        raise WanglouError(_lost(wanted, said, history))
    first = events[0]
    entry = _entry(city, first)
    series = _series(city, first, entry)
    out = Explanation(wanted, entry, f"configs/packs/{first.pack}/pack.yaml:{entry.line}" if entry else "", events)
    out.limits = _limits(entry, first.site) if isinstance(entry, Detector) else _holds(entry)
    start = min(e.time if e.onset is None else e.onset for e in events)
    out.readings = _readings(city, history, series, start, compiled)
    out.absent = _absent(city, history, out, series, start)
    return out


def _lost(alert: str, said: list[Change], history: History) -> str:
    """The alert does not come up: what does."""
    from streams.clock import iso

    known = list(dict.fromkeys(e.alert for e in said if e.kind == "level" and e.alert))
    span = f"from {iso(int(history.t.min()))} to {iso(int(history.t.max()))}" if len(history) else "empty"
    some = f"; the last of them: {', '.join(known[-5:])}" if known else ""
    return (f"alert {alert} does not come up: this history is {span} and gives {len(known)} alerts under these configs{some}. "
            "Not there: its readings, or the configs it was announced under")


def _entry(city: City, event: Change) -> Detector | Rule | None:
    path = event.detector or event.rule
    detector = next((d for p in city.packs for d in p.detectors if d.path == path), None)
    return detector or next((r for p in city.packs for r in p.rules if r.path == path), None)


def _series(city: City, event: Change, entry: Detector | Rule | None) -> list[str]:
    """The series that decided, and what they are derived from."""
    indicators = {i.id: i for p in city.packs for i in p.indicators}
    named = list(event.members) if isinstance(entry, Rule) or not event.site else [f"{event.indicator}@{event.site}"]
    names = [name for name in named if name.partition("@")[0] in indicators]        # a rule over rules names rules
    for name in names:
        indicator, _, site = name.partition("@")
        made = indicators[indicator].derive if indicator in indicators else None
        looks = [*indicators[indicator].checks, *([entry.use] if isinstance(entry, Detector) else [])]
        fed = [*(made.sources(site) if made else ()), *(f"{other}@{site}" for other in asked(looks))]
        names += [new for new in fed if new not in names]
    return names


def _limits(detector: Detector, site: str) -> list[str]:
    out = []
    for limit in sorted(detector.limits, key=lambda one: one.level):
        clear = limit.at if limit.clear is None else limit.clear
        side = "above" if limit.above else "below"
        out.append(f"{Level(limit.level).word}: {side} {number(limit.at, site):g}, clears at {number(clear, site):g}"
                   + (f", held {limit.hold:g} s" if limit.hold else "") + (f", kept {limit.keep:g} s" if limit.keep else ""))
    return out


def _holds(rule: Rule | None) -> list[str]:
    if rule is None:
        return []
    if rule.when is not None or rule.levels:
        says = ", ".join(f"{Level(level).word} from {at:g}" for level, at in rule.levels) or Level(rule.level).word
        return [f"{said(rule.term)}: {says}"]
    given = ", ".join(f"{name} {value:g}" for name, value in rule.params.items())
    return [f"{rule.kind} ({given}) of {', '.join(rule.of)} at {Level(rule.at).word} or more within {rule.within:g} s: "
            f"{Level(rule.level).word}"]


def _readings(city: City, history: History, series: list[str], onset: int, compiled: bool) -> list[Seen]:
    """The readings of these series round the alert, with the flags they get when the whole history is judged again."""
    sites = {name.partition("@")[2] for name in series}
    there = [name.partition("@")[2] in sites for name in history.series]
    part = history.pick(_mask(there, history))
    offline = Offline(replace(city, packs=tuple(replace(p, rules=()) for p in city.packs)), sites=sites, compiled=compiled)
    found: list[Seen] = []
    wanted = set(series)
    offline.state.kept |= {name.partition("@")[0] for name in series}
    for block in part.blocks():
        offline.feed(block)
        state = offline.state
        for name, t, x, flag, check, came in zip([block.series[i] for i in block.index], block.t.tolist(), block.x.tolist(),
                                                 state.flags.tolist(), state.named, block.arrived.tolist(), strict=True):
            if name in wanted:
                found.append(Seen(name, t, came, x if x == x else None, flag, check))
        found += [Seen(name, t, came, x if x == x else None, int(flag), check) for name, t, x, flag, check, came in state.derived
                  if name in wanted]
    return [seen for name in series for seen in _around([s for s in found if s.series == name], onset)]


def _mask(there: list[bool], history: History) -> Any:
    import numpy as np

    return np.array(there, bool)[history.index] if there else np.zeros(0, bool)


def _around(seen: list[Seen], onset: int) -> list[Seen]:
    ordered = sorted(seen, key=lambda s: (s.t, s.arrived))
    first = next((n for n, s in enumerate(ordered) if s.t >= onset), len(ordered))
    return ordered[max(0, first - BEFORE):first + AFTER]


def _absent(city: City, history: History, out: Explanation, series: list[str], start: int) -> list[str]:
    """What a person would look for and does not find."""
    indicators: dict[str, Indicator] = {i.id: i for p in city.packs for i in p.indicators}
    absent = []
    if out.events[0].kind != "level":
        absent.append(f"a detector or rule: this is of kind {out.events[0].kind}, made by silence or by values that cannot be")
    elif out.entry is None:
        absent.append("its detector or rule is not in these configs")
    elif not (out.entry.why.zh or out.entry.why.en):
        absent.append(f"no `why` in {out.file}")
    for name in series:
        mine = [s for s in out.readings if s.series == name]
        if not mine:
            absent.append(f"no readings of {name} in this history")
        elif mine[0].t >= start and not indicators[name.partition("@")[0]].derive:
            absent.append(f"no readings of {name} before the onset: what the detector knew then is not in this history")
    if len(history) and start - int(history.t.min()) < 3600 * MICRO:
        absent.append("this history begins within an hour of the onset: warm-up and saved rows of the service are not in it")
    absent.append("where it lay in the log (partition, offset): only a live run has that")
    return absent
