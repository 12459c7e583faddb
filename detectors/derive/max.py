"""The largest over a time."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import WINDOW, covered, enter
from detectors.step import param

__all__ = ["Max"]


@dataclass(frozen=True)
class Max:
    """The largest reading within `over` (the peak of the last day).

    The window is (t - over, t]; exact for readings at least over / 296 apart. NaN until `coverage` of the expected
    readings is in it. Not for unchecked readings: one bad one
    stands for the whole time.

    In a pack:

        derive:
          level_peak: {max: level, over: 1d, coverage: 0.8}

    Source: a moving maximum; WMO-No. 8, part I, chapter 1 (extremes over a period).

    >>> from detectors.trial import trial
    >>> p, s = trial(Max, over=600.0, every=300.0, coverage=1.0)
    >>> [Max.step(p, s, 300.0 * i, 0.0, x) for i, x in enumerate((3.0, 1.0, 2.0))]
    [nan, 3.0, 2.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="length of the window")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"tops": 300, **WINDOW}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        i = enter(s, t, p.over)
        if s.counts[i % 300] == 1.0 or x > s.tops[i % 300]:
            s.tops[i % 300] = x
        if not covered(p, s):
            return nan
        best = x
        for j in range(int(s.used)):
            y = s.tops[int(s.head - s.used + j) % 300]
            if y > best:
                best = y
        return best
