"""A number that stands for "no value"."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Missing"]


@dataclass(frozen=True)
class Missing:
    """Missing (9) where the reading is exactly the source's code for no value, such as -9999; NaN is off.

    Give the check once for each code. The code is compared after any factor that the feed applies.
    Not for impossible values in general: see `range`.

    In a pack:

        checks:
          - missing: {code: -9999}

    Source: QARTOD flag 9, missing data (IOOS 2020); HJ 212-2017 stations send 9999.999.

    >>> from detectors.trial import trial
    >>> p, s = trial(Missing, code=-9999.0)
    >>> [Missing.step(p, s, 0.0, x) for x in (26.5, -9999.0)]
    [1.0, 9.0]
    """

    code: float = param(nan, unit="value", reset=False, doc="the number that means no value")

    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        return 9.0 if x == p.code else 1.0
