"""China's class of surface water."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["WaterClass"]

# GB 3838-2002 table 1, classes I to V, mg/L: oxygen at least, all others at most.
OXYGEN = (7.5, 6.0, 5.0, 3.0, 2.0)
PERMANGANATE = (2.0, 4.0, 6.0, 10.0, 15.0)
AMMONIA = (0.15, 0.5, 1.0, 1.5, 2.0)
PHOSPHORUS = (0.02, 0.1, 0.2, 0.3, 0.4)
PHOSPHORUS_LAKE = (0.01, 0.025, 0.05, 0.1, 0.2)
NITROGEN = (0.2, 0.5, 1.0, 1.5, 2.0)            # lakes and reservoirs only


@dataclass(frozen=True)
class WaterClass:
    """The worst single-factor class, 1 to 5, or 6 for worse than V (劣Ⅴ): oxygen, CODMn, NH3-N, TP [, pH [, TN]], in this order.

    Units are those of the standard: mg/L, pH plain. `lake` (0 or 1, also a column of sites.csv) takes the phosphorus
    limits of lakes and reservoirs and counts nitrogen, which the standard limits only there. pH outside 6 to 9 meets no
    class: 6. An input that is not there is left out, so a class can be too good then: `coverage` of the indicator says
    how many must be there. Values are compared as they come, not rounded first.

    Not for the official class of a month, which takes 21 factors and means, and not for drinking water (GB 5749). Oxygen
    of class I by saturation (90 %) needs the temperature and is not considered: warm clean water is II here.

    In a pack:

        derive:
          water: {water_class: [oxygen, codmn, nh3n, tp]}

    Source: GB 3838-2002, table 1; single-factor evaluation: 地表水环境质量评价办法(试行), 环办〔2011〕22号.

    >>> from detectors.trial import trial
    >>> p, s = trial(WaterClass, inputs=4)
    >>> [WaterClass.step(p, s, 0.0, float(k), x) for k, x in enumerate((6.5, 3.0, 0.3, 0.25))]
    [nan, nan, nan, 4.0]
    """

    lake: float = param(0.0, reset=False, low=0.0, high=1.0, integer=True, doc="1 = a lake or reservoir, 0 = a river")
    inputs: float = param(4.0, integer=True, low=4.0, high=6.0, doc="filled in by the plan")

    result_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"worst": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.worst = 0.0
        if x == x:
            s.worst = max(s.worst, class_of(k, x, p.lake == 1.0))
        return float(s.worst) if k == p.inputs - 1.0 and s.worst > 0.0 else nan


def class_of(k: float, x: float, lake: bool) -> float:
    """The class of one factor (in the order of the class); 0.0 where it has no limit."""
    if k == 0.0:
        return within(-x, OXYGEN, -1.0)
    if k == 1.0:
        return within(x, PERMANGANATE, 1.0)
    if k == 2.0:
        return within(x, AMMONIA, 1.0)
    if k == 3.0:
        return within(x, PHOSPHORUS_LAKE if lake else PHOSPHORUS, 1.0)
    if k == 4.0:
        return 1.0 if 6.0 <= x <= 9.0 else 6.0
    return within(x, NITROGEN, 1.0) if lake else 0.0


def within(x: float, limits: tuple[float, ...], sign: float) -> float:
    """The first class whose limit is kept, 6.0 if none; a hair is allowed, for 100 µg/L may come as 0.1 + 1e-17 mg/L."""
    for j in range(5):
        limit = sign * limits[j % 5]
        if x <= limit + 1e-9 * abs(limit):
            return j + 1.0
    return 6.0
