"""The tests of packs, run: the same judge and the same rules as in service, and what fired beside what was expected."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from detectors.event import Change
from detectors.level import Level
from detectors.pack import City, Pack
from detectors.reading import Block, Fit
from detectors.targets import named
from streams.clock import iso
from streams.packs.calling import differences
from streams.packs.cases import Case, Expect, load_cases, off
from streams.packs.offsets import short
from streams.replay.offline import Offline, final

CALM = ("fresh", "warming")
"""A series that begins to speak is no warning."""


@dataclass(frozen=True)
class Result:
    """How one case went: lines of text (what, where in the file) that were expected and did not come, or came unasked."""

    case: Case
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.missing and not self.unexpected


@dataclass
class Report:
    """How the tests of one pack went. `uncovered`: detectors with level, and rules, that never fired."""

    pack: str
    file: str
    results: list[Result] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(r.passed for r in self.results) and not self.uncovered and not self.faults


def run_tests(city: City, pack: str, path: Path, compiled: bool = True) -> Report:
    """Run the cases of `path`, the tests.yaml of `pack`; ConfigError when the file itself is wrong."""
    report = Report(pack, str(path))
    if not path.exists():
        report.faults.append(f"{path}: a pack ships its tests; there is no such file")
        return report
    fired: set[tuple[str, int, str]] = set()
    for case in load_cases(path, city, pack):
        events = run_case(city, case, compiled, pack)
        fired |= {(e.detector or e.rule, e.to, e.direction) for e in events if e.kind == "level"}
        report.results.append(compare(case, events, city))
    if not any(r.case.quiet for r in report.results):
        report.faults.append(f"{path}: at least one case must be quiet: true")
    report.uncovered = uncovered(next(p for p in city.packs if p.id == pack), fired)
    return report


def run_case(city: City, case: Case, compiled: bool = True, pack: str = "") -> list[Change]:
    """The final events of one case; `pack`: whose detectors are fitted where the case says `fit`."""
    given = {name for name, _, _ in case.readings}
    feeding = named(i for pack in city.packs for i in pack.indicators)
    sites = {name.partition("@")[2] for name in given} | {site for name in given for site in feeding.get(name, ())}
    offline = Offline(city, sites=sites, compiled=compiled)
    events: list[Change] = []
    for part in _parts(city, case, pack):
        events += offline.state.control(part) if isinstance(part, Fit) else offline.feed(part)
    return final([*events, *offline.finish(case.until)])


def _parts(city: City, case: Case, pack: str) -> Iterator[Block | Fit]:
    """The readings; with `fit` those before it, the rows that are fitted from them, those after."""
    if case.fit is None:
        yield Block.of(list(case.readings))
        return
    import pandas as pd

    from streams.fit import fit_rows

    before = [row for row in case.readings if row[1] < case.fit]
    yield Block.of(before)
    frame = pd.DataFrame(before, columns=["series", "t", "x"]).assign(arrived=lambda f: f["t"], flag=1)
    yield from fit_rows(city, frame, case.fit, [d.path for p in city.packs if p.id == pack for d in p.detectors])
    yield Block.of([row for row in case.readings if row[1] >= case.fit])


def uncovered(pack: Pack, fired: Iterable[tuple[str, int, str]]) -> list[str]:
    """Levels of detectors (each side of its own) and rules of a pack that are not among the `(path, level, direction)`."""
    seen, said = set(fired), {(path, level) for path, level, _ in fired}
    sites = {i.id: i.sites for i in pack.indicators}
    out = []
    for detector in pack.detectors:
        two_sided = len({limit.above for limit in detector.limits}) == 2
        for limit in detector.limits:
            side = "high" if limit.above else "low"
            key = (detector.path, limit.level, side)
            there = detector.sites or sites.get(detector.indicator, ())
            if (key in seen if two_sided else key[:2] in said) or (there and all(off(limit.at, site) for site in there)):
                continue
            out.append(f"detector {detector.id} {Level(limit.level).word}" + (f" ({side})" if two_sided else ""))
    for rule in pack.rules:         # the worst of its members is as they are: one level is enough
        levels = [level for level, _ in rule.levels] if rule.levels and rule.kind != "worst" else []
        if not any(path == rule.path and level > 0 for path, level in said):
            levels = levels or [rule.level]
        out += [f"rule {rule.id} {Level(level).word}" for level in levels if (rule.path, level) not in said]
    return out


def compare(case: Case, events: list[Change], city: City) -> Result:
    """Each expected change against those that came; what came unasked counts where the case speaks of it."""
    left, missing, right = list(events), [], []
    for expect in case.expects:
        match = next((event for event in left if _matches(expect, event)), None)
        if match is None:
            missing.append(f"{case.file}:{expect.line}: {_expected(case, expect)}")
        else:
            left.remove(match)
            right.append(_got(case, match))
            wrong = differences(expect.calling, match, city) if expect.calling else []
            missing += [f"{case.file}:{expect.line}: {words}" for words in wrong]
    asked = {e.path for e in case.expects if e.path}
    series = {(e.indicator, e.place) for e in case.expects if e.level is None}
    unasked = [e for e in left if not _calm(e) and (case.quiet or case.strict or (
        (e.detector or e.rule) in asked if e.kind == "level" else e.kind == "fresh" and (e.indicator, e.site) in series))]
    return Result(case, tuple(missing), tuple(_got(case, event) for event in unasked), tuple(right))


def _calm(event: Change) -> bool:
    """No warning: a series or rule that begins to speak, a rule whose members change while its level does not."""
    return event.fresh in CALM if event.kind == "fresh" else event.kind == "level" and event.before == event.to


def _matches(expect: Expect, event: Change) -> bool:
    if event.time != expect.at or (expect.fresh and event.fresh != expect.fresh):
        return False
    if expect.level is None:
        return event.kind == "fresh" and (event.indicator, event.site) == (expect.indicator, expect.place)
    return (event.kind == "level" and (event.detector or event.rule) == expect.path and event.to == expect.level
            and (expect.place in ("", event.site, event.area, event.area.partition(":")[2]))
            and expect.confidence in ("", event.confidence) and expect.direction in ("", event.direction))


def _expected(case: Case, expect: Expect) -> str:
    who = expect.path.partition("/")[2] or expect.indicator
    words = [Level(expect.level).word if expect.level is not None else "", expect.fresh, expect.confidence, expect.direction]
    return _line(case, expect.at, who, expect.place, words)


def _got(case: Case, event: Change) -> str:
    place = event.site or event.area
    if event.kind != "level":
        word = event.fresh if event.kind == "fresh" else event.check or ("begins" if event.to else "ends")
        what = event.indicator or event.rule.partition("/")[2] or event.source
        return _line(case, event.time, f"{event.kind} {what}", place, [word])
    words = [Level(event.to).word, *(w for w, usual in ((event.fresh, "fresh"), (event.confidence, "good")) if w != usual),
             event.direction, f"(value {event.value:g}, limit {event.limit:g})" if None not in (event.value, event.limit) else ""]
    return _line(case, event.time, (event.detector or event.rule).partition("/")[2], place, words)


def _line(case: Case, at: int, who: str, place: str, words: list[str]) -> str:
    where = f"{who} at {place}" if place else who
    return f"{short(at - case.start)} ({iso(at)}) {where}: {' '.join(filter(None, words))}"
