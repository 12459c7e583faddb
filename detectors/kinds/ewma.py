"""How unusual against the recent past: standard deviations from a slowly moving mean."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from detectors.numbers import tame
from detectors.step import param

__all__ = ["Ewma"]


@dataclass(frozen=True)
class Ewma:
    """Standard deviations of a reading from an exponentially weighted mean of those before it.

    While young it is the plain mean and deviation of all readings, or with `young: 0` Roberts' own mean, which begins at the
    first reading. A value that has never moved has no deviation: then
    the score stays 0.0 unless `floor` says how small a deviation counts (for instance the sensor's resolution).

    Not for values with a daily or weekly shape, nor for slow drift, which the mean follows: see `trend`.

    In a pack:

        detectors:
          - {id: odd, indicator: calls, kind: ewma, alpha: 0.1, levels: {yellow: {above: 4, below: -4}}}

    Source: S. W. Roberts, Technometrics 1 (1959) 239-250.

    >>> from detectors.trial import trial
    >>> p, s = trial(Ewma, warm=4)
    >>> [round(Ewma.step(p, s, 0.0, x), 3) for x in (9.0, 11.0, 9.0, 11.0, 14.0)]
    [0.0, 0.0, 0.0, 1.414, 4.0]
    """

    alpha: float = param(0.02, low=0.0, high=1.0, doc="weight of the newest reading")
    warm: float = param(20.0, unit="count", reset=False, low=2.0, integer=True, doc="readings before it has an opinion")
    young: float = param(1.0, reset=False, low=0.0, high=1.0, doc="1: at first all weigh alike; 0: `alpha` from the first on")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest standard deviation that counts")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"mean": 1, "var": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = min(max(x, -1e150), 1e150)      # so that its square is finite and one absurd value is forgotten again
        s.n += 1.0
        if s.n == 1.0:
            s.mean = x
            return 0.0
        d = x - s.mean
        deviation = max(sqrt(s.var), p.floor)
        z = tame(d / deviation) if s.n >= p.warm and deviation > 0.0 else 0.0
        a = max(p.alpha, p.young / s.n)
        s.mean += a * d
        s.var = (1.0 - a) * (s.var + a * d * d)
        return z
