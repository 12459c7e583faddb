"""Figures of one month, from the desk's database. A month is one of the city's zone; drills, shadows and canaries are left out.

A warning belongs to the detector or rule that opened it, and to the month in which it was opened, as on the page of detectors.
A call belongs to the agency of the post that was called; only calls that must be answered by a person count.
"""
from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Protocol

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from detectors.pack import Detector, Rule
from streams.clock import MICRO
from streams.desk.alert import Disposition
from streams.desk.calling.ladder import Rung as Step
from streams.desk.exercise.mark import HIDDEN
from streams.desk.local import ZONE
from streams.desk.names import Names
from streams.desk.tables import Alert, Member, Rung
from streams.errors import UsageError

BEFORE = 86_400 * MICRO
"""A warning counts for an episode from so long before its start, as in the backtest."""


class Happened(Protocol):
    """A labelled episode (streams.replay.episodes.Episode): `level` 0 and `indicator` "" = any. µs UTC."""

    @property
    def site(self) -> str:
        """Where."""
    @property
    def level(self) -> int:
        """The least that should have been said."""
    @property
    def start(self) -> int:
        """When it began."""
    @property
    def end(self) -> int:
        """When it was over."""
    @property
    def indicator(self) -> str:
        """Of what."""


@dataclass(frozen=True)
class Skill:
    """What one detector or rule did. `missed` of `episodes` are None where no episodes are labelled."""

    path: str
    title: tuple[str, str]
    pack: str
    fired: int
    true: int
    false: int
    fault: int
    open: int
    missed: int | None
    episodes: int | None

    @property
    def precision(self) -> float | None:
        """True of those that were true or false."""
        return self.true / (self.true + self.false) if self.true + self.false else None


@dataclass(frozen=True)
class Answers:
    """How one agency answered. Seconds; None = it had nothing to answer."""

    agency: str
    calls: int
    answered: int
    passed: int
    overdue: int
    median: float | None
    slowest: float | None

    @property
    def in_time(self) -> float | None:
        """Answered of those that were answered or overdue."""
        return self.answered / (self.answered + self.overdue) if self.answered + self.overdue else None


@dataclass(frozen=True)
class Month:
    """All of one report; [start, end) in µs UTC. `levels`: warnings by the worst level they had."""

    name: str
    start: int
    end: int
    skill: tuple[Skill, ...]
    answers: tuple[Answers, ...]
    levels: dict[int, int]


def bounds(month: str) -> tuple[int, int]:
    """`2026-06` as [start, end) in µs UTC. UsageError when it is no month."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=ZONE)
    except ValueError:
        raise UsageError(f"--month {month}: write 2026-06") from None
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()) * MICRO, int(after.timestamp()) * MICRO


def figures(s: Session, names: Names, month: str, happened: Mapping[str, Sequence[Happened]]) -> Month:
    """`happened`: pack -> its labelled episodes; a pack that is not there has none."""
    start, end = bounds(month)
    levels = s.execute(select(Alert.peak, func.count()).where(*_in(start, end)).group_by(Alert.peak)).all()
    return Month(month, start, end, tuple(_skill(s, names, start, end, happened)), tuple(_answers(s, names, start, end)),
                 {level: n for level, n in levels if level})


def _in(start: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return Alert.opened >= start, Alert.opened < end, Alert.scope == "real", ~HIDDEN


def _skill(s: Session, names: Names, start: int, end: int, happened: Mapping[str, Sequence[Happened]]) -> Iterable[Skill]:
    path = func.coalesce(func.nullif(Alert.rule, ""), Alert.detector)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, outcome, n in s.execute(select(path, Alert.disposition, func.count()).where(*_in(start, end)).group_by(
            path, Alert.disposition)):
        counts[name][outcome] += n
    alarms = _alarms(s, start - BEFORE)
    known: dict[str, Detector | Rule] = {**names.detectors, **names.rules}
    real = {name for name, entry in known.items() if getattr(entry, "scope", "real") == "real"}
    rows = []
    for name in {*real, *counts} - {""}:
        did, detector = counts[name], names.detectors.get(name)
        missed, of = _missed(names, detector, happened, alarms, (start, end)) if detector else (None, None)
        title = known[name].title if name in known else None
        rows.append(Skill(name, (title.zh, title.en) if title else ("", ""), name.partition("/")[0], did.total(),
                          did[Disposition.TRUE.value], did[Disposition.FALSE.value], did[Disposition.FAULT.value],
                          did[""], missed, of))
    return sorted(rows, key=lambda row: (row.pack, -row.fired, row.path))


def _alarms(s: Session, since: int) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """(detector, site) -> when its warnings stood, by event time; of all warnings it was a member of."""
    out: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    rows = s.execute(select(Member.detector, Member.series, Alert.onset, Alert.back, Alert.time, Alert.open).join(
        Alert, Alert.id == Member.alert).where(Alert.scope == "real", ~HIDDEN, (Alert.time >= since) | Alert.open))
    for detector, series, onset, back, time, still in rows:
        over = back or (1 << 62 if still else time)
        out[detector, series.partition("@")[2]].append((onset, over))
    return out


def _missed(names: Names, detector: Detector, happened: Mapping[str, Sequence[Happened]],
            alarms: Mapping[tuple[str, str], list[tuple[int, int]]], span: tuple[int, int]) -> tuple[int | None, int | None]:
    """Episodes that began in the month and that no warning of the detector stood for, and how many there were."""
    if detector.pack not in happened:
        return None, None
    sites = detector.sites or names.indicators[detector.indicator].sites
    least = min((limit.level for limit in detector.limits), default=0)
    own = [e for e in happened[detector.pack] if e.site in sites and e.indicator in ("", detector.indicator)
           and span[0] <= e.start < span[1] and (e.level == 0 or e.level >= least)]
    missed = sum(not any(a <= e.end and e.start - BEFORE <= b for a, b in alarms.get((detector.path, e.site), [])) for e in own)
    return missed, len(own)


def _answers(s: Session, names: Names, start: int, end: int) -> Iterable[Answers]:
    rows = s.execute(select(Rung.post, Rung.state, Rung.called_at, Rung.ended_at).join(Alert, Alert.id == Rung.alert).where(
        Rung.called_at >= start, Rung.called_at < end, Rung.receipt == "answered", Alert.scope == "real", ~HIDDEN))
    states: dict[str, Counter[str]] = defaultdict(Counter)
    took: dict[str, list[float]] = defaultdict(list)
    for post, state, called, ended in rows:
        agency = names.posts[post].agency if post in names.posts else ""
        states[agency][state] += 1
        if state == Step.ANSWERED and called is not None and ended is not None:
            took[agency].append((ended - called) / MICRO)
    return [Answers(agency, did.total(), did[Step.ANSWERED], did[Step.PASSED], did[Step.EXPIRED],
                    median(took[agency]) if took[agency] else None, max(took[agency], default=None))
            for agency, did in sorted(states.items())]
