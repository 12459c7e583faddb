"""A series whose base was changed, brought onto one base."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Rebase"]


@dataclass(frozen=True)
class Rebase:
    """The reading itself from `at` on, before it times `factor`: an index with a new base year, a changed list of firms.

    `factor` is the figure of an overlapping period on the new base, divided by that on the old one; it may be a column
    of sites.csv. For two changes derive twice. `yoy`, `mom` and trends made of it no longer see the change as growth.

    Not for a sensor that was moved or set anew in between (its datum is a fact to be entered at the source), and not for growth
    rates, which have no base.

    In a pack:

        derive:
          price_line: {rebase: cpi, at: 2026-01-01, factor: 0.873}

    Source: linking of index series, IMF, Consumer Price Index Manual: Concepts and Methods (2020), chapter 9.

    >>> from detectors.trial import trial
    >>> p, s = trial(Rebase, at=1767196800.0, factor=0.5)
    >>> [Rebase.step(p, s, t, 0.0, x) for t, x in ((1764518400.0, 210.0), (1767196800.0, 106.0))]
    [105.0, 106.0]
    """

    at: float = param(None, unit="date", reset=False, doc="the first day on the new base, such as 2026-01-01, local")
    factor: float = param(None, reset=False, low=1e-9, high=1e9, doc="new base ÷ old base, of a period that has both")

    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        return known(x * p.factor) if t < p.at else x
