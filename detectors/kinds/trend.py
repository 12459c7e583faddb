"""How fast it rises or falls: a robust slope."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import push, theil_sen
from detectors.step import param

__all__ = ["Trend"]


@dataclass(frozen=True)
class Trend:
    """The median slope between all pairs of up to 16 points within `over`, per second: one bad reading moves it little.

    More readings than that are thinned evenly, so the slope always spans `over`. `n` counts the points in use; with
    fewer than `warm`, as after a gap, the score is 0.0 and stands for nothing.

    Not for a single sudden step, which it sees only when half of its points lie behind it: see `rate`.

    In a pack:

        detectors:
          - {id: rising, indicator: level, kind: trend, over: 1h, levels: {yellow: {above: 0.2 m/h, hold: 5min}}}

    Source: H. Theil 1950; P. K. Sen, J. Amer. Statist. Assoc. 63 (1968) 1379-1389.

    >>> from detectors.trial import trial
    >>> p, s = trial(Trend, over=3600.0, warm=4)
    >>> [round(Trend.step(p, s, 300.0 * i, x), 6) for i, x in enumerate([1.0, 1.3, 1.6, 9.9, 2.2])]
    [0.0, 0.0, 0.0, 0.005444, 0.001]
    """

    over: float = param(None, unit="time", low=0.0, doc="how far back the slope looks")
    warm: float = param(5.0, unit="count", reset=False, low=2.0, high=16.0, integer=True, doc="points it needs")

    score_unit: ClassVar[str] = "value/time"
    slots: ClassVar[dict[str, int]] = {"ts": 16, "xs": 16, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        s.n = push(s.ts, s.xs, s.n, t, x, p.over)
        if s.n < p.warm:
            return 0.0
        return theil_sen(s.ts, s.xs, int(s.n), np.empty(120))
