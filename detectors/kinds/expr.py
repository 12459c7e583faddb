"""An expression written in the pack, as the score."""
from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, ClassVar

import numpy as np

from detectors.program import SIZE, VALUES, T, X, constants, evaluate
from detectors.step import param

__all__ = ["Expr"]


@dataclass(frozen=True)
class Expr:
    """The value of an expression over the reading `x`, its time `t` (seconds UTC) and up to 16 constants of the site.

    So a new idea needs no Python. `code` is made by `program.encode`. Where the expression is undefined (a division by
    zero) the score before stands; before the first defined one it is 0.0 and `n` is 0. A constant that is NaN makes
    the score NaN, which quarantines the detector at that site instead of showing it as normal.

    Not for what needs memory (means, slopes, windows): use another kind, or a derived indicator.

    In a pack:

        detectors:
          - {id: tenths, indicator: level, kind: expr, expr: "x * 10 / 30", levels: {yellow: {above: 9.5}}}

    Source: postfix evaluation with a stack: E. W. Dijkstra 1961, MR 34/61.

    >>> from detectors.program import encode
    >>> from detectors.trial import trial
    >>> p, s = trial(Expr, code=encode(("/", ("name", "x"), ("name", "design")), {"x": X, "design": 0}), c0=4.0)
    >>> Expr.step(p, s, 0.0, 3.0)
    0.75
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
    warm: float = param(1.0, unit="count", reset=False, low=0.0, integer=True, doc="defined scores it needs")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"score": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        values = np.zeros(VALUES)
        constants(p, values)
        for i in range(16):
            if values[i % VALUES] != values[i % VALUES]:
                return nan
        values[X] = x
        values[T] = t
        y = evaluate(p.code, values, np.empty(16))
        if isfinite(y):
            s.score = y
            s.n += 1.0
        return float(s.score)
