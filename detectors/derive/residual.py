"""What is left of a reading when what explains it is taken away: a gauge given its upstream, seepage given the water level."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Residual"]


@dataclass(frozen=True)
class Residual:
    """The first input less what the others let expect: base + slope times each, as `wanglou fit` found them in history.

    With `scaled: 1` in standard deviations of the fit, so that `above: 3` means the same everywhere; else in the first input's
    unit. Put travel times into `lagged` inputs. Until it is fitted it says nothing: the series has never been heard.

    Not for a relation that changes with time (a river bed after a flood): fit again, or see `ewma`. What lies beyond what
    history has seen is the straight line's guess.

    In a pack:

        derive:
          unexplained: {residual: [outflow, inflow], scaled: 1}

    Source: residual of a regression on causes, hydrostatic-season-time models of dams, ICOLD Bulletin 158 (2018); robust
    weights: P. J. Huber, Annals of Mathematical Statistics 35 (1964) 73-101.

    >>> from detectors.trial import trial
    >>> p, s = trial(Residual, inputs=2)
    >>> s.base, s.spread, s.fits = 2.0, 0.5, 100.0
    >>> s.slopes[1] = 3.0
    >>> [Residual.step(p, s, 0.0, float(k), x) for k, x in enumerate((12.0, 3.0))]
    [nan, 1.0]
    """

    scaled: float = param(0.0, reset=False, low=0.0, high=1.0, integer=True, doc="1: in standard deviations of the fit")
    inputs: float = param(2.0, low=2.0, high=6.0, integer=True, doc="filled in by the plan")

    fitted: ClassVar[str] = "must"
    slots: ClassVar[dict[str, int]] = {"left": 1, "slopes": 6, "base": 1, "spread": 1, "fits": 1}

    @staticmethod
    def example(p: Any, s: Any, t: float) -> None:
        """A state as if it had been fitted: the first input is the sum of the others."""
        for i in range(6):
            s.slopes[i % 6] = 1.0
        s.spread, s.fits = 1.0, 100.0

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.left = x - s.base
        else:
            s.left -= s.slopes[int(k) % 6] * x
        if k < p.inputs - 1.0 or s.fits == 0.0:
            return nan
        return known(s.left / s.spread) if p.scaled == 1.0 else known(s.left)
