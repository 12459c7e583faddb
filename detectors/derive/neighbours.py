"""The other sites of an area, as one series here."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import known, median, middle, tame
from detectors.step import param

__all__ = ["Neighbours"]

WORDS = (("median", 0.0), ("mean", 1.0), ("max", 2.0), ("min", 3.0), ("sum", 4.0), ("spread", 5.0))


@dataclass(frozen=True)
class Neighbours:
    """The median (or `how:` mean, max, min, sum, spread) of what the other sites measure at the same time.

    `spread` is the robust standard deviation about the median: 1.4826 times the median of the distances from it.

    The others are those of the same area (`area: {tree, depth}`), or those next up or down the river (`at: upstream`). A value is
    told when all of them are in, or after `grace` when the share `coverage` of them is; later ones revise it. Readings that fail
    there (range, missing) are left out.

    Not for sites that report at different times: only readings of the same time are set beside each other. A sum or mean of
    levels jumps when a site is missing: leave `coverage` at 1 there. For all of an area as one series see `area` sums. It
    takes 35 k readings/s a core with nine others: each reading is told to nine sites and waits there for those of its time.

    In a pack:

        derive:
          level_near: {neighbours: level, area: {tree: basin, depth: reach}, coverage: 0.5, grace: 1min}

    Source: spatial consistency by the median of neighbours: Delft-FEWS and MeteoSwiss practice; WMO-No. 305, chapter 6.

    >>> from detectors.trial import trial
    >>> p, s = trial(Neighbours, inputs=3)
    >>> [Neighbours.step(p, s, 0.0, float(k), x) for k, x in enumerate((26.0, float("nan"), 27.0))]
    [nan, nan, 26.5]
    """

    how: float = param(0.0, low=0.0, high=5.0, integer=True, words=WORDS, doc="what is told of the others")
    inputs: float = param(1.0, low=1.0, high=64.0, integer=True, doc="filled in by the plan")

    foreign: ClassVar[int] = 64
    slots: ClassVar[dict[str, int]] = {"near": 64, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.n = 0.0
        if x == x:
            s.near[int(s.n) % 64] = x
            s.n += 1.0
        if k < p.inputs - 1.0 or s.n == 0.0:
            return nan
        n = min(int(s.n), 64)
        if p.how == 0.0 or p.how == 5.0:
            work = np.empty(64)
            centre = known(middle(s.near, n, work))
            if p.how == 0.0:
                return centre
            for i in range(n):
                work[i] = tame(abs(s.near[i % 64] - centre))
            return known(1.4826 * median(work, n))
        total, high, low = 0.0, s.near[0], s.near[0]
        for i in range(n):
            y = s.near[i % 64]
            total += y
            high = max(high, y)
            low = min(low, y)
        if p.how == 1.0:
            return known(total / n)
        if p.how == 2.0:
            return float(high)
        if p.how == 3.0:
            return float(low)
        return known(total)
