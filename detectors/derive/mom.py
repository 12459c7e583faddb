"""Per cent of change against the month before."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known, month_of
from detectors.step import param

__all__ = ["Mom"]


@dataclass(frozen=True)
class Mom:
    """100 * (x - y) / abs(y), y the figure of the calendar month before; NaN where there is none, or it is 0.

    A figure's time is the first moment of its month, `offset` seconds east of UTC. A revised figure of the newest
    month takes the place of the old one.

    Not for figures with a season, unless they are adjusted for it (`yoy` is for those), not for rates and shares, whose
    change is a difference in points, and not where January and February are published as one.

    In a pack:

        derive:
          cpi_mom: {mom: cpi}

    Source: 环比, National Bureau of Statistics of China, 统计上同比、环比 (notes on main indicators).

    >>> from detectors.trial import trial
    >>> p, s = trial(Mom, offset=0.0)
    >>> first_of = {"2025-12": 1764547200.0, "2026-01": 1767225600.0, "2026-03": 1772323200.0}
    >>> [Mom.step(p, s, t, 0.0, x) for t, x in zip(first_of.values(), (80.0, 84.0, 90.0))]
    [nan, 5.0, nan]
    """

    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")

    result_unit: ClassVar[str] = "%"
    slots: ClassVar[dict[str, int]] = {"months": 2, "xs": 2}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        month = month_of(t, p.offset)
        s.months[month % 2] = float(month)
        s.xs[month % 2] = x
        before = s.xs[(month - 1) % 2]
        if s.months[(month - 1) % 2] != month - 1 or before == 0.0:
            return nan
        return known(100.0 * ((x - before) / abs(before)))
