"""An expression over several indicators of one site."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import known
from detectors.program import INPUT, SIZE, VALUES, constants, evaluate
from detectors.step import param

__all__ = ["Expr"]


@dataclass(frozen=True)
class Expr:
    """The value of an expression over up to 16 inputs of one time and up to 16 constants of the site.

    `code` is made by `program.encode`; input k is place INPUT + k. An input that is not there (NaN) makes the value
    NaN where the expression uses it, and so does a division by zero.

    Not for what needs memory: sum or average first, with another operator.

    In a pack:

        derive:
          load: {expr: "inflow * level / capacity"}

    Source: postfix evaluation with a stack: E. W. Dijkstra 1961, MR 34/61.

    >>> from detectors.program import encode
    >>> from detectors.trial import trial
    >>> ratio = encode(("/", ("name", "pm25"), ("name", "pm10")), {"pm25": INPUT, "pm10": INPUT + 1})
    >>> p, s = trial(Expr, code=ratio, inputs=2)
    >>> Expr.step(p, s, 0.0, 0.0, 30.0), Expr.step(p, s, 0.0, 1.0, 40.0)
    (nan, 0.75)
    """

    code: tuple[float, ...] = param(None, unit="code", size=SIZE, doc="the expression, as a program")
    c0: float = param(0.0, reset=False, doc="a constant of the site")
    c1: float = param(0.0, reset=False, doc="a constant of the site")
    c2: float = param(0.0, reset=False, doc="a constant of the site")
    c3: float = param(0.0, reset=False, doc="a constant of the site")
    c4: float = param(0.0, reset=False, doc="a constant of the site")
    c5: float = param(0.0, reset=False, doc="a constant of the site")
    c6: float = param(0.0, reset=False, doc="a constant of the site")
    c7: float = param(0.0, reset=False, doc="a constant of the site")
    c8: float = param(0.0, reset=False, doc="a constant of the site")
    c9: float = param(0.0, reset=False, doc="a constant of the site")
    c10: float = param(0.0, reset=False, doc="a constant of the site")
    c11: float = param(0.0, reset=False, doc="a constant of the site")
    c12: float = param(0.0, reset=False, doc="a constant of the site")
    c13: float = param(0.0, reset=False, doc="a constant of the site")
    c14: float = param(0.0, reset=False, doc="a constant of the site")
    c15: float = param(0.0, reset=False, doc="a constant of the site")
    inputs: float = param(0.0, integer=True, low=0.0, high=16.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = {"xs": 16}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        s.xs[int(k) % 16] = x
        if k != p.inputs - 1.0:
            return nan
        values = np.zeros(VALUES)
        constants(p, values)
        for i in range(16):
            values[(INPUT + i) % VALUES] = s.xs[i % 16]
        return known(evaluate(p.code, values, np.empty(16)))
