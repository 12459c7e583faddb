from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.kinds.rise import Rise
from detectors.trial import trial


def run(points: list[tuple[float, float]], **params: Any) -> list[float]:
    p, s = trial(Rise, **params)
    return [Rise.step(p, s, t, x) for t, x in points]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(120, 900), st.floats(-1e6, 1e6)), min_size=1, max_size=80))
def test_against_the_oldest_within(moves: list[tuple[int, float]]) -> None:
    """Up to 32 readings within `over`: exactly the newest less the oldest one not older than `over`, to the bit."""
    t, points = 0.0, []
    for dt, x in moves:
        t += dt
        points.append((t, x))
    for i, score in enumerate(run(points, over=3600.0)):
        assert score == points[i][1] - next(x for t, x in points if points[i][0] - t <= 3600.0)


def test_dense_readings_look_back_far_enough() -> None:
    """With a reading a second, a steady rise is told as at least 14/15 of what it was, and never as more."""
    scores = run([(float(i), float(i)) for i in range(20_000)], over=3600.0)
    assert all(3360.0 <= score <= 3600.0 for score in scores[3700:])


def test_a_small_step_is_never_steep() -> None:
    """After a start or a gap there is nothing to compare with: 0.0; a minute later a centimetre is a centimetre."""
    assert run([(0.0, 1.0), (60.0, 1.01), (9000.0, 50.0)], over=3600.0) == [0.0, pytest.approx(0.01), 0.0]
