"""How many of many are rising."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Diffusion"]


@dataclass(frozen=True)
class Diffusion:
    """The share of inputs that rise, plus half of those that stand still, in per cent: above 50 more rise than fall.

    The inputs are changes already (`mom`, `yoy`, or published growth): above `same` is a rise, below -`same` a fall.
    Missing inputs are left out of the share; `coverage` of the indicator says how many must be there.

    Not for levels, which are nearly all above 0: take their change first.

    In a pack:

        derive:
          breadth: {diffusion: [output_yoy, retail_yoy, trade_yoy], same: 0.05, coverage: 0.6}

    Source: The Conference Board, Business Cycle Indicators Handbook, 2001 (changes below 0.05 % count as none);
    扩散指数, National Bureau of Statistics of China, PMI notes.

    >>> from detectors.trial import trial
    >>> p, s = trial(Diffusion, same=0.05, inputs=4)
    >>> [Diffusion.step(p, s, 0.0, float(k), x) for k, x in enumerate((2.0, -1.0, 0.04, 3.0))][-1]
    62.5
    """

    same: float = param(0.0, reset=False, low=0.0, doc="a change no larger than this is none")
    inputs: float = param(2.0, integer=True, low=2.0, high=16.0, doc="filled in by the plan")

    result_unit: ClassVar[str] = "%"
    slots: ClassVar[dict[str, int]] = {"halves": 1, "known": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.halves, s.known = 0.0, 0.0
        if x == x:
            s.halves += 2.0 if x > p.same else 0.0 if x < -p.same else 1.0
            s.known += 1.0
        return float(50.0 * s.halves / s.known) if k == p.inputs - 1.0 and s.known > 0.0 else nan
