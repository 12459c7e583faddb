"""A standard deviation over a time."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Any, ClassVar

from detectors.numbers import WINDOW, covered, enter, known
from detectors.step import param

__all__ = ["Std"]


@dataclass(frozen=True)
class Std:
    """The standard deviation of the readings within `over` (how rough the water is), that of a sample: divided by n - 1.

    The window is (t - over, t]; exact for readings at least over / 296 apart. NaN until `coverage` of the expected
    readings is in it, and with fewer than two. Not for unchecked readings: one bad one is most of it; and not for a
    level that climbs, whose trend is taken for roughness.

    In a pack:

        derive:
          level_rough: {std: level, over: 1h, coverage: 0.8}

    Source: T. F. Chan, G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample
    variances, 1979.

    >>> from detectors.trial import trial
    >>> p, s = trial(Std, over=900.0, every=300.0, coverage=0.5)
    >>> [round(Std.step(p, s, 300.0 * i, 0.0, x), 2) for i, x in enumerate((1.0, 2.0, 3.0, 3.0, 3.0))][1:]
    [0.71, 1.0, 0.58, 0.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="length of the window")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"means": 300, "moments": 300, **WINDOW}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        i = enter(s, t, p.over)
        if s.counts[i % 300] == 1.0:
            s.means[i % 300], s.moments[i % 300] = 0.0, 0.0
        d = x - s.means[i % 300]
        s.means[i % 300] += d / s.counts[i % 300]
        s.moments[i % 300] += d * (x - s.means[i % 300])
        if s.readings < 2.0 or not covered(p, s):
            return nan
        return known(sqrt(squares(s, x, lean(s, x)) / (s.readings - 1.0)))


def lean(s: Any, x: float) -> float:
    """How far the mean of the window lies from `x`: near it, so that nothing is lost at a large level."""
    total, start = 0.0, int(s.head - s.used)
    for j in range(start, start + int(s.used)):
        total += s.counts[j % 300] * (s.means[j % 300] - x)
    return float(total / s.readings)


def squares(s: Any, x: float, away: float) -> float:
    """The sum of squares about the mean `x + away`: within the parts, and of the parts."""
    total, start = 0.0, int(s.head - s.used)
    for j in range(start, start + int(s.used)):
        d = s.means[j % 300] - x - away
        total += s.moments[j % 300] + s.counts[j % 300] * d * d
    return max(total, 0.0)
