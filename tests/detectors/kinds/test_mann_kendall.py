from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import copysign, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.kinds.mann_kendall import MannKendall
from detectors.trial import trial


def run(points: list[tuple[float, float]], **params: Any) -> list[float]:
    p, s = trial(MannKendall, **params)
    return [MannKendall.step(p, s, t, x) for t, x in points]


def published(xs: list[float]) -> float:
    """Z as Gilbert writes it."""
    n, s = len(xs), sum(float(np.sign(b - a)) for a, b in combinations(xs, 2))
    var = (n * (n - 1) * (2 * n + 5) - sum(g * (g - 1) * (2 * g + 5) for g in Counter(xs).values())) / 18
    return 0.0 if s == 0 or var == 0 else (s - copysign(1.0, s)) / sqrt(var)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 5).map(float), st.floats(-1e300, 1e300)), min_size=1, max_size=32))
def test_as_published(xs: list[float]) -> None:
    """Up to 32 readings within `over`, with any ties: Z with the continuity correction."""
    scores = run([(3600.0 * i, x) for i, x in enumerate(xs)], over=1e6, warm=4)
    for i, score in enumerate(scores):
        assert score == pytest.approx(published(xs[:i + 1]) if i >= 3 else 0.0, abs=1e-12)


def test_what_is_too_old_does_not_count() -> None:
    """Only readings within `over` count: after a fall that is past, a rise is a rise."""
    xs = [float(abs(10 - i)) for i in range(21)]
    scores = run([(60.0 * i, x) for i, x in enumerate(xs)], over=600.0, warm=8)

    assert scores[10] == pytest.approx(published(xs[:11])) and scores[10] < -3.0
    assert scores[20] == pytest.approx(published(xs[10:])) and scores[20] > 3.0


def test_false_alarms_are_as_rare_as_it_says() -> None:
    """Of windows of 20 without a trend about one in 20 has a Z beyond 1.96."""
    r = np.random.default_rng(1)
    found = [abs(run([(float(i), x) for i, x in enumerate(r.normal(size=20).tolist())], over=100.0)[-1]) > 1.96
             for _ in range(600)]

    assert 0.025 <= np.mean(found) <= 0.075
