"""A sudden flood of events: far more in this period than just before."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, follow, held
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Burst"]


@dataclass(frozen=True)
class Burst:
    """Standard deviations of a count above its slowly moving level, on the scale on which counts scatter alike: 2 √(x + 3/8).

    For failed sign-ins, alarms, calls or complaints in equal short periods (minutes to an hour). The deviation counts as
    at least that of a Poisson count, so 0, 0, 0, 2 is nothing and 0, 0, 0, 40 is much, whatever the level before. A count beyond
    `bound` deviations teaches as little as one of a single deviation, so a burst does not hide the next; usual limits are 4 to 6.

    Not for a rise that builds up slowly (see `poisson_cusum`) and not with a shape of the day, whose morning is a burst
    every day: see `seasonal`.

    In a pack:

        detectors:
          - {id: burst, indicator: calls, kind: burst, levels: {blue: {above: 6}, yellow: {above: 12}}}

    Source: F. J. Anscombe, The transformation of Poisson, binomial and negative-binomial data, Biometrika 35 (1948) 246-254;
    weights: S. W. Roberts, Technometrics 1 (1959) 239-250.

    >>> from detectors.trial import trial
    >>> p, s = trial(Burst, warm=4)
    >>> [round(Burst.step(p, s, 60.0 * i, x), 2) for i, x in enumerate((3.0, 4.0, 2.0, 3.0, 5.0, 40.0))]
    [0.0, 0.0, 0.0, 0.0, 0.98, 8.86]
    """

    alpha: float = param(0.05, low=1e-4, high=1.0, reset=False, doc="weight of the newest count")
    bound: float = param(3.0, low=1.0, reset=False, doc="deviations beyond which a count teaches little")
    warm: float = param(20.0, unit="count", reset=False, low=2.0, integer=True, doc="counts it needs")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"mean": 1, "var": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        y = 2.0 * sqrt(held(max(x, 0.0), HUGE) + 0.375)
        s.n += 1.0
        if s.n == 1.0:
            s.mean = y
            return 0.0
        d, deviation = y - s.mean, max(sqrt(s.var), 1.0)
        follow(s, d if abs(d) <= p.bound * deviation else held(d, deviation), max(p.alpha, 1.0 / s.n))
        return tame(d / deviation) if s.n > p.warm else 0.0
