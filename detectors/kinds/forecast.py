"""Where it will be, and how long until a limit, if it goes on like this."""
from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import median, push, tame, theil_sen
from detectors.step import param

__all__ = ["Forecast"]


@dataclass(frozen=True)
class Forecast:
    """The value expected in `within`, on a robust line (Theil-Sen) through up to 16 points of the last `over`.

    `over` off = as long as `within`. More readings than that are thinned evenly. With fewer than `warm`
    points the score is the value itself. `level`, `slope` and `spread` (half of the slope's 80 % band) are
    kept for `forecast`, which says how long it is until a limit.

    Not for values that turn within the time looked at (tides, daily shapes), nor far beyond a few times `over`: it
    knows no rain and no upstream gauge.

    In a pack:

        detectors:
          - {id: soon, indicator: level, kind: forecast, within: 6h, over: 45min, levels: {blue: {above: 28, hold: 5min}}}

    Source: line: P. K. Sen 1968; standard error of a slope and Student's quantile (Cornish-Fisher, first term):
    M. G. Kendall and A. Stuart, The Advanced Theory of Statistics.

    >>> from detectors.trial import trial
    >>> p, s = trial(Forecast, within=3600.0, warm=3)
    >>> [round(Forecast.step(p, s, 600.0 * i, 20.0 + 0.1 * i), 6) for i in range(4)]
    [20.0, 20.1, 20.8, 20.9]
    >>> [round(seconds) for seconds in Forecast.forecast(p, s, 20.5)]
    [1200, 1200, 1200]
    >>> Forecast.forecast(p, s, 19.0)
    (inf, inf, inf)
    """

    within: float = param(None, unit="time", reset=False, low=0.0, doc="how far ahead it looks")
    over: float = param(float("nan"), unit="time", low=0.0, doc="how far back it looks; off = as long as `within`")
    warm: float = param(5.0, unit="count", reset=False, low=3.0, high=16.0, integer=True, doc="points it needs")

    score_unit: ClassVar[str] = "value"
    on_axis: ClassVar[bool] = True       # its limits can be drawn among the readings
    slots: ClassVar[dict[str, int]] = {"ts": 16, "xs": 16, "n": 1, "level": 1, "slope": 1, "spread": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        s.n = push(s.ts, s.xs, s.n, t, x, p.over if p.over == p.over else p.within)
        m = int(s.n)
        s.level, s.slope, s.spread = x, 0.0, 0.0
        if m < p.warm or m < 3:
            return x
        work = np.empty(120)
        s.slope = theil_sen(s.ts, s.xs, m, work)
        s.level = level_at(s.ts, s.xs, m, t, s.slope, work)
        s.spread = spread_of(s.ts, s.xs, m, t, s.level, s.slope)
        return tame(s.level + s.slope * p.within)

    @staticmethod
    def forecast(p: Any, s: Any, limit: float) -> tuple[float, float, float]:
        """Seconds from the newest reading until the line meets `limit`, and their 80 % band (soonest, latest).

        inf: not approaching it, or in the band's case perhaps never. The band is that of the slope alone.
        """
        gap, toward = tame(limit - s.level), s.slope
        if gap < 0.0:
            gap, toward = -gap, -toward
        if gap == 0.0:
            return 0.0, 0.0, 0.0
        if not toward > 0.0:
            return inf, inf, inf
        slowest = toward - s.spread
        return gap / toward, gap / (toward + s.spread), gap / slowest if slowest > 0.0 else inf


def level_at(ts: Any, xs: Any, m: int, t: float, slope: float, work: Any) -> float:
    """Height at `t` of the line with this slope: the median over the first `m` points of a row."""
    for i in range(m):
        work[i] = tame(xs[i % len(xs)] + tame(slope * (t - ts[i % len(ts)])))
    return tame(median(work, m))


def spread_of(ts: Any, xs: Any, m: int, t: float, level: float, slope: float) -> float:
    """Half of the 80 % band of the slope of a line through the first `m` points of a row, per second."""
    middle, rest, wide = 0.0, 0.0, 0.0
    for i in range(m):
        middle += (ts[i % len(ts)] - t) / m
    for i in range(m):
        d = ts[i % len(ts)] - t
        r = min(max(xs[i % len(xs)] - level - tame(slope * d), -1e150), 1e150)
        rest += r * r
        wide += (d - middle) * (d - middle)
    if wide <= 0.0:
        return 0.0
    student = 1.2816 + 0.8467 / (m - 2.0)       # quantile 0.9: z + (z * z * z + z) / 4 / degrees of freedom
    return tame(student * sqrt(rest / (m - 2.0) / wide))
