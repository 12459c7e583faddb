"""A running total since the beginning of the year, the quarter or the month."""
from __future__ import annotations

from dataclasses import dataclass
from math import floor, nan
from typing import Any, ClassVar

from detectors.numbers import HAIR, known, month_of, start_of
from detectors.step import param

__all__ = ["Cumulative"]


@dataclass(frozen=True)
class Cumulative:
    """The sum of the readings since the period began: 12 `months` a year, 3 a quarter, 1 a month; local time.

    A period begins at local midnight with month `first` and every `months` months after (a water year: first 10);
    the reading of that very moment is the new period's first. NaN until `coverage` of the readings since then is in it;
    so a series that starts in mid-year, and a year with holes, says nothing unless `coverage` allows. A second figure
    of the same time takes the place of the first.

    Not for readings that are themselves running totals (a counter, 累计 as published), and not over a fixed time: `sum`.

    In a pack:

        derive:
          rain_year: {cumulative: rain, months: 12, coverage: 0.9}

    Source: 累计, National Bureau of Statistics of China, notes on main indicators; WMO-No. 8, part I, chapter 6.

    >>> from detectors.trial import trial
    >>> p, s = trial(Cumulative, offset=0.0, every=86400.0, coverage=1.0)
    >>> days = (17894.0, 17895.0, 17896.0, 17897.0, 17898.0)                  # 29 December 2018 to 2 January 2019
    >>> [Cumulative.step(p, s, 86400.0 * d, 0.0, 5.0) for d in days]
    [nan, nan, nan, 5.0, 10.0]
    """

    months: float = param(12.0, low=1.0, high=12.0, integer=True, doc="months in a period: 12, 6, 4, 3, 2 or 1")
    first: float = param(1.0, low=1.0, high=12.0, integer=True, doc="the month with which a period begins")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"began": 1, "until": 1, "readings": 1, "total": 1, "newest": 1, "before": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        if s.readings == 0.0 or t >= s.until:
            month = month_of(t, p.offset)
            month -= (month - int(p.first) + 1) % int(p.months)
            s.began, s.until = start_of(month, p.offset), start_of(month + int(p.months), p.offset)
            s.readings, s.total, s.newest, s.before = 0.0, 0.0, 0.0, t - 1.0
        if t > s.before:
            s.total += s.newest
            s.readings += 1.0
        s.newest, s.before = x, t
        return known(s.total + x) if whole(p, s, t) else nan


def whole(p: Any, s: Any, t: float) -> bool:
    """Whether the share `coverage` of the readings is there that one each `every` would have given since the beginning."""
    if p.every <= 0.0:
        return True
    half = 0.5 if p.every >= 28.0 * 86400.0 else 0.0        # `every` of monthly figures is 31 days, a month is not
    return bool(s.readings >= p.coverage * (floor((t - s.began + HAIR) / p.every + half) + 1.0) - 1e-9)
