"""Whether a new regime has just begun: Bayesian change point detection as readings come."""
from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, follow, held
from detectors.step import param

__all__ = ["Bocpd"]

LONGEST = 64


@dataclass(frozen=True)
class Bocpd:
    """The probability (0 to 1) that mean or spread changed within the last `recent` readings.

    For series that rest at one level and then at another (regimes, closed valves, a new tariff). Readings of a regime are
    normal with unknown mean and variance; each begins with chance 1 / `regime`. Runs of 64 readings or more count as one
    and are known by their last 64. The prior of a new regime is the slowly forgetting mean and variance of all (the mean worth
    `strength` readings), moved by no error beyond four deviations. The first `warm` readings are taken for one regime.

    Not for slow drift or a daily shape, which are no regimes (see `trend`, `seasonal`); a single outlier is a regime of
    one reading: let the level hold.

    In a pack:

        detectors:
          - {id: regime, indicator: level, kind: bocpd, floor: 2 cm, levels: {blue: {above: 0.9, hold: 10min}}}

    Source: R. P. Adams and D. J. C. MacKay, Bayesian online changepoint detection, arXiv 0710.3742 (2007); the run holds the
    reading that begins it, as in P. Fearnhead and Z. Liu, J. Royal Statistical Society B 69 (2007) 589-605.

    >>> from detectors.trial import trial
    >>> p, s = trial(Bocpd, warm=20)
    >>> said = [Bocpd.step(p, s, 0.0, 10.0 + i % 3) for i in range(40)]
    >>> round(said[-1], 2), [round(Bocpd.step(p, s, 0.0, 16.0 + i % 3), 2) for i in range(3)]
    (0.0, [0.99, 1.0, 1.0])
    """

    regime: float = param(250.0, unit="count", reset=False, low=2.0, doc="readings that a regime lasts, on average")
    recent: float = param(5.0, unit="count", reset=False, low=1.0, high=32.0, integer=True, doc="how many readings are recent")
    strength: float = param(0.1, reset=False, low=1e-4, high=100.0, doc="readings that the prior mean is worth")
    alpha: float = param(0.005, reset=False, low=0.0, high=1.0, doc="weight of the newest reading in the prior")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest standard deviation of the prior that counts")
    warm: float = param(50.0, unit="count", low=4.0, integer=True, doc="readings that are taken for one regime")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"xs": 64, "runs": 64, "begun": 1, "mean": 1, "var": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        d, deviation = x - s.mean, max(sqrt(s.var), p.floor)
        score = 0.0
        if s.n >= p.warm and deviation > 0.0:
            if s.begun == 0.0:
                s.runs[(min(int(s.n), LONGEST) - 1) % 64] = 1.0
                s.begun = 1.0
            weigh(s.xs, s.runs, int(s.n), (x - s.mean) / deviation, s.mean, deviation, p.strength, 1.0 / p.regime)
            for r in range(int(p.recent)):
                score += s.runs[r % 64]
            d = held(d, 4.0 * deviation)
        s.xs[int(s.n) % 64] = x
        s.n += 1.0
        follow(s, x if s.n == 1.0 else d, max(p.alpha, 1.0 / s.n))
        if s.n == 1.0:
            s.var = 0.0
        return min(score, 1.0)


def weigh(xs: Any, runs: Any, n: int, z: float, mean: float, deviation: float, strength: float, hazard: float) -> None:
    """Let every run length see a reading; slot r - 1 holds the chance of a run of r readings, the newest one included.

    `z`, `mean` and `deviation` are in the measure of the prior: mean 0, variance 1, one pseudo-reading pair of variance.
    A run of r readings foretells the next by Student's t with 2 + r degrees of freedom; `c` is its constant
    gamma((v + 1) / 2) / gamma(v / 2), from that of one degree less by c(v + 1) c(v) = v / 2.
    """
    c = 0.886226925452758                       # sqrt(pi) / 2: two degrees
    centre, squares = 0.0, 0.0
    carry, total = hazard * student(z, 2.0, c, 2.0 * (strength + 1.0) / strength), 0.0
    for r in range(1, LONGEST + 1):
        old, k = runs[(r - 1) % 64], strength + r
        c = 0.5 * (1.0 + r) / c
        if r <= n:
            y = (xs[(n - r) % 64] - mean) / deviation
            y -= centre
            centre += y / r
            squares += y * (y - y / r)
        grown = 0.0
        if old > 1e-300:
            b = 2.0 + squares + strength * r * centre * centre / k
            grown = (1.0 - hazard) * old * student(z - r * centre / k, 2.0 + r, c, b * (k + 1.0) / k)
        runs[(r - 1) % 64] = carry
        if r == LONGEST:
            runs[(r - 1) % 64] += grown
        total += runs[(r - 1) % 64]
        carry = grown
    for r in range(LONGEST):
        runs[r % 64] = runs[r % 64] / total if total > 0.0 else 1.0 if r == 0 else 0.0


def student(d: float, v: float, c: float, wide: float) -> float:
    """Density (but for 1 / sqrt(pi)) of Student's t at `d` from its middle; `wide` = degrees of freedom times squared scale."""
    return c / sqrt(wide) * exp(-0.5 * (v + 1.0) * log(1.0 + d * d / wide))
