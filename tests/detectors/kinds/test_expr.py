from __future__ import annotations

from math import isnan, nan

from detectors.kinds.expr import Expr
from detectors.program import T, X, encode
from detectors.trial import trial


def test_reading_time_and_constants() -> None:
    """`x`, `t` and the constants of the site are what the names stand for."""
    code = encode(("+", ("*", ("name", "x"), ("name", "k")), ("name", "t")), {"x": X, "t": T, "k": 3})
    p, s = trial(Expr, code=code, c3=10.0)
    assert Expr.step(p, s, 7.0, 2.0) == 27.0


def test_undefined_holds_the_score_before() -> None:
    """A division by zero repeats the score before; before any defined score it says 0.0 and is still warming."""
    p, s = trial(Expr, code=encode(("/", ("num", 6.0), ("name", "x")), {"x": X}))
    assert (Expr.step(p, s, 0.0, 0.0), s.n) == (0.0, 0.0)
    assert (Expr.step(p, s, 0.0, 2.0), s.n) == (3.0, 1.0)
    assert (Expr.step(p, s, 0.0, 0.0), s.n) == (3.0, 1.0)


def test_a_constant_that_is_not_there_is_never_normal() -> None:
    """A NaN constant makes the score NaN, which the loop quarantines."""
    p, s = trial(Expr, code=encode(("name", "x"), {"x": X}), c9=nan)
    assert isnan(Expr.step(p, s, 0.0, 1.0))
