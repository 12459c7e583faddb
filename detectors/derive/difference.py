"""One indicator less others."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Difference"]


@dataclass(frozen=True)
class Difference:
    """The first input less all others, at one time (inflow less outflow less evaporation); NaN where one is missing.

    Not for inputs of different units (an `expr` may weigh them), and not for the change of one indicator over time:
    that is the kind `rise`.

    In a pack:

        derive:
          balance: {difference: [inflow, outflow]}

    Source: the water balance: WMO-No. 168, Guide to Hydrological Practices, volume I, 2008.

    >>> from detectors.trial import trial
    >>> p, s = trial(Difference, inputs=3)
    >>> [Difference.step(p, s, 0.0, float(k), x) for k, x in enumerate((9.0, 4.0, 2.0))]
    [nan, nan, 3.0]
    """

    inputs: float = param(2.0, integer=True, low=2.0, high=16.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"rest": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        s.rest = x if k == 0.0 else s.rest - x
        return known(s.rest) if k == p.inputs - 1.0 else nan
