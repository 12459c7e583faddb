from __future__ import annotations

from math import isnan, nan

from detectors.derive.expr import Expr
from detectors.program import INPUT, encode
from detectors.trial import trial


def test_waits_for_the_last_input() -> None:
    """Nothing until input `inputs` - 1, then the expression; constants of the site by name."""
    names = {"a": INPUT, "b": INPUT + 1, "c": INPUT + 2, "weight": 15}
    code = encode(("-", ("*", ("name", "a"), ("name", "weight")), ("max", ("name", "b"), ("name", "c"))), names)
    p, s = trial(Expr, code=code, inputs=3, c15=2.0)
    said = [Expr.step(p, s, 0.0, float(k), x) for k, x in enumerate((10.0, 3.0, 4.0))]
    assert isnan(said[0]) and isnan(said[1]) and said[2] == 16.0


def test_a_missing_input_counts_where_it_is_used() -> None:
    """An input that is not there makes the value NaN, also inside min and a comparison; unused, it does not matter."""
    names = {"a": INPUT, "b": INPUT + 1}
    for ast, known in ((("min", ("name", "a"), ("name", "b")), False), ((">", ("name", "b"), ("num", 0.0)), False),
                       (("name", "a"), True)):
        p, s = trial(Expr, code=encode(ast, names), inputs=2)
        Expr.step(p, s, 0.0, 0.0, 5.0)
        assert isnan(Expr.step(p, s, 0.0, 1.0, nan)) is not known
