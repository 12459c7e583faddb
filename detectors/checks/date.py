"""A time at which no reading can be."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.days import NONE, SIZE, class_of, day_of
from detectors.numbers import HAIR
from detectors.step import param

__all__ = ["Date"]


@dataclass(frozen=True)
class Date:
    """Fail (4) before `after`, off the `grid` since local midnight, or on a day that is not of the class `on`.

    For clocks that were reset (2000-01-01, 1980-01-06), daily figures that are not of a midnight, and figures that exist
    on working days alone (a market, an office) but came with another date. What lies too far ahead of its arrival is
    *future*, and what is older than `oldest` *old*, without any check.

    Not for readings whose times merely jitter: an instrument that reports at 08:00:07 is not wrong.

    In a pack:

        checks:
          - date: {after: 2015-01-01, grid: 1h}

    Source: QARTOD manual for real-time quality control, timing test (IOOS 2020); WMO-No. 8, part V, chapter 1.

    >>> from detectors.trial import trial
    >>> p, s = trial(Date, after=1420041600.0, grid=3600.0)
    >>> [Date.step(p, s, t, 26.5) for t in (946656000.0, 1782864000.0, 1782864060.0)]
    [4.0, 1.0, 4.0]
    """

    after: float = param(nan, unit="date", reset=False, doc="the first day of which a reading can be")
    grid: float = param(nan, unit="time", reset=False, low=1.0, high=86400.0, doc="times are multiples of it since midnight")
    on: float = param(0.0, reset=False, low=0.0, high=2.0, integer=True,
                      words=(("any", 0.0), ("workday", 1.0), ("rest", 2.0)), doc="the days of which a reading can be")
    offset: float = param(28800.0, unit="time", reset=False, low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    calendar: tuple[float, ...] = param(NONE, size=SIZE, reset=False, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if t < p.after:
            return 4.0
        day = day_of(t, p.offset)
        if p.on > 0.0 and (class_of(p.calendar, day) == 0) != (p.on == 1.0):
            return 4.0
        off = (t + p.offset - day * 86400.0) % p.grid if p.grid == p.grid else 0.0
        return 4.0 if HAIR < off < p.grid - HAIR else 1.0
