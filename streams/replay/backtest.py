"""How good a pack's detectors are against labelled episodes: hits, misses, false alarms, POD, FAR, CSI, lead time.

For a detector at level L an *alarm* is the time from a rise to at least L until the fall below it, as people would
have known it (by arrival); alarms of one site closer than `merge` are one. Episodes count that name L or more, or
no level. An episode is a *hit* if an alarm overlaps [start - window, end]; an alarm that overlaps no episode so widened
is *false*. Lead time = episode start - first alarm start inside the window; an alarm that was on before has none.
POD = h/(h+m), FAR = f/(alarms that hit + f), CSI = h/(h+m+f) (Jolliffe and Stephenson 2012, chapter 3).
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.level import Level
from detectors.pack import City, Detector, Pack
from detectors.plan import Plan
from detectors.reading import Block, Flag
from streams.clock import MICRO
from streams.packs.cases import off
from streams.replay.episodes import Episode
from streams.replay.offline import NOT_JUDGED

if TYPE_CHECKING:
    from streams.replay.history import History

DAY = 86_400 * MICRO


class Span(NamedTuple):
    """From `start` to `end`, µs UTC; an alarm that still lasts ends with the history."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the backtest JSON. None = there is no such figure (nothing to divide by)."""

    detector: str
    level: str
    episodes: int
    hits: int
    misses: int
    false_alarms: int
    pod: float | None
    far: float | None
    csi: float | None
    lead_median_s: float | None
    lead_p10_s: float | None
    alarms_per_day: float | None
    days: float
    scored: int


def backtest(city: City, history: History, episodes: list[Episode], pack: str, window: int = DAY, merge: int = 3600 * MICRO,
             compiled: bool = True) -> list[Row]:
    """One row for every detector of the pack and every level it has; `window` and `merge` in µs."""
    chosen = next(p for p in city.packs if p.id == pack)
    judged = Judged(_alone(city, pack), history, compiled)
    rows = []
    for detector in chosen.detectors:
        sites = detector.sites or next(i for p in city.packs for i in p.indicators if i.id == detector.indicator).sites
        for level in sorted({limit.level for limit in detector.limits}):
            there = [site for site in sites if _says(detector, level, site)]
            tally = Tally(window, merge)
            for site in there:
                mine = [e for e in episodes if e.site == site and (e.level == 0 or e.level >= level)]
                tally.site(mine, judged.alarms(detector.path, site, level))
            rows.append(tally.row(detector.path, level, judged.days, judged.scored[detector.indicator]))
    return rows


def _alone(city: City, pack: str) -> City:
    """The city without the detectors of other packs and without rules (a backtest measures detectors)."""
    return replace(city, packs=tuple(replace(p, rules=(), detectors=p.detectors if p.id == pack else ()) for p in city.packs))


def _says(detector: Detector, level: int, site: str) -> bool:
    return any(limit.level == level and not off(limit.at, site) for limit in detector.limits)


class Judged:
    """A history judged: the level of each detector and site as it was known, and how many readings were judged."""

    def __init__(self, city: City, history: History, compiled: bool = True) -> None:
        self.scored: Counter[str] = Counter()
        self.steps: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._said: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
        plan = Plan(city)
        state = State(plan, compiled=compiled)
        state.kept = {d.indicator for d in plan.detectors.values()}
        for block in history.blocks():
            self._take(judge(plan, state, block))
            self._count(state, block)
        self.first, self.last = (int(history.t.min()), int(history.arrived.max())) if len(history) else (0, 0)
        self._take(tick(plan, state, self.last))
        self.days = (max(self.last, int(history.t.max())) - self.first) / DAY if len(history) else 0.0

    def _take(self, changes: Iterable[Change]) -> None:
        for change in sorted((c for c in changes if c.kind == "level"), key=lambda c: c.arrived):
            key = (change.detector, change.site)
            said = self._said.setdefault(key, {})
            place = (change.onset or change.time, change.seq)
            if change.withdrawn:
                said.pop(place, None)
            else:
                said[place] = change.to
            self.steps.setdefault(key, []).append((change.arrived, said[max(said)] if said else 0))

    def _count(self, state: State, block: Block) -> None:
        indicators = np.array([name.partition("@")[0] for name in block.series], object)
        named = np.array(state.named, object)
        good = (np.asarray(state.flags) < Flag.FAIL) & ~np.isin(named.astype(str), NOT_JUDGED)
        self.scored.update(Counter(indicators[block.index[good]].tolist()))
        self.scored.update(series.partition("@")[0] for series, _, _, flag, *_ in state.derived if flag < Flag.FAIL)

    def alarms(self, path: str, site: str, level: int) -> list[Span]:
        """When the detector was known to be at the level or above at the site."""
        spans: list[Span] = []
        began: int | None = None
        for moment, now in self.steps.get((path, site), []):
            if now >= level and began is None:
                began = moment
            elif now < level and began is not None:
                spans.append(Span(began, moment))
                began = None
        return spans if began is None else [*spans, Span(began, max(self.last, began))]


