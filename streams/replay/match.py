"""Alarms against labelled episodes: which hits which, and the figures that follow.

An episode is a *hit* if an alarm overlaps [start - before, end + after]; an alarm that overlaps no episode so widened is *false*.
Lead time = episode start - first alarm start inside that window; an alarm that was on before has none.
POD = h/(h+m), FAR = f/(alarms that hit + f), CSI = h/(h+m+f) (Jolliffe and Stephenson 2012, chapter 3).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.level import Level
from streams.clock import MICRO
from streams.replay.episodes import Episode
from streams.replay.judged import Span


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


@dataclass(frozen=True, kw_only=True)
class Match:
    """One line of the account: an episode that was hit (with its first alarm) or missed, or an alarm of no episode."""

    site: str
    episode: Episode | None = None
    alarm: Span | None = None
    lead: float | None = None               # seconds, first alarm before the episode's start
    ahead: float | None = None              # seconds, first alarm before the reading itself crossed that level

    @property
    def kind(self) -> str:
        """`hit`, `miss` or `false`."""
        return "false" if self.episode is None else "miss" if self.alarm is None else "hit"

    @property
    def moment(self) -> int:
        """When it stands in the account (µs UTC): the episode's start, else the alarm's."""
        return self.episode.start if self.episode else self.alarm.start if self.alarm else 0


@dataclass(frozen=True)
class Window:
    """How alarms and episodes are put together, in µs: so long before and after an episode; alarms so close are one."""

    before: int
    after: int = 0
    merge: int = 0


@dataclass(frozen=True)
class Account:
    """Matches of one detector and level, and how many alarms hit something (one may hit two episodes, two may hit one)."""

    matches: tuple[Match, ...] = ()
    true: int = 0

    def __add__(self, other: Account) -> Account:
        return Account(self.matches + other.matches, self.true + other.true)

    def count(self, kind: str) -> int:
        """How many hits, misses or false alarms."""
        return sum(m.kind == kind for m in self.matches)

    def ahead(self) -> float | None:
        """Median of the seconds by which alarms came before the reading itself crossed its level; None of none."""
        found = [match.ahead for match in self.matches if match.ahead is not None]
        return float(np.median(found)) if found else None

    def row(self, path: str, level: int, days: float, scored: int) -> Row:
        """The figures."""
        h, m, f = (self.count(kind) for kind in ("hit", "miss", "false"))
        leads = [match.lead for match in self.matches if match.lead is not None]
        return Row(
            detector=path, level=Level(level).word, episodes=h + m, hits=h, misses=m, false_alarms=f, pod=share(h, h + m),
            far=share(f, self.true + f), csi=share(h, h + m + f),
            lead_median_s=float(np.median(leads)) if leads else None,
            lead_p10_s=float(np.percentile(leads, 10)) if leads else None,
            alarms_per_day=share(self.true + f, days), days=days, scored=scored)


def match(site: str, episodes: Sequence[Episode], alarms: list[Span], by: Window, crossings: Sequence[int] = ()) -> Account:
    """The account of one site. An alarm may hit several episodes; an episode is hit once, by the first alarm.

    `crossings`: when the reading itself came to this level (µs UTC).
    """
    merged = merge(alarms, by.merge)
    widened = [Span(e.start - by.before, e.end + by.after) for e in episodes]
    out = []
    for episode, span in zip(episodes, widened, strict=True):
        there = [alarm for alarm in merged if _overlap(alarm, span)]
        starts = [alarm.start for alarm in there if alarm.start >= span.start]
        out.append(Match(site=site, episode=episode, alarm=there[0] if there else None,
                         lead=(episode.start - min(starts)) / MICRO if starts else None,
                         ahead=_ahead(min(starts), [c for c in crossings if span.start <= c <= span.end]) if starts else None))
    false = [alarm for alarm in merged if not any(_overlap(alarm, span) for span in widened)]
    out += [Match(site=site, alarm=alarm) for alarm in false]
    return Account(tuple(sorted(out, key=lambda m: m.moment)), len(merged) - len(false))


def _ahead(alarm: int, crossings: Sequence[int]) -> float | None:
    return (min(crossings) - alarm) / MICRO if crossings else None


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


def _overlap(a: Span, b: Span) -> bool:
    return a.start <= b.end and b.start <= a.end


def share(part: float, of: float) -> float | None:
    """A share; None of nothing."""
    return part / of if of else None
