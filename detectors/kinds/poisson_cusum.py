"""A lasting rise of a count: the likelihood of a higher rate against the normal one."""
from __future__ import annotations

from dataclasses import dataclass
from math import log, nan
from typing import Any, ClassVar

from detectors.charts import HUGE, held, learn
from detectors.step import param

__all__ = ["PoissonCusum"]


@dataclass(frozen=True)
class PoissonCusum:
    """Sum of the log-likelihood ratios of Poisson counts with `ratio` times the normal mean against those with the normal one.

    For rare events in equal periods (accidents, cases, complaints a day), where single counts say little. The score is in nats,
    never below 0.0; usual limits are 3 to 6: about e^limit periods pass between false alarms, or more. With a `ratio`
    below 1 it looks for a fall. Where `mean` is off, the first `warm` counts teach it, once. It stops growing at `ceiling`.

    Not for counts that scatter more than a Poisson count (households, clusters): see `negbin_cusum`. Not with a
    shape of the week or the year: give `mean` as what is normal there, or see `seasonal`.

    In a pack:

        detectors:
          - {id: more, indicator: cases, kind: poisson_cusum, ratio: 2, mean: usual_cases, levels: {blue: {above: 4}}}

    Source: J. M. Lucas, Technometrics 27 (1985) 129-144; its form as a likelihood ratio: M. Höhle and M. Paul, Computational
    Statistics and Data Analysis 52 (2008) 4357-4368.

    >>> from detectors.trial import trial
    >>> p, s = trial(PoissonCusum, mean=2.0, ratio=2.0)
    >>> [round(PoissonCusum.step(p, s, 0.0, x), 3) for x in (2.0, 3.0, 5.0, 6.0, 1.0)]
    [0.0, 0.079, 1.545, 3.704, 2.397]
    """

    ratio: float = param(2.0, reset=False, low=0.01, high=100.0, doc="the rise (below 1: the fall) of the mean to be found")
    mean: float = param(nan, unit="value", low=0.0, doc="the normal mean; off: that of the first `warm` counts")
    floor: float = param(0.1, unit="value", reset=False, low=1e-6, doc="smallest mean that counts")
    ceiling: float = param(50.0, reset=False, low=0.0, doc="the sum grows no further")
    warm: float = param(30.0, unit="count", low=2.0, integer=True, doc="counts it learns from, where it must")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"total": 1, "mean": 1, "m2": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(max(x, 0.0), HUGE)
        if p.mean == p.mean:
            s.n = max(s.n, p.warm)                  # nothing to learn
        elif s.n < p.warm:
            learn(s, x)
            return 0.0
        m = max(p.mean if p.mean == p.mean else s.mean, p.floor)
        s.total = min(max(s.total + x * log(p.ratio) - m * (p.ratio - 1.0), 0.0), p.ceiling)
        return float(s.total)
