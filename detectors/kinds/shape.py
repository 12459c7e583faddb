"""Whether the last few readings look like anything seen before: distance to the nearest remembered windows."""
from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Any, ClassVar

import numpy as np

from detectors.charts import HUGE, held
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Shape"]


@dataclass(frozen=True)
class Shape:
    """How many times further than usual the last `length` readings lie from the `near` most similar windows of a bank.

    1.0 is usual, 3.0 a shape not seen before, though each value may be. The bank holds 32 windows: every `stride` readings the
    window that ended `length` readings ago takes the place of the oldest one, so it spans 32 strides (choose them to cover
    the shapes that are normal). `level: 0` compares shapes alone, each window about its own mean. What is usual
    is a slowly moving mean of the distances, which none beyond four times itself moves further.

    Not for single values out of range (see `threshold`), nor for noise without a shape, where no window resembles another.

    In a pack:

        detectors:
          - {id: strange, indicator: level, kind: shape, level: 0, stride: 9, floor: 1 cm, levels: {blue: {above: 4}}}

    Source: E. Burnaev and V. Ishimtsev, Conformalized density- and distance-based anomaly detection in time-series data
    (KNN-CAD), arXiv 1608.04585 (2016); a ratio in place of its p-value, which a bank of fixed size could not make small.

    >>> from detectors.trial import trial
    >>> p, s = trial(Shape, length=4, stride=5, warm=8)
    >>> wave = [0.0, 1.0, 0.5, -1.0, 0.1, 0.9, 0.6, -0.9]
    >>> said = [Shape.step(p, s, 0.0, wave[i % 8] + 0.05 * (i % 3)) for i in range(200)]
    >>> round(said[-1], 2), [round(Shape.step(p, s, 0.0, x), 1) for x in (0.5, 0.5, 0.5)]
    (0.19, [2.5, 3.6, 3.6])
    """

    length: float = param(8.0, unit="count", low=2.0, high=8.0, integer=True, doc="readings in a window")
    near: float = param(3.0, unit="count", reset=False, low=1.0, high=8.0, integer=True, doc="windows whose distance counts")
    stride: float = param(11.0, unit="count", reset=False, low=1.0, integer=True, doc="readings between windows of the bank")
    level: float = param(1.0, low=0.0, high=1.0, integer=True, doc="0: shapes alone, wherever they lie")
    alpha: float = param(0.01, reset=False, low=0.0, high=1.0, doc="weight of the newest distance in what is usual")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest usual distance that counts")
    warm: float = param(16.0, unit="count", reset=False, low=8.0, high=32.0, integer=True, doc="windows it needs in the bank")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"bank": 256, "xs": 16, "seen": 1, "judged": 1, "usual": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        m = int(p.length)
        s.xs[int(s.seen) % 16] = held(x, HUGE)
        s.seen += 1.0
        work = np.empty(16)                         # the window, then the shortest distances
        score = 0.0
        if s.n >= p.warm:
            cut(s.xs, int(s.seen) - m, m, p.level, work)
            d = distance(s.bank, int(min(s.n, 32.0)), m, int(p.near), work)
            usual = max(s.usual, p.floor)
            if s.judged >= p.warm and usual > 0.0:
                score = tame(d / usual)
                d = min(d, 4.0 * usual)
            s.judged += 1.0
            s.usual += max(p.alpha, 1.0 / s.judged) * (d - s.usual)
        if s.seen >= 2.0 * m and s.seen % p.stride == 0.0:
            cut(s.xs, int(s.seen) - 2 * m, m, p.level, work)
            for i in range(m):
                s.bank[(int(s.n) % 32 * 8 + i) % 256] = work[i]
            s.n += 1.0
        return score


def cut(xs: Any, first: int, m: int, level: float, work: Any) -> None:
    """Copy the `m` readings from number `first` on, about their mean unless `level` counts."""
    mean = 0.0
    for i in range(m):
        work[i] = xs[(first + i) % 16]
        mean += work[i] / m
    if level == 0.0:
        for i in range(m):
            work[i] -= mean


def distance(bank: Any, windows: int, m: int, near: int, work: Any) -> float:
    """Mean distance (root mean square of the differences) to the `near` most similar windows of the bank."""
    for k in range(near):
        work[8 + k] = inf
    for b in range(windows):
        d = 0.0
        for i in range(m):
            v = work[i] - bank[(b * 8 + i) % 256]
            d += v * v
        k = near - 1
        if d < work[8 + k]:
            while k > 0 and work[7 + k] > d:
                work[8 + k] = work[7 + k]
                k -= 1
            work[8 + k] = d
    total = 0.0
    for k in range(near):
        total += sqrt(work[8 + k] / m)
    return total / near
