"""A median over a time."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import WINDOW, covered, enter, median
from detectors.step import param

__all__ = ["Median"]


@dataclass(frozen=True)
class Median:
    """The median of the readings within `over`: a mean that single bad readings do not move.

    The window is (t - over, t]; exact for readings at least over / 296 apart; of denser ones the newest of each 1/296
    counts. NaN until `coverage` of the expected readings is in it. Not for amounts (rain), whose median is mostly 0.
    The costliest window, for it selects anew each time: about 0.3 M readings/s a core with 288 readings in it, 5 M with 12.

    In a pack:

        derive:
          level_calm: {median: level, over: 1h, coverage: 0.5}

    Source: the running median: J. W. Tukey, Exploratory Data Analysis, 1977, chapter 7; quickselect: C. A. R. Hoare 1961.

    >>> from detectors.trial import trial
    >>> p, s = trial(Median, over=900.0, every=300.0, coverage=1.0)
    >>> [Median.step(p, s, 300.0 * i, 0.0, x) for i, x in enumerate((3.0, 1.0, 99.0, 2.0))]
    [nan, nan, 3.0, 2.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="length of the window")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"newest": 300, **WINDOW}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        s.newest[enter(s, t, p.over) % 300] = x
        if not covered(p, s):
            return nan
        work, n = np.empty(300), int(s.used)
        start = int(s.head) - n
        for j in range(n):
            work[j] = s.newest[(start + j) % 300]
        return median(work, n)
