import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.packs.notation import MOST, NotationError, expand


@pytest.mark.parametrize(("text", "values"), [
    ("26.5", [26.5]),
    ("26.5x3", [26.5] * 4),
    ("1+2x3", [1, 3, 5, 7]),
    ("1-2x3", [1, -1, -3, -5]),
    ("-2+4x3", [-2, 2, 6, 10]),
    ("_", [None]),
    ("_x3 5", [None, None, None, 5]),
    ("_x0 5x0", [5]),
    ("1e2-.5x1", [100, 99.5]),
    ("  7\n 8 ", [7, 8]),
])
def test_values(text: str, values: list[float | None]) -> None:
    """Each form of an item means what promtool means by it: n steps make n + 1 values, n gaps make n."""
    assert expand(text) == values


def test_designs_example() -> None:
    """The example of the design is 13 rising values, three gaps and one more."""
    values = expand("26.5+0.1x12 _x3 28.9")
    assert len(values) == 17
    assert values[5] == 27.0, "steps are decimal: a limit is met where the author reads it"
    assert values[12:] == [27.7, None, None, None, 28.9]


def test_nan_arrives() -> None:
    """`nan` is a reading that came without a value, which is not the same as none that came."""
    values = expand("nan nanx1 _")
    assert [v is not None and math.isnan(v) for v in values] == [True, True, True, False]


@pytest.mark.parametrize(("text", "column", "word"), [
    ("26.5 27+0.1", 6, "'27+0.1'"), ("x3", 1, "'x3'"), ("1 2 3,4", 5, "'3,4'"), ("1x-2", 1, "'1x-2'"), ("", 1, "no values"),
    ("1 _3", 3, "'_3'"), ("0x10x", 1, "'0x10x'"), ("１", 1, "'１'"), (f"1 2x{MOST}", 3, "more than"),
])
def test_errors_name_the_place(text: str, column: int, word: str) -> None:
    """What is no notation is refused with its column and the word itself, also when it would fill the memory."""
    with pytest.raises(NotationError, match=f"column {column}: ") as found:
        expand(text)
    assert found.value.column == column
    assert word in str(found.value)


@given(st.integers(-1000, 1000), st.integers(-100, 100), st.integers(0, 50))
def test_a_ramp_has_its_ends(first: int, step: int, n: int) -> None:
    """A ramp of whole numbers begins at `a`, ends at `a + n b` and has n + 1 values."""
    values = expand(f"{first}{step:+d}x{n}")
    assert (len(values), values[0], values[-1]) == (n + 1, first, first + n * step)
