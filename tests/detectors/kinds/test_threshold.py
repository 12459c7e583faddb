from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.kinds.threshold import Threshold


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_value_itself(x: float) -> None:
    """The score is the reading."""
    assert Threshold.step(None, None, 0.0, x) == x
