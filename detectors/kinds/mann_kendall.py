"""Whether it rises or falls at all: the rank test of a trend."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import push
from detectors.step import param

__all__ = ["MannKendall"]


@dataclass(frozen=True)
class MannKendall:
    """The Mann-Kendall Z over up to 32 points within `over`: 1.96 = a rise that chance gives once in 40, -1.96 a fall.

    It asks how sure a trend is, not how steep (see `trend`), and no distribution is assumed; ties are corrected for. More
    readings than 32 are thinned evenly. With fewer than `warm` points, as after a gap, the score is 0.0. A window of
    `over` = 400 d holds a year of monthly figures.

    Not for dense readings that resemble their neighbours, nor for values with a daily or yearly shape: both look like trends.

    In a pack:

        detectors:
          - {id: rising, indicator: retail, kind: mann_kendall, over: 400d, levels: {blue: {above: 1.96, below: -1.96}}}

    Source: H. B. Mann, Econometrica 13 (1945) 245-259; M. G. Kendall, Rank Correlation Methods, 1975; continuity
    correction and ties as in R. O. Gilbert, Statistical Methods for Environmental Pollution Monitoring, 1987, section 16.4.

    >>> from detectors.trial import trial
    >>> p, s = trial(MannKendall, over=86400.0 * 400, warm=5)
    >>> [round(MannKendall.step(p, s, 86400.0 * 30 * i, x), 3) for i, x in enumerate([5.0, 5.2, 5.1, 5.6, 5.9, 6.4])]
    [0.0, 0.0, 0.0, 0.0, 1.715, 2.254]
    """

    over: float = param(None, unit="time", low=0.0, doc="how far back it looks")
    warm: float = param(8.0, unit="count", reset=False, low=4.0, high=32.0, integer=True, doc="points it needs")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"ts": 32, "xs": 32, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        s.n = push(s.ts, s.xs, s.n, t, x, p.over)
        if s.n < p.warm:
            return 0.0
        m = int(s.n)
        work = np.empty(32)
        for i in range(m):
            work[i] = s.xs[i % 32]
        return statistic(work, m)


def statistic(work: Any, m: int) -> float:
    """Z of the first `m` numbers in order of time; 0.0 where all are equal.

    A group of g equal ones takes g (g - 1) (2 g + 5) from the variance: (g - 1) (2 g + 5) for each of its members.
    """
    s, ties = 0.0, 0.0
    for i in range(m):
        x, more, less, same = work[i], 0, 0, 0
        for j in range(i):
            more += x > work[j]
            less += x < work[j]
            same += x == work[j]
        s += more - less
        for j in range(i + 1, m):
            same += x == work[j]
        ties += same * (2.0 * same + 7.0)
    rest = m * (m - 1.0) * (2.0 * m + 5.0) - ties
    if rest <= 0.0 or s == 0.0:
        return 0.0
    return float((s - 1.0 if s > 0.0 else s + 1.0) / sqrt(rest / 18.0))
