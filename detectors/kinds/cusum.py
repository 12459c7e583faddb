"""Small lasting shifts, both ways: the tabular cumulative sum."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, STEEP, anscombe, held, learn, rossi, variance
from detectors.step import param

__all__ = ["Cusum"]


@dataclass(frozen=True)
class Cusum:
    """Sum of the deviations from a target beyond a slack, in standard deviations: positive upward, negative downward.

    It sees a lasting shift of one standard deviation within about ten readings, where single readings look normal.
    Usual limits are 4 or 5; for counts 2.26 with `slack: 1.04`. Where `target` or `deviation` is off, the
    first `warm` readings are taken for normal and teach it, once: let them span what is usual. The sum stops growing
    at `ceiling`, so an alarm ends at most ceiling / slack readings after its cause; a limit beyond it is never reached.

    Not for values with a daily shape or a moving mean: their every turn is a shift. See `seasonal`, `page_hinkley`.

    In a pack:

        detectors:
          - {id: shift, indicator: level, kind: cusum, target: usual, deviation: 8 cm, levels: {yellow: {above: 5, below: -5}}}

    Source: E. S. Page, Biometrika 41 (1954) 100-115; D. C. Montgomery, Introduction to Statistical Quality Control,
    section 9.1. Counts: G. Rossi, L. Lampugnani, M. Marchi, Statistics in Medicine 18 (1999) 2111-2122.

    >>> from detectors.trial import trial
    >>> p, s = trial(Cusum, target=10.0, deviation=1.0)
    >>> [round(Cusum.step(p, s, 0.0, x), 3) for x in (10.4, 11.0, 11.2, 11.3, 8.0, 8.2)]
    [0.0, 0.5, 1.2, 2.0, -1.5, -2.8]
    """

    slack: float = param(0.5, reset=False, low=0.0, doc="deviation that is let pass: half of the shift to be found")
    target: float = param(nan, unit="value", doc="the normal value; off: the mean of the first `warm` readings")
    deviation: float = param(nan, unit="value", low=0.0, doc="its standard deviation; off: that of the first `warm` readings")
    counts: float = param(0.0, low=0.0, high=2.0, integer=True, doc="1: counts, by Rossi's transform; 2: counts, by Anscombe's")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest learned deviation (counts: target) that counts")
    ceiling: float = param(50.0, reset=False, low=0.0, doc="the sum grows no further")
    warm: float = param(30.0, unit="count", low=2.0, integer=True, doc="readings it learns from, where it must")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"high": 1, "low": 1, "mean": 1, "m2": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        if p.target == p.target and (p.counts > 0.0 or p.deviation == p.deviation):
            s.n = max(s.n, p.warm)                  # nothing to learn
        elif s.n < p.warm:
            learn(s, x)
            return 0.0
        target = p.target if p.target == p.target else s.mean
        if p.counts > 0.0:
            m = max(target, p.floor)
            z = rossi(x, m) if p.counts == 1.0 else anscombe(x, m)
        else:
            deviation = p.deviation if p.deviation == p.deviation else max(sqrt(variance(s)), p.floor)
            z = (x - target) / deviation if deviation > 0.0 else 0.0
        z = held(z, STEEP)
        s.high = min(max(s.high + z - p.slack, 0.0), p.ceiling)
        s.low = min(max(s.low - z - p.slack, 0.0), p.ceiling)
        return float(s.high if s.high >= s.low else -s.low)
