"""A weighted mean of several inputs: an index of scores, a composite of changes."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["Weighted"]


@dataclass(frozen=True)
class Weighted:
    """`times` the mean of the inputs, each by its weight; inputs that are missing are left out, and their weights with them.

    For an index of scores, and for the symmetric changes of a composite index, whose weights are their standardisation
    factors. `coverage` of the indicator says how many must be there, else there is no index at that time.

    Not for levels of different units, which must be scored or made changes of first; where all inputs must be there: `expr`.

    In a pack:

        derive:
          mood: {weighted: [output_yoy, retail_yoy, trade_yoy], weights: [2, 1, 1], coverage: 0.6}

    Source: weighted arithmetic mean with available items, OECD/JRC 2008, Handbook on Constructing Composite Indicators,
    section 6; weights of changes: The Conference Board, Business Cycle Indicators Handbook, 2001.

    >>> from detectors.trial import trial
    >>> p, s = trial(Weighted, inputs=3, weights=(2.0, 1.0, 1.0) + (0.0,) * 13, times=20.0)
    >>> [Weighted.step(p, s, 0.0, float(k), x) for k, x in enumerate((3.0, float("nan"), 4.5))][-1]
    70.0
    """

    weights: tuple[float, ...] = param((1.0,) * 16, size=16, least=2, low=0.0, reset=False, doc="of each input; else all alike")
    times: float = param(1.0, reset=False, doc="factor of the mean: 20 makes 1 to 5 points 20 to 100")
    inputs: float = param(2.0, low=2.0, high=16.0, integer=True, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"total": 1, "weight": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.total, s.weight = 0.0, 0.0
        w = p.weights[int(k) % 16]
        if x == x and w > 0.0:
            s.total += w * x
            s.weight += w
        return known(p.times * s.total / s.weight) if k == p.inputs - 1.0 and s.weight > 0.0 else nan
