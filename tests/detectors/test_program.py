from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.program import DEPTH, OPS, VALUES, X, encode, evaluate

leaves = st.one_of(st.tuples(st.just("num"), st.floats(-1e3, 1e3)), st.tuples(st.just("name"), st.sampled_from("xy")))
trees = st.recursive(leaves, lambda node: st.one_of(
    st.tuples(st.sampled_from(["+", "-", "*", "/", "<", "<=", ">", ">="]), node, node),
    st.tuples(st.sampled_from(["neg", "abs", "sqrt", "exp", "log"]), node),
    st.tuples(st.sampled_from(["min", "max"]), node, node, node),
    st.tuples(st.just("if"), node, node, node)), max_leaves=20)


def value(ast: Any, **values: float) -> float:
    row = np.zeros(VALUES)
    row[X], row[X + 1] = values.get("x", 0.0), values.get("y", 0.0)
    return evaluate(encode(ast, {"x": X, "y": X + 1}), row, np.zeros(DEPTH))


def meant(ast: Any, x: float, y: float) -> float:
    """What an expression means, by plain recursion; NaN where undefined."""
    head, *rest = ast
    if head in ("num", "name"):
        return rest[0] if head == "num" else {"x": x, "y": y}[rest[0]]
    args = [meant(a, x, y) for a in rest]
    if head == "if":
        return math.nan if math.isnan(args[0]) else args[1] if args[0] else args[2]
    if any(map(math.isnan, args)):
        return math.nan
    a, b = args[0], args[-1]
    try:
        return float({"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b, "<": lambda: a < b,
                      "<=": lambda: a <= b, ">": lambda: a > b, ">=": lambda: a >= b, "neg": lambda: -a, "abs": lambda: abs(a),
                      "sqrt": lambda: math.sqrt(a), "exp": lambda: math.exp(a) if a < 709.0 else math.inf,
                      "log": lambda: math.log(a), "min": lambda: min(args), "max": lambda: max(args)}[head]())
    except (ZeroDivisionError, ValueError):
        return math.nan


@settings(max_examples=300, deadline=None)
@given(trees, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_means_what_it_says(ast: Any, x: float, y: float) -> None:
    """A program gives what plain recursion over its tree gives."""
    try:
        got = value(ast, x=x, y=y)
    except ValueError as error:
        assert "too long" in str(error) or "too deeply" in str(error)
        return
    assert np.array_equal(got, meant(ast, x, y), equal_nan=True)


def chain(op: str, n: int, left: bool) -> Any:
    ast: Any = ("num", 1.0)
    for _ in range(n):
        ast = (op, ast, ("name", "x")) if left else (op, ("name", "x"), ast)
    return ast


@pytest.mark.parametrize(("ast", "message"), [
    (("name", "z"), "unknown name 'z': one of x, y"),
    (("tan", ("name", "x")), "unknown function 'tan': one of abs, exp, if, log, max, min, sqrt"),
    (("sqrt", ("name", "x"), ("name", "x")), "sqrt takes 1 argument, not 2"),
    (("/", ("name", "x")), "/ takes 2 arguments, not 1"),
    (("if", ("name", "x")), "if takes 3 arguments, not 1"),
    (("min",), "min takes at least 1 argument, not 0"),
    (("num", math.inf), "inf is not a number to calculate with"),
    (chain("+", 40, True), "the expression is too long: 81 operations, at most 64"),
    (chain("-", 16, False), "the expression is nested too deeply: 17 waiting numbers, at most 16"),
])
def test_refused(ast: Any, message: str) -> None:
    """What cannot be a program is refused with the reason."""
    with pytest.raises(ValueError) as error:
        encode(ast, {"x": X, "y": X + 1})
    assert str(error.value) == message


def test_as_large_as_allowed() -> None:
    """The largest programs run: 63 operations in a chain, 16 numbers waiting, min and max over many arguments."""
    assert value(chain("+", OPS // 2 - 1, True), x=2.0) == 63.0
    assert value(chain("+", DEPTH - 1, False), x=1.0) == 16.0
    assert value(("max", *[("num", float(i)) for i in range(30)])) == 29.0


def test_unary_minus() -> None:
    """A minus with one argument negates."""
    assert value(("-", ("name", "x")), x=3.0) == -3.0
