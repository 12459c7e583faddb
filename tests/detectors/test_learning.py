"""The recursive model finds what least squares would have found, and does not lose its mind where nothing moves."""
from __future__ import annotations

import random

import numpy as np

from detectors import learning


def fit(rows: list[list[float]], y: list[float], keeps: float) -> tuple[list[float], list[float]]:
    n = len(rows[0])
    spread, gain, w = np.eye(n).ravel().tolist(), [0.0] * n, [0.0] * n
    for f, target in zip(rows, y, strict=True):
        learning.rls(spread, f, gain, keeps)
        e = target - sum(a * b for a, b in zip(w, f, strict=True))
        w = [a + g * e for a, g in zip(w, gain, strict=True)]
    return w, spread


def test_it_is_least_squares() -> None:
    """With next to no fading it is ridge regression, as numpy solves it."""
    r = random.Random(1)
    rows = [[r.gauss(0.0, 1.0) for _ in range(4)] for _ in range(300)]
    y = [f[0] - 2.0 * f[1] + 0.5 * f[3] + r.gauss(0.0, 0.1) for f in rows]
    a = np.array(rows)
    want = np.linalg.solve(a.T @ a + np.eye(4), a.T @ np.array(y))
    assert np.allclose(fit(rows, y, 1.0 - 1e-12)[0], want, atol=1e-6)


def test_it_follows() -> None:
    """What was true before the last memory is forgotten."""
    r = random.Random(2)
    rows = [[r.gauss(0.0, 1.0), r.gauss(0.0, 1.0)] for _ in range(2000)]
    y = [(3.0 if i < 1000 else -1.0) * f[0] for i, f in enumerate(rows)]
    assert abs(fit(rows, y, 0.99)[0][0] + 1.0) < 0.01


def test_no_wind_up() -> None:
    """Features that stand still, or are the same twice, leave a covariance that is one: symmetric, none beyond 1, none below 0."""
    r = random.Random(3)
    rows = [[x := r.gauss(0.0, 1.0), x, 0.0, 20.0 * x] for _ in range(20000)]
    _, spread = fit(rows, [f[0] for f in rows], 0.98)
    matrix = np.array(spread).reshape(4, 4)
    assert np.array_equal(matrix, matrix.T) and matrix.diagonal().max() <= 1.0 and np.linalg.eigvalsh(matrix).min() > -1e-9