class Tally:
    """Counts over the sites of one detector and level."""

    def __init__(self, window: int, merge: int) -> None:
        self.window, self.merge = window, merge
        self.hits = self.misses = self.false = self.true = 0
        self.leads: list[float] = []

    def site(self, episodes: list[Episode], alarms: list[Span]) -> None:
        """Add one site. An alarm may hit several episodes; an episode is hit once."""
        merged = merge(alarms, self.merge)
        widened = [Span(e.start - self.window, e.end) for e in episodes]
        for episode, span in zip(episodes, widened, strict=True):
            if not any(_overlap(alarm, span) for alarm in merged):
                self.misses += 1
                continue
            self.hits += 1
            starts = [alarm.start for alarm in merged if span.start <= alarm.start <= span.end]
            if starts:
                self.leads.append((episode.start - min(starts)) / MICRO)
        true = sum(any(_overlap(alarm, span) for span in widened) for alarm in merged)
        self.true += true
        self.false += len(merged) - true

    def row(self, path: str, level: int, days: float, scored: int) -> Row:
        """The figures."""
        h, m, f = self.hits, self.misses, self.false
        return Row(
            detector=path, level=Level(level).word, episodes=h + m, hits=h, misses=m, false_alarms=f, pod=_share(h, h + m),
            far=_share(f, self.true + f), csi=_share(h, h + m + f),
            lead_median_s=float(np.median(self.leads)) if self.leads else None,
            lead_p10_s=float(np.percentile(self.leads, 10)) if self.leads else None,
            alarms_per_day=_share(self.true + f, days), days=days, scored=scored)


def merge(alarms: list[Span], gap: int) -> list[Span]:
    """Alarms that are less than or just `gap` µs apart become one.

    >>> merge([Span(0, 5), Span(7, 8), Span(20, 21)], 2)
    [Span(start=0, end=8), Span(start=20, end=21)]
    """
    out: list[Span] = []
    for alarm in sorted(alarms):
        if out and alarm.start - out[-1].end <= gap:
            out[-1] = Span(out[-1].start, max(out[-1].end, alarm.end))
        else:
            out.append(alarm)
    return out


def failures(pack: Pack, rows: list[Row]) -> list[str]:
    """Where the rows fall short of the pack's own gates: `id` or `id/level` -> figure -> least (most for far and alarms)."""
    out = []
    for name, gate in pack.gates.items():
        ident, _, level = name.removeprefix(f"{pack.id}/").partition("/")
        for row in rows:
            if row.detector == f"{pack.id}/{ident}" and level in ("", row.level):
                out += [f"{row.detector} {row.level}: {figure} {got if got is None else round(got, 3)}, the gate asks {want:g}"
                        for figure, want in gate.items() if _short(figure, got := getattr(row, figure, None), want)]
    return out


def _short(figure: str, got: float | None, want: float) -> bool:
    if figure in ("far", "false_alarms", "misses", "alarms_per_day"):
        return got is not None and got > want
    return got is None or got < want


def _overlap(a: Span, b: Span) -> bool:
    return a.start <= b.end and b.start <= a.end


def _share(part: float, of: float) -> float | None:
    return part / of if of else None


def covered(history: History) -> Span:
    """From the first reading to the last."""
    return Span(int(history.t.min()), int(history.t.max())) if len(history) else Span(0, 0)


def strangers(pack: Pack, episodes: list[Episode], covered: Span) -> list[str]:
    """What people should know of their labels: sites that no indicator of the pack has, times without any reading."""
    sites = {site for indicator in pack.indicators for site in indicator.sites}
    lost = Counter(e.site for e in episodes if e.site not in sites)
    said = [f"{count} episodes at {site!r}: no such site in pack {pack.id}, not counted" for site, count in sorted(lost.items())]
    outside = sum(e.site in sites and not _overlap(covered, Span(e.start, e.end)) for e in episodes)
    return said + ([f"{outside} episodes lie outside the history: they count as misses"] if outside else [])
