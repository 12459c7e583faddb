"""A mean that forgets."""
from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, log, nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Ewm"]

LN2 = log(2.0)


@dataclass(frozen=True)
class Ewm:
    """The exponentially weighted mean: what was seen `half` ago weighs half; at any spacing of the readings.

    mean += (1 - 0.5 ** (dt / half)) * (x - mean), beginning with the first reading. After a long gap the newest reading
    is nearly all of it, so nothing has to be reset. It costs three numbers a series, where a window costs hundreds.

    Not for a sum or a fixed window that people can check by hand, and not for unchecked readings: a bad one fades slowly.

    In a pack:

        derive:
          level_smooth: {ewm: level, half: 1h}

    Source: A. Eckner, Algorithms for unevenly spaced time series: moving averages and other rolling operators, 2019,
    section 4 (EMA, next point).

    >>> from detectors.trial import trial
    >>> p, s = trial(Ewm, half=600.0)
    >>> [Ewm.step(p, s, t, 0.0, x) for t, x in ((0.0, 8.0), (600.0, 0.0), (1800.0, 8.0))]
    [8.0, 4.0, 7.0]
    """

    half: float = param(None, unit="time", low=1e-3, doc="after so long a reading weighs half")

    slots: ClassVar[dict[str, int]] = {"mean": 1, "before": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        if s.seen == 0.0:
            s.mean, s.seen = x, 1.0
        else:
            s.mean += (1.0 - exp(-LN2 * ((t - s.before) / p.half))) * (x - s.mean)
        s.before = t
        if not isfinite(s.mean):
            s.seen = 0.0
            return nan
        return float(s.mean)
