from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.kinds.trend import Trend
from detectors.trial import trial

finite = st.floats(-1e6, 1e6, allow_nan=False)


def run(points: list[tuple[float, float]], **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Trend, **params)
    return [Trend.step(p, s, t, x) for t, x in points], s


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(300, 4000), finite), min_size=1, max_size=40))
def test_median_of_all_pairs(moves: list[tuple[int, float]]) -> None:
    """Up to 16 readings within `over`: the median slope of all their pairs, as NumPy has it."""
    times = np.cumsum([dt for dt, _ in moves]).astype(float)
    points = [(t, x) for t, (_, x) in zip(times.tolist(), moves, strict=True)]
    scores, _ = run(points, over=4500.0, warm=3)
    for i, score in enumerate(scores):
        inside = [p for p in points[:i + 1] if points[i][0] - p[0] <= 4500.0]
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(inside, 2)]
        assert np.isclose(score, np.median(slopes) if len(inside) >= 3 else 0.0, rtol=1e-12, atol=0.0)


def test_spans_the_whole_window() -> None:
    """However dense the readings are, a turn within `over` is seen against all of `over`, not the last 16 readings."""
    rise_then_rest = [(60.0 * i, min(i, 240) * 0.01) for i in range(300)]
    scores, s = run(rise_then_rest, over=4 * 3600.0)
    assert 12 <= s.n <= 16
    assert np.isclose(scores[240], 0.01 / 60.0)
    assert scores[299] > 0.005 / 60.0


def test_one_bad_reading_moves_it_little() -> None:
    """A single spike among 12 steady readings leaves the slope within a fifth of the truth."""
    points = [(300.0 * i, 20.0 + 0.1 * i + (50.0 if i == 8 else 0.0)) for i in range(12)]
    assert abs(run(points, over=3600.0)[0][-1] * 3000.0 - 1.0) < 0.2


def test_a_gap_makes_it_young_again() -> None:
    """After a gap longer than `over` it has one point, says 0.0 and shows so in `n`."""
    points = [(300.0 * i, 0.1 * i) for i in range(10)]
    scores, s = run([*points, (90000.0, 9.0)], over=3600.0)
    assert scores[-2] > 0.0 and scores[-1] == 0.0 and s.n == 1.0
