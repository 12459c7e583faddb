"""A mean over a time."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import WINDOW, covered, enter, known
from detectors.step import param

__all__ = ["Mean"]


@dataclass(frozen=True)
class Mean:
    """The mean of the readings within `over` (ozone of 8 hours from hourly values).

    The window is (t - over, t]; exact for readings at least over / 296 apart. NaN until `coverage` of the expected
    readings is in it. Not for circular values such as wind direction. Every reading counts the same, however long it stood.

    In a pack:

        derive:
          level_mean: {mean: level, over: 8h, coverage: 0.75}

    Source: a moving mean; GB 3095-2012 (means over 8 and 24 hours).

    >>> from detectors.trial import trial
    >>> p, s = trial(Mean, over=600.0, every=300.0, coverage=1.0)
    >>> [Mean.step(p, s, 300.0 * i, 0.0, x) for i, x in enumerate((1.0, 2.0, 3.0))]
    [nan, 1.5, 2.5]
    """

    over: float = param(None, unit="time", low=0.0, doc="length of the window")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"sums": 300, **WINDOW}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        i = enter(s, t, p.over)
        s.sums[i % 300] = s.sums[i % 300] + x if s.counts[i % 300] > 1.0 else x
        if not covered(p, s):
            return nan
        total = 0.0
        for j in range(int(s.used)):
            total += s.sums[int(s.head - s.used + j) % 300]
        return known(total / s.readings)
