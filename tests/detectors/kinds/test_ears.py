from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.kinds.ears import Ears
from detectors.trial import trial

SERIES = (3, 5, 4, 6, 2, 4, 5, 3, 4, 6, 5, 4, 3, 9, 14, 16, 7, 5, 4, 3)
PUBLISHED = {
    1: (7, [-.8496, -.1062, 1.5492, .4775, -.1062, -1.4639, 4.2368, 4.3214, 2.4753, -.225, -.654, -.8531, -1.0521]),
    2: (9, [1.3806, .6372, 0.0, -.8594, 3.6108, 9.8078, 10.5278, 1.0128, -.3694, -.8155, -1.0521]),
    3: (11, [.3806, 0.0, 2.6108, 11.4186, 20.9464, 18.3485, 9.5407, .0128, 0.0]),
}
"""For each method the first place that has a baseline, and the scores from there: worked out from the formulas, four places."""


def run(values: Any, **params: Any) -> list[float]:
    p, s = trial(Ears, **params)
    return [Ears.step(p, s, 0.0, float(x)) for x in values]


@pytest.mark.parametrize("method", [1, 2, 3])
def test_vectors(method: int) -> None:
    """C1, C2 and C3 are those of the test vector, and nothing is said before the baseline is whole."""
    first, expected = PUBLISHED[method]
    scores = run(SERIES, method=method, warm=8)

    assert scores[:first] == [0.0] * first
    assert scores[first:] == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("method", "back"), [(1, 7), (2, 9)])
def test_any_series(method: int, back: int) -> None:
    """C1 and C2 are (x - mean) / sd with n - 1, of seven readings with no or two days between, as NumPy has them."""
    values = np.random.default_rng(4).poisson(6.0, 200).astype(float)
    scores = run(values, method=method, floor=0.5)
    for i in range(12, 200):
        base = values[i - back:i - back + 7]
        assert scores[i] == pytest.approx((values[i] - base.mean()) / max(base.std(ddof=1), 0.5))


def test_a_quiet_week() -> None:
    """After seven equal counts one more is no infinite surprise: `floor` says how small a deviation counts."""
    assert run([0.0] * 12 + [1.0], floor=0.5)[-1] == 2.0
    assert run([0.0] * 12 + [1.0], floor=0.0)[-1] == 0.0


def test_warm() -> None:
    """It has no opinion before `warm` counts."""
    assert run(range(20), method=1, warm=15)[:14] == [0.0] * 14
