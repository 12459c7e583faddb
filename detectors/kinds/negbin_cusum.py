"""A lasting rise of a count that scatters more than chance alone: the same as `poisson_cusum` for negative binomial counts."""
from __future__ import annotations

from dataclasses import dataclass
from math import log, nan
from typing import Any, ClassVar

from detectors.charts import HUGE, held, learn, variance
from detectors.step import param

__all__ = ["NegbinCusum"]


@dataclass(frozen=True)
class NegbinCusum:
    """Sum of the log-likelihood ratios of negative binomial counts with `ratio` times the normal mean against the normal one.

    For counts that come in clusters: variance = mean + dispersion * mean * mean. The score is in nats and never below 0.0;
    usual limits are 3 to 6. Where `mean` or `dispersion` is off, the first `warm` counts teach it, once, by moments; a
    dispersion of 0 is the Poisson chart. With a `ratio` below 1 it looks for a fall. It stops growing at `ceiling`.

    Not for a shape of the week or the year: give `mean` as what is normal there, or see `seasonal`. Thirty
    counts teach a dispersion only roughly: give it, or a longer `warm`, where years are known.

    In a pack:

        detectors:
          - {id: more, indicator: cases, kind: negbin_cusum, dispersion: 0.3, warm: 60, levels: {blue: {above: 4}}}

    Source: M. Höhle and M. Paul, Computational Statistics and Data Analysis 52 (2008) 4357-4368, section 3.

    >>> from detectors.trial import trial
    >>> p, s = trial(NegbinCusum, mean=2.0, dispersion=0.5)
    >>> [round(NegbinCusum.step(p, s, 0.0, x), 3) for x in (2.0, 3.0, 5.0, 6.0, 1.0)]
    [0.0, 0.052, 0.68, 1.595, 1.072]
    """

    ratio: float = param(2.0, reset=False, low=0.01, high=100.0, doc="the rise (below 1: the fall) of the mean to be found")
    mean: float = param(nan, unit="value", low=0.0, doc="the normal mean; off: that of the first `warm` counts")
    dispersion: float = param(nan, low=0.0, high=1e3, doc="(variance - mean) / mean^2; off: that of the first `warm` counts")
    floor: float = param(0.1, unit="value", reset=False, low=1e-6, doc="smallest mean that counts")
    ceiling: float = param(50.0, reset=False, low=0.0, doc="the sum grows no further")
    warm: float = param(30.0, unit="count", low=2.0, integer=True, doc="counts it learns from, where it must")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"total": 1, "mean": 1, "m2": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(max(x, 0.0), HUGE)
        if p.mean == p.mean and p.dispersion == p.dispersion:
            s.n = max(s.n, p.warm)                  # nothing to learn
        elif s.n < p.warm:
            learn(s, x)
            return 0.0
        m = min(max(p.mean if p.mean == p.mean else s.mean, p.floor), HUGE)
        a = p.dispersion if p.dispersion == p.dispersion else spread(s, m)
        s.total = min(max(s.total + surprise(x, m, p.ratio, a), 0.0), p.ceiling)
        return float(s.total)


def spread(s: Any, m: float) -> float:
    """The dispersion of what was learned, by moments: what the variance exceeds a Poisson count's by."""
    return min(max(variance(s) - m, 0.0) / (m * m), 1e3)


def surprise(x: float, m: float, ratio: float, a: float) -> float:
    """Log-likelihood ratio of a count under mean `ratio * m` against `m`, dispersion `a`."""
    if a < 1e-9:                                    # the Poisson limit, before 1 / a loses its digits
        return x * log(ratio) - m * (ratio - 1.0)
    return x * log(ratio) - (x + 1.0 / a) * log((1.0 + a * m * ratio) / (1.0 + a * m))
