"""A lasting change of the mean against the mean so far."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.charts import HUGE, held
from detectors.step import param

__all__ = ["PageHinkley"]


@dataclass(frozen=True)
class PageHinkley:
    """How far the cumulative deviation from the running mean has come from its turning point: positive up, negative down.

    In the indicator's own unit, summed over readings: a lasting rise by `d` adds nearly d - tolerance with each reading. It
    needs no normal value, for the mean is that of all readings so far, or with `alpha` a slowly forgetting one,
    so that a new level becomes normal in time.

    Not for a known target, which it drifts away from: see `cusum`. Not for values with a daily shape: see `seasonal`.

    In a pack:

        detectors:
          - {id: moved, indicator: level, kind: page_hinkley, tolerance: 5 cm, levels: {blue: {above: 2 m, below: -2 m}}}

    Source: D. V. Hinkley, Biometrika 58 (1971) 509-523; E. S. Page 1954.

    >>> from detectors.trial import trial
    >>> p, s = trial(PageHinkley, tolerance=0.5, warm=2, alpha=0.0)
    >>> [round(PageHinkley.step(p, s, 0.0, x), 3) for x in (10.0, 10.0, 13.0, 13.0, 4.0)]
    [0.0, 0.0, 1.5, 2.5, -5.5]
    """

    tolerance: float = param(None, unit="value", reset=False, low=0.0, doc="deviation let pass: half of the change sought")
    alpha: float = param(0.001, reset=False, low=0.0, high=1.0, doc="weight of the newest reading; 0: plain mean, as published")
    ceiling: float = param(nan, unit="value", reset=False, low=0.0, doc="the sums grow no further; off = 200 times `tolerance`")
    warm: float = param(30.0, unit="count", reset=False, low=2.0, integer=True, doc="readings before it sums")

    score_unit: ClassVar[str] = "value"
    slots: ClassVar[dict[str, int]] = {"up": 1, "down": 1, "mean": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        s.n += 1.0
        s.mean += max(p.alpha, 1.0 / s.n) * (x - s.mean)
        if s.n < p.warm:
            return 0.0
        most = p.ceiling if p.ceiling == p.ceiling else 200.0 * p.tolerance
        d = x - s.mean
        s.up = min(max(s.up + d - p.tolerance, 0.0), most)
        s.down = min(max(s.down - d - p.tolerance, 0.0), most)
        return float(s.up if s.up >= s.down else -s.down)
