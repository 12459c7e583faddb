"""A part of a whole, in per cent."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Share"]


@dataclass(frozen=True)
class Share:
    """100 * first / sum of all inputs, at one time; NaN where one is missing, or the sum is `floor` or less.

    The first input is itself part of the whole. Not for parts that may be negative (profits), and not where the whole is
    an indicator of its own: `ratio`.

    In a pack:

        derive:
          coal_share: {share: [coal, gas, hydro], floor: 10}

    Source: 构成 (composition), National Bureau of Statistics of China, notes on main indicators.

    >>> from detectors.trial import trial
    >>> p, s = trial(Share, inputs=3)
    >>> [Share.step(p, s, 0.0, float(k), x) for k, x in enumerate((30.0, 50.0, 40.0))]
    [nan, nan, 25.0]
    """

    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="a whole as small as this says nothing")
    inputs: float = param(2.0, integer=True, low=2.0, high=16.0, doc="filled in by the plan")

    result_unit: ClassVar[str] = "%"
    slots: ClassVar[dict[str, int]] = {"part": 1, "whole": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.part, s.whole = x, 0.0
        s.whole += x
        return known(100.0 * (s.part / s.whole)) if k == p.inputs - 1.0 and s.whole > p.floor else nan
