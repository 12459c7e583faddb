from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.kinds.rate import Rate
from detectors.trial import trial


def run(points: list[tuple[float, float]], **params: Any) -> list[float]:
    p, s = trial(Rate, **params)
    return [Rate.step(p, s, t, x) for t, x in points]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(60, 900), st.floats(-1e6, 1e6)), min_size=1, max_size=80))
def test_against_the_oldest_within(moves: list[tuple[int, float]]) -> None:
    """Up to 64 readings within `over`: exactly the newest against the oldest one not older than `over`."""
    t, points = 0.0, []
    for dt, x in moves:
        t += dt
        points.append((t, x))
    for i, score in enumerate(run(points, over=3600.0)):
        oldest = next(p for p in points if points[i][0] - p[0] <= 3600.0)
        dt = points[i][0] - oldest[0]
        assert score == (pytest.approx((points[i][1] - oldest[1]) / dt, rel=1e-12) if dt else 0.0)


@pytest.mark.parametrize("every", [1.0, 7.0, 30.0, 60.0, 225.0, 240.0])
def test_a_steady_rise_stays_one(every: float) -> None:
    """However many readings fall into the window, a steady rise keeps its rate and never falls back to 0."""
    scores = run([(every * i, 0.5 * every * i) for i in range(2000)], over=3600.0)
    assert scores[0] == 0.0
    assert all(score == pytest.approx(0.5) for score in scores[1:])


def test_dense_readings_look_back_far_enough() -> None:
    """With a reading a second, the one compared with is at most a thirtieth of `over` younger than `over`."""
    p, s = trial(Rate, over=3600.0)
    for i in range(10000):
        Rate.step(p, s, float(i), 0.0)
        oldest = s.ts[0]
        assert i < 3700 or 3600.0 - 120.0 <= i - oldest <= 3600.0


def test_nothing_to_compare_with() -> None:
    """The first reading, one after a gap and one at the same time as the first say 0.0."""
    assert run([(0.0, 1.0), (0.0, 2.0), (9000.0, 50.0)], over=3600.0) == [0.0, 0.0, 0.0]
