"""Outside what is usual in this month of the year."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import month_of
from detectors.step import param

__all__ = ["Climatology"]


@dataclass(frozen=True)
class Climatology:
    """Suspect (3) below `low` or above `high` of the reading's calendar month, fail (4) beyond `fail_low` or `fail_high`.

    Each is twelve numbers, January first, an end that is null (NaN) is off; the ends themselves are inside. The month is that
    of local time. This is the range check by calendar month: what is impossible in every month belongs into `range`.

    Not for a season that moves against the calendar (plum rain, Spring Festival), and not for limits that people are
    warned of.

    In a pack:

        checks:
          - climatology: {low: [2, 3, 5, 9, 14, 18, 22, 22, 18, 13, 8, 4], high: [14, 15, 19, 24, 28, 31, 34, 34, 31, 26, 21, 16]}

    Source: QARTOD manual for real-time quality control, climatology test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Climatology, low=range(12), high=range(10, 22))
    >>> july = 1720000000.0
    >>> [Climatology.step(p, s, t, x) for t, x in ((july, 16.0), (july, 16.1), (july, 5.9), (july - 180 * 86400.0, 5.9))]
    [1.0, 3.0, 3.0, 1.0]
    """

    low: tuple[float, ...] = param(None, unit="value", size=12, reset=False, doc="lowest usual, January to December")
    high: tuple[float, ...] = param(None, unit="value", size=12, reset=False, doc="highest usual, January to December")
    fail_low: tuple[float, ...] = param((nan,) * 12, unit="value", size=12, reset=False, doc="lowest possible, by month")
    fail_high: tuple[float, ...] = param((nan,) * 12, unit="value", size=12, reset=False, doc="highest possible, by month")
    offset: float = param(28800.0, unit="time", reset=False, low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")

    calendar: ClassVar[bool] = True         # says other things at other times, though it keeps no state
    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        month = month_of(t, p.offset)
        if x < p.fail_low[month % 12] or x > p.fail_high[month % 12]:
            return 4.0
        return 3.0 if x < p.low[month % 12] or x > p.high[month % 12] else 1.0
