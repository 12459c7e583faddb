"""Against what level, trend and season foretell: additive Holt-Winters."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, held
from detectors.numbers import tame
from detectors.step import param

__all__ = ["HoltWinters"]


@dataclass(frozen=True)
class HoltWinters:
    """Standard deviations of a reading from what an additive level, trend and season foretold for it.

    A season is `season` slots of `slot` each (off: the indicator's `every`): 24 hours, 168 hours of a week, 12 months of 30.44 d.
    The first season is learned whole: its mean is the level, the rest of each slot its season, the trend 0. Several readings
    in a slot each count; a slot without one is stepped over along the trend. What errs by more than
    `bound` deviations teaches as much as one that errs by `bound`, so an outlier spoils no slot.

    Not for a season that grows with the level (take a ratio first), nor for weeks with holidays in them; `seasonal` is
    calmer where there is no trend.

    In a pack:

        detectors:
          - {id: odd, indicator: calls, kind: holt_winters, season: 24, slot: 1h, levels: {blue: {above: 5, below: -5}}}

    Source: P. R. Winters, Management Science 6 (1960) 324-342, in the error form of R. J. Hyndman and G. Athanasopoulos,
    Forecasting: Principles and Practice, section 8.3; bound: S. Gelper, R. Fried, C. Croux, J. Forecasting 29 (2010) 285-300.

    >>> from detectors.trial import trial
    >>> p, s = trial(HoltWinters, season=2, every=60.0, warm=2)
    >>> [round(HoltWinters.step(p, s, 60.0 * i, x), 2) for i, x in enumerate([8.0, 12.0, 8.1, 12.1, 8.0, 12.0, 9.5])]
    [0.0, 0.0, 0.0, 0.0, -0.51, -0.45, 20.96]
    """

    season: float = param(24.0, unit="count", low=2.0, high=168.0, integer=True, doc="slots in a season")
    slot: float = param(nan, unit="time", low=1.0, doc="length of a slot; off = the indicator's `every`")
    alpha: float = param(0.2, reset=False, low=0.0, high=1.0, doc="how fast the level follows")
    beta: float = param(0.01, reset=False, low=0.0, high=1.0, doc="how fast the trend follows the level")
    delta: float = param(0.1, reset=False, low=0.0, high=1.0, doc="how fast the season follows")
    bound: float = param(4.0, reset=False, low=1.0, doc="deviations beyond which an error teaches no more")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest standard deviation that counts")
    warm: float = param(24.0, unit="count", reset=False, low=2.0, integer=True, doc="readings it needs after the first season")
    every: float = param(3600.0, unit="time", low=0.0, doc="filled in by the plan")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"season": 168, "counts": 168, "first": 1, "last": 1, "level": 1, "trend": 1, "var": 1,
                                       "seen": 1, "ready": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        now = t // max(p.slot if p.slot == p.slot else p.every, 1.0)
        i = int(now) % int(p.season)
        if s.seen == 0.0:
            s.first, s.last = now, now
        s.seen += 1.0
        gone = now - s.last
        s.last = now
        if s.ready == 0.0 and (now - s.first < p.season or s.seen < 3.0):
            s.counts[i % 168] += 1.0
            s.season[i % 168] += (x - s.season[i % 168]) / s.counts[i % 168]
            return 0.0
        if s.ready == 0.0:
            s.level = centre(s.season, s.counts, int(p.season))
            s.ready = 1.0
        gone = min(gone, p.season)
        ahead = s.level + gone * s.trend
        e = held(x - ahead - s.season[i % 168], HUGE)
        deviation, young = max(sqrt(s.var), p.floor), s.n < p.warm
        z = tame(e / deviation) if not young and deviation > 0.0 else 0.0
        if not young and deviation > 0.0:
            e = held(e, p.bound * deviation)
        s.n += 1.0
        a = max(p.alpha * 0.1, 1.0 / s.n)           # the deviation is of ten times as many readings as the level
        s.var = (1.0 - a) * s.var + a * e * e
        s.level = held(ahead + p.alpha * e, HUGE)
        s.trend = held(s.trend + p.beta * p.alpha * e / max(gone, 1.0), HUGE / 1e3)
        s.season[i % 168] = held(s.season[i % 168] + p.delta * e, HUGE)
        return z


def centre(season: Any, counts: Any, m: int) -> float:
    """The mean of the first `m` slots that were seen; it is taken from each of them, and the others are 0.0."""
    mean, n = 0.0, 0.0
    for i in range(m):
        if counts[i % len(counts)] > 0.0:
            n += 1.0
            mean += (season[i % len(season)] - mean) / n
    for i in range(m):
        season[i % len(season)] = season[i % len(season)] - mean if counts[i % len(counts)] > 0.0 else 0.0
    return mean
