"""Per cent of change against the same month a year before."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known, month_of
from detectors.step import param

__all__ = ["Yoy"]


@dataclass(frozen=True)
class Yoy:
    """100 * (x - y) / abs(y), y the figure of the same month a year before; NaN where there is none, or it is 0.

    A figure's time is the first moment of its month, `offset` seconds east of UTC. The last 36 months are kept in
    the state; a revised figure takes the place of the old one. With `merge: [[jan, feb]]` January says nothing and February
    compares January + February (sums, so means too) with the two months a year before: the Spring Festival moves
    between them. Where January is missing in both years, February is taken to stand for both, as it is published.

    Not for rates and shares, whose change is a difference in points, and not for daily values (see `yoy_day`).

    In a pack:

        derive:
          retail_change: {yoy: retail, merge: [[jan, feb]]}

    Source: 同比, National Bureau of Statistics of China, 统计上同比、环比 (notes on main indicators).

    >>> from detectors.trial import trial
    >>> p, s = trial(Yoy, offset=0.0)
    >>> first_of = {"2024-02": 1706745600.0, "2025-01": 1735689600.0, "2025-02": 1738368000.0}
    >>> [Yoy.step(p, s, t, 0.0, x) for t, x in zip(first_of.values(), (80.0, 90.0, 84.0))]
    [nan, nan, 5.0]
    """

    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    merge: float = param(0.0, low=0.0, high=1.0, integer=True, words=(("[[jan, feb]]", 1.0),),
                         doc="[[jan, feb]] (or 1): January and February are judged together; the input may say so itself")

    result_unit: ClassVar[str] = "%"
    slots: ClassVar[dict[str, int]] = {"months": 36, "xs": 36}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        month = month_of(t, p.offset)
        s.months[month % 36] = float(month)
        s.xs[month % 36] = x
        if p.merge == 1.0 and month % 12 == 0:
            return nan
        now, before = x, figure(s, month - 12)
        if p.merge == 1.0 and month % 12 == 1:
            january, other = figure(s, month - 1), figure(s, month - 13)
            if january == january or other == other:
                now, before = x + january, before + other
        return known(100.0 * ((now - before) / abs(before))) if before != 0.0 else nan


def figure(s: Any, month: int) -> float:
    """The figure of a month, NaN where it is not kept."""
    return float(s.xs[month % 36]) if s.months[month % 36] == month else nan
