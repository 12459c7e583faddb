from __future__ import annotations

from typing import Any

import numpy as np

from detectors.kinds.page_hinkley import PageHinkley
from detectors.trial import trial


def run(values: Any, **params: Any) -> list[float]:
    p, s = trial(PageHinkley, **params)
    return [PageHinkley.step(p, s, 0.0, float(x)) for x in values]


def test_as_published() -> None:
    """With alpha 0 it is m - min m with m the sum of x - mean - tolerance, and max M - M downward, as NumPy has them."""
    values = np.random.default_rng(1).normal(0.0, 1.0, 400) + np.repeat([3.0, 4.0, 1.0, 3.0], 100)
    means = np.cumsum(values) / np.arange(1, 401)
    up = np.cumsum(values - means - 0.3)
    down = np.cumsum(values - means + 0.3)
    high = up - np.minimum(np.minimum.accumulate(up), 0.0)
    low = np.maximum(np.maximum.accumulate(down), 0.0) - down
    scores = run(values, tolerance=0.3, alpha=0.0, warm=1, ceiling=1e9)

    assert np.allclose(scores, np.where(high >= low, high, -low))
    assert max(scores[100:200]) > 25.0 and min(scores[200:300]) < -50.0


def test_a_new_level_becomes_normal() -> None:
    """With a forgetting mean the sum falls back to nothing after a step that lasts."""
    scores = run([10.0] * 100 + [15.0] * 4000, tolerance=0.5, alpha=0.01)

    assert max(scores) == 100.0 and scores[-1] == 0.0


def test_says_nothing_while_young() -> None:
    """The first `warm` - 1 readings give 0.0 whatever they are."""
    assert run([0.0, 50.0, 0.0, 90.0, 7.0], tolerance=0.1, warm=5)[:4] == [0.0] * 4
