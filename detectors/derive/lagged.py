"""What a series was some time ago: the wave that is on its way."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import HAIR, known, push
from detectors.step import param

__all__ = ["Lagged"]

POINTS = 64


@dataclass(frozen=True)
class Lagged:
    """The reading of `by` ago, straight between the two readings around that moment; NaN while they do not reach so far.

    To set an upstream gauge, a rain sum or an inflow beside what it causes later (`residual`). Without `by` the travel time is
    the one that `wanglou fit` found for the `residual` made of it, at most `most`. Where more than 64 readings lie within
    the time, they are thinned evenly.

    Not for comparing with the same hour a day or a week before (`seasonal`), nor for months (`yoy`).

    In a pack:

        derive:
          level_before: {lagged: level, by: 5h}

    Source: lag and route, WMO-No. 168, Guide to Hydrological Practices, volume II (2009), chapter 7.

    >>> from detectors.trial import trial
    >>> p, s = trial(Lagged, by=5400.0)
    >>> [Lagged.step(p, s, 3600.0 * i, 0.0, x) for i, x in enumerate((26.0, 27.0, 29.0, 30.0))]
    [nan, nan, 26.5, 28.0]
    """

    by: float = param(nan, unit="time", low=0.0, doc="how long ago; off: as fitted")
    most: float = param(86400.0, unit="time", low=0.0, doc="the longest travel time that a fit may find")

    slots: ClassVar[dict[str, int]] = {"ts": POINTS, "xs": POINTS, "n": 1, "lag": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        lag = p.by if p.by == p.by else s.lag
        over = p.by if p.by == p.by else p.most
        s.n = push(s.ts, s.xs, s.n, t, x, over * 1.25 + 7200.0)
        if p.by != p.by and lag <= 0.0:
            return nan                                  # not fitted yet
        return at(s.ts, s.xs, int(s.n), t - lag)


def at(ts: Any, xs: Any, n: int, t: float) -> float:
    """The value of a line of `n` points in order of time at `t`; NaN outside it."""
    size = len(ts)
    if n < 1 or t < ts[0] - HAIR or t > ts[(n - 1) % size] + HAIR:
        return nan
    i = n - 1
    while i > 0 and ts[i % size] > t + HAIR:
        i -= 1
    if i == n - 1 or t - ts[i % size] <= HAIR:
        return float(xs[i % size])
    share = (t - ts[i % size]) / (ts[(i + 1) % size] - ts[i % size])
    return known(xs[i % size] + share * (xs[(i + 1) % size] - xs[i % size]))
