"""How rare a value is: the chance of one so high, by the tail of the distribution alone."""
from __future__ import annotations

from dataclasses import dataclass
from math import exp, expm1, log, log1p, sqrt
from typing import Any, ClassVar

import numpy as np

from detectors.charts import HUGE, held, put
from detectors.step import param

__all__ = ["Tail"]

LN10 = 2.302585092994046
RAREST = 16.0


@dataclass(frozen=True)
class Tail:
    """-log10 of the chance of a reading so high: 3.0 = one in a thousand, 4.0 = one in ten thousand; 0.0 below the tail.

    For values whose limit nobody knows. The tail begins at the `peaks`-th largest of the first `warm` readings (20 of 1000: the
    highest 2 %); a generalised Pareto distribution is fitted to the excesses of the last 64 peaks whenever there is a new
    one. A reading rarer than `learn` teaches as much as one as rare as that (as published it teaches nothing, and a tail once
    learned too short stays so). With `below: 1` it is the low tail. The score is never above 16.0.

    Not for a level that moves, which is rare for long: take the difference to what is usual first, or see `ewma`,
    `seasonal`. Not for a thousand readings a year. Of scores of 4 and more about
    twice as many come as they say, for 64 peaks know no better. Each peak costs 20 us: 2 M readings/s where 2 % are peaks,
    0.6 M where 8 % are.

    In a pack:

        detectors:
          - {id: rare, indicator: calls, kind: tail, levels: {blue: {above: 4}, yellow: {above: 6}}}

    Source: A. Siffer et al., Anomaly detection in streams with extreme value theory (SPOT), KDD 2017; fit, in fixed
    memory and without its search for roots: J. Zhang and M. A. Stephens, Technometrics 51 (2009) 316-325.

    >>> from detectors.trial import trial
    >>> p, s = trial(Tail, warm=200)
    >>> said = [Tail.step(p, s, 0.0, float(i * 37 % 200)) for i in range(200)]
    >>> [round(Tail.step(p, s, 0.0, x), 2) for x in (60.0, 181.0, 195.0, 199.0, 240.0)]
    [0.0, 1.05, 1.7, 2.3, 16.0]
    """

    below: float = param(0.0, low=0.0, high=1.0, integer=True, doc="1: how low instead of how high")
    peaks: float = param(20.0, unit="count", low=10.0, high=64.0, integer=True, doc="so many of the first `warm` are tail")
    learn: float = param(4.0, reset=False, low=1.0, high=RAREST, doc="a rarer reading teaches as one of this score")
    warm: float = param(1000.0, unit="count", low=200.0, integer=True, doc="readings by which it learns where the tail begins")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"rows": 64, "kept": 1, "head": 1, "start": 1, "over": 1, "shape": 1, "scale": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        y = held(-x if p.below == 1.0 else x, HUGE)
        if s.n < p.warm:
            s.n += 1.0
            s.kept = largest(s.rows, int(s.kept), int(p.peaks), y)
            if s.n == p.warm:
                begin(s)
            return 0.0
        if y <= s.start:
            s.n += 1.0
            return 0.0
        z = rarity(s, y - s.start)
        s.rows[int(s.head) % 64] = y - s.start if z <= p.learn or s.kept < 10.0 else excess(s, p.learn)
        s.n += 1.0
        s.over += 1.0
        s.head += 1.0
        s.kept = min(s.kept + 1.0, 64.0)
        fit(s)
        return float(z)


def largest(rows: Any, m: int, most: int, y: float) -> float:
    """Keep the largest `most` numbers in falling order; how many there are."""
    if m == most and y <= rows[(m - 1) % 64]:
        return float(m)
    i = min(m, most - 1)
    while i > 0 and rows[(i - 1) % 64] < y:
        rows[i % 64] = rows[(i - 1) % 64]
        i -= 1
    rows[i % 64] = y
    return float(min(m + 1, most))


def begin(s: Any) -> None:
    """The least of the largest is where the tail begins; the others become excesses, those equal to it do not."""
    m = int(s.kept)
    s.start = s.rows[(m - 1) % 64]
    s.kept = 0.0
    for i in range(m):
        if s.rows[i % 64] > s.start:
            s.rows[i % 64] -= s.start
            s.kept += 1.0
    s.over = s.head = s.kept
    fit(s)


def rarity(s: Any, y: float) -> float:
    """-log10 of the chance of an excess of `y` or more; without a fit, that of being the first among all so far."""
    if not s.scale > 0.0:
        return min(log(s.n) / LN10, RAREST)
    z = y / s.scale
    if abs(s.shape) > 1e-9:
        base = 1.0 + s.shape * z
        if base <= 0.0:
            return RAREST                           # beyond the end of a tail that has one
        z = log(base) / s.shape
    return float(min((z - log(s.over / s.n)) / LN10, RAREST))


def excess(s: Any, z: float) -> float:
    """The excess that is as rare as `z`: what `rarity` gives `z` for."""
    y = max(z * LN10 + log(s.over / s.n), 0.0)
    return float(min(s.scale * (expm1(s.shape * y) / s.shape if abs(s.shape) > 1e-9 else y), HUGE))


def fit(s: Any) -> None:
    """Shape and scale of the excesses that are kept; of fewer than ten, and where it has no answer, the exponential one."""
    n, mean = int(s.kept), 0.0
    work = np.empty(64)
    for i in range(n):
        put(work, i, s.rows[i % 64])
        mean += s.rows[i % 64] / n
    s.shape, s.scale = 0.0, mean
    if n >= 10 and work[n - 1] > 1e-300:
        b = weight(work, n)
        shape = mean_log(work, n, b)
        scale = -shape / b if b != 0.0 else 0.0
        if 0.0 < scale < HUGE * HUGE and abs(shape) < HUGE:
            s.shape, s.scale = float(shape), float(scale)


def weight(work: Any, n: int) -> float:
    """Posterior mean of b = -shape / scale over the grid of Zhang and Stephens; `work` holds `n` excesses in rising order."""
    m, best, total, b = 20 + int(sqrt(float(n))), -1e308, 0.0, 0.0
    quarter = max(work[int(n / 4.0 + 0.5) - 1], work[n - 1] * 1e-12)
    for twice in range(2):                          # first the highest likelihood, so that no exp overflows; then the mean
        for j in range(m):
            place = 1.0 / work[n - 1] + (1.0 - sqrt(m / (j + 0.5))) / (3.0 * quarter)
            k = mean_log(work, n, place)
            if k != 0.0 and place / k < 0.0:
                likely = n * (log(-place / k) - k - 1.0)
                if twice == 0:
                    best = max(best, likely)
                else:
                    w = exp(likely - best)
                    total += w
                    b += w * place
    return b / total if total > 0.0 else 0.0


def mean_log(work: Any, n: int, b: float) -> float:
    """Mean of log(1 - b x)."""
    total = 0.0
    for i in range(n):
        total += log1p(-b * work[i])
    return total / n
