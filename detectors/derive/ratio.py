"""One indicator over another."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Ratio"]


@dataclass(frozen=True)
class Ratio:
    """times * first / second, at one time; NaN where either is missing, or where the second is `floor` or less, either sign.

    Without a floor the ratio of two small noises is a large number: give the least denominator that means something.
    It is a plain number in the unit of the second input. Not for shares of a total: `share` adds the total up itself.

    In a pack:

        derive:
          fine_part: {ratio: [pm25, pm10], floor: 20}

    Source: plain arithmetic; PM2.5 to PM10 as an example: WHO air quality guidelines, global update 2005.

    >>> from detectors.trial import trial
    >>> p, s = trial(Ratio, floor=20.0, inputs=2)
    >>> [Ratio.step(p, s, 0.0, k, x) for pair in ((30.0, 40.0), (3.0, 4.0)) for k, x in enumerate(pair)]
    [nan, 0.75, nan, nan]
    """

    floor: float = param(0.0, reset=False, low=0.0, doc="a denominator as small as this says nothing")
    times: float = param(1.0, reset=False, doc="100 makes per cent")
    inputs: float = param(2.0, integer=True, low=2.0, high=2.0, doc="filled in by the plan")

    result_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"top": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.top = x
            return nan
        return known(p.times * (s.top / x)) if abs(x) > p.floor else nan
