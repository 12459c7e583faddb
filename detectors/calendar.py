"""What a city's calendar says of days and seasons, and when a detector judges at all. Local time, civil dates."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import Any

import numpy as np

from detectors.days import NONE, PER, SIZE, class_of
from detectors.numbers import month_of, start_of

DAY = 86_400.0
SPECIAL = {"holiday": 1, "workday": 2, "festival": 3}
"""Classes of dated rows of calendar.csv; `workday` is a weekend that is worked in exchange."""
CLASSES = {"workday": 0, "rest": 1, "holiday": 2, "spring_festival": 3}
"""What `active: {days: …}` may name."""
_LONG = 400                         # days that a stretch is followed ahead


@dataclass(frozen=True)
class Special:
    """Dates from `first` to `last` (days since 1970, both inside) that are not what their weekday says."""

    first: int
    last: int
    kind: int                       # of SPECIAL
    name: str = ""


@dataclass(frozen=True)
class Season:
    """Dates of every year, month * 100 + day, both inside; `first` after `last` runs over the new year."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Calendar:
    """The calendar of a city."""

    special: tuple[Special, ...] = ()
    seasons: tuple[Season, ...] = ()
    offset: float = 28_800.0

    def row(self) -> tuple[float, ...]:
        """The row that steps look days up in (`detectors.days`); ValueError if it spans more than 13 years."""
        if not self.special:
            return NONE
        first = min(s.first for s in self.special)
        codes = [0] * SIZE
        for s in self.special:
            for k in range(s.first - first, s.last - first + 1):
                if k >= PER * (SIZE - 1):
                    raise ValueError(f"the calendar spans more than {PER * (SIZE - 1) // 365} years")
                place, shift = 1 + k // PER, 2 * (k % PER)
                codes[place] = codes[place] & ~(3 << shift) | s.kind << shift
        return (float(first), *map(float, codes[1:]))

    def name(self, day: int) -> str:
        """What the holiday of a day is called; "" for other days."""
        return next((s.name for s in reversed(self.special) if s.first <= day <= s.last), "")


@dataclass(frozen=True)
class Active:
    """When a detector judges; what is empty does not restrict. All that is given must hold."""

    months: tuple[int, ...] = ()
    seasons: tuple[Season, ...] = ()        # any of them
    days: tuple[int, ...] = ()              # of CLASSES
    hours: tuple[float, ...] = ()           # seconds of the day: from, until; from after until runs over midnight
    offset: float = 28_800.0


class Watch:
    """Tells of each moment until when a detector goes on judging. Outside its time it neither rises nor clears."""

    def __init__(self, active: Active, row: tuple[float, ...]) -> None:
        self.active, self.row = active, row
        self._days: dict[int, bool] = {}
        self._ends: dict[int, float] = {}

    def until(self, t: Any) -> Any:
        """The end of the stretch that each moment (µs UTC) lies in, µs; NaN where it lies in none."""
        local = t / 1e6 + self.active.offset
        days, place = np.unique(local // DAY, return_inverse=True)
        known = np.array([self._day(int(day)) for day in days.tolist()]).reshape(len(days), 2)
        first, night = known[place, 0], known[place, 1]         # ends of what begins at midnight, and of what begins later
        if not self.active.hours:
            out = first
        else:
            begin, end = self.active.hours
            second = local - days[place] * DAY
            out = np.where((begin <= second) & (second < end), first, nan) if begin < end else np.where(
                second < end, first, np.where(second >= begin, night, nan))
        return (out - self.active.offset) * 1e6

    def _day(self, day: int) -> tuple[float, float]:
        """Ends of the stretches of a date, in local seconds; NaN where it is not active."""
        if not self.on(day):
            return nan, nan
        if not self.active.hours:
            return self._midnight(day), nan
        end = self.active.hours[1]
        return day * DAY + end, (day + 1) * DAY + (end if self.on(day + 1) else 0.0)

    def _midnight(self, day: int) -> float:
        """The end of the last of the days in one row."""
        if day not in self._ends:
            last = day
            while last - day < _LONG and self.on(last + 1):
                last += 1
            if len(self._ends) > 4 * _LONG:
                self._ends.clear()
            self._ends[day] = (last + 1) * DAY if last - day < _LONG else inf
        return self._ends[day]

    def on(self, day: int) -> bool:
        """Whether a date is one of its own."""
        if day not in self._days:
            if len(self._days) > 4 * _LONG:
                self._days.clear()
            self._days[day] = self._on(day)
        return self._days[day]

    def _on(self, day: int) -> bool:
        month = month_of(day * DAY, 0.0)
        date = (month % 12 + 1) * 100 + int(day - start_of(month, 0.0) // DAY) + 1
        return ((not self.active.months or month % 12 + 1 in self.active.months)
                and (not self.active.days or class_of(self.row, float(day)) in self.active.days)
                and (not self.active.seasons or any(within(s, date) for s in self.active.seasons)))


def within(season: Season, date: int) -> bool:
    """Whether a date (month * 100 + day) lies in a season.

    >>> within(Season("smog", 1115, 315), 101), within(Season("flood", 415, 1015), 101)
    (True, False)
    """
    if season.first <= season.last:
        return season.first <= date <= season.last
    return date >= season.first or date <= season.last


@dataclass(frozen=True)
class Published:
    """When a published figure is overdue: `due` seconds after the end of its month; `merge`: January comes with February."""

    due: float
    merge: bool = False
    offset: float = 28_800.0

    @cached_property
    def _known(self) -> dict[int, float]:
        return {}

    def overdue(self, seen: Iterable[float]) -> list[float]:
        """When the figure after the newest one (event time, µs; NaN = none yet) is overdue, µs; NaN: none is expected."""
        return [self._after(month_of(t / 1e6, self.offset)) if t == t else nan for t in seen]

    def _after(self, month: int) -> float:
        if month not in self._known:
            coming = month + 1 + (1 if self.merge and (month + 1) % 12 == 0 else 0)
            self._known[month] = (start_of(coming + 1, self.offset) + self.due) * 1e6
        return self._known[month]
