"""Expressions over the columns of sites.csv: plain arithmetic with places, and nothing else."""
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.packs.expressions import ExpressionError, arithmetic, evaluate, parse

COLUMNS = {"warning": 28.0, "guarantee": 30.0, "record": float("nan"), "警戒": 28.5, "min_flow": 4.0, "zero": 0.0}


@pytest.mark.parametrize(("text", "value"), [
    ("5", 5.0), ("-5", -5.0), ("1e3", 1000.0), (".5", 0.5), ("warning", 28.0), ("warning - 1.0", 27.0), ("warning-1", 27.0),
    ("2 + 3 * 4", 14.0), ("(2 + 3) * 4", 20.0), ("8 / 4 / 2", 1.0), ("8 - 4 - 2", 2.0), ("--2", 2.0), ("+2 - -2", 4.0),
    ("2 * -3", -6.0),
    ("min(warning, guarantee)", 28.0), ("max(1, 2, 3) - min(4)", -1.0), ("警戒 + 0.5", 29.0), ("min_flow * 2", 8.0),
    ("max(warning, (guarantee + 1) * 2)", 62.0),
])
def test_values(text, value):
    """Numbers, columns, the four operations with their usual order, brackets, min and max."""
    assert evaluate(arithmetic(parse(text)), COLUMNS) == value


@pytest.mark.parametrize("text", [
    "record", "record * 0", "max(warning, record)", "1 / zero", "warning / (zero * 2)", "absent", "1e308 * 10",
])
def test_what_is_off(text):
    """An empty cell, a division by zero and an overflow give NaN: the level is off there."""
    assert isnan(evaluate(arithmetic(parse(text)), COLUMNS))


@pytest.mark.parametrize(("text", "column", "why"), [
    ("", 1, "the end"), ("a +", 4, "the end"), ("a ** 2", 4, r"'\*'"), ("a b", 3, "'b'"), ("(a", 3, "the end"),
    ("a)", 2, r"'\)'"),
    ("a.b", 2, "'.b'"), ("abs(a)", 1, "abs is not allowed"), ("1 + sqrt(2)", 5, "sqrt is not allowed"),
    ("a > 1", 1, "> is not allowed"),
    ("__import__('os')", 12, "unexpected"), ("min()", 1, "of nothing"), ("a; b", 2, "';"),
    ("a if b else c", 3, "'if'"), ("x" * 501, 1, "longer than"),
])
def test_what_is_no_arithmetic(text, column, why):
    """Everything else is refused at its column."""
    with pytest.raises(ExpressionError, match=why) as raised:
        arithmetic(parse(text))
    assert raised.value.column == column


@given(st.recursive(
    st.integers(0, 99).map(str) | st.sampled_from(["warning", "guarantee"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"), max_leaves=12))
def test_it_agrees_with_python(text):
    """What Python's own arithmetic says of the same text (a division by zero is NaN)."""
    try:
        want = eval(text, {"warning": 28.0, "guarantee": 30.0})
    except ZeroDivisionError:
        want = float("nan")
    got = evaluate(arithmetic(parse(text)), COLUMNS)
    assert got == pytest.approx(want, rel=1e-12, nan_ok=True)


def test_names_are_in_the_order_of_the_text():
    """Each name once, so that constants get their slots in a fixed order."""
    assert parse("b * (a + b) - max(c, a)").names == ("b", "a", "c")
