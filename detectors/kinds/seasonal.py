"""How unusual for this hour of the week."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, held
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Seasonal"]


@dataclass(frozen=True)
class Seasonal:
    """Standard deviations of a reading from the mean of the same hour of the week; each of the 168 hours has its own.

    Monday 00:00-00:59 local time is the first. While an hour is young all of its readings weigh alike, later `alpha` is the
    weight of its newest week; an hour that has not been seen for `warm` weeks has no opinion yet. What
    errs by more than `bound` deviations teaches as much as one that errs by `bound`.

    Not for a level that moves within weeks (see `holt_winters`), nor for holidays, which are an unusual hour of their week.

    In a pack:

        detectors:
          - {id: unusual, indicator: calls, kind: seasonal, floor: 2, levels: {blue: {above: 4, below: -4}}}

    Source: the profile of a week as a control chart: D. C. Montgomery, Introduction to Statistical Quality Control, section
    10.3 (a chart for each stream); weights: S. W. Roberts, Technometrics 1 (1959) 239-250.

    >>> from detectors.trial import trial
    >>> p, s = trial(Seasonal, every=3600.0, warm=3)
    >>> [round(Seasonal.step(p, s, 604800.0 * i, x), 2) for i, x in enumerate([50.0, 52.0, 48.0, 50.0, 56.0])]
    [0.0, 0.0, 0.0, 0.0, 4.24]
    """

    alpha: float = param(0.1, low=0.0, high=1.0, reset=False, doc="weight of the newest week in its hour")
    bound: float = param(4.0, reset=False, low=1.0, doc="deviations beyond which a reading teaches no more")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest standard deviation that counts")
    warm: float = param(4.0, unit="count", reset=False, low=2.0, integer=True, doc="weeks that an hour needs")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    every: float = param(3600.0, unit="time", reset=False, low=0.0, doc="filled in by the plan")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"means": 168, "vars": 168, "counts": 168, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        h = int((t + p.offset) // 3600.0 + 72.0) % 168          # 1970 began on a Thursday
        dense = max(3600.0 / p.every if p.every > 0.0 else 1.0, 1.0)        # readings of an hour
        n = s.counts[h % 168]
        s.n = n / dense
        if n == 0.0:
            s.counts[h % 168], s.means[h % 168] = 1.0, x
            return 0.0
        d, z = x - s.means[h % 168], 0.0
        deviation = max(sqrt(s.vars[h % 168]), p.floor)
        if s.n >= p.warm and deviation > 0.0:
            z = tame(d / deviation)
            d = held(d, p.bound * deviation)
        a = max(p.alpha / dense, 1.0 / (n + 1.0))
        s.means[h % 168] += a * d
        s.vars[h % 168] = (1.0 - a) * (s.vars[h % 168] + a * d * d)
        s.counts[h % 168] = n + 1.0
        return z
