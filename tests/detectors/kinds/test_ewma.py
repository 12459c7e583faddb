from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.kinds.ewma import Ewma
from detectors.trial import trial


def run(values: Any, **params: Any) -> list[float]:
    p, s = trial(Ewma, **params)
    return [Ewma.step(p, s, 0.0, float(x)) for x in values]


def test_young_it_is_the_plain_z_score() -> None:
    """While 1 / n > alpha the score is (x - mean) / standard deviation of all readings before, as NumPy has them."""
    values = np.random.default_rng(5).normal(30.0, 4.0, 40)
    scores = run(values, alpha=0.001, warm=5)
    assert scores[:4] == [0.0] * 4
    for i in range(4, 40):
        assert scores[i] == pytest.approx((values[i] - values[:i].mean()) / values[:i].std())


def test_old_readings_are_forgotten() -> None:
    """After a step the new level becomes usual again."""
    r = np.random.default_rng(6)
    scores = run(np.concatenate([r.normal(0.0, 1.0, 200), r.normal(20.0, 1.0, 400)]), alpha=0.05)
    assert scores[200] > 8.0
    assert abs(np.mean(scores[-100:])) < 0.5


def test_an_absurd_value_is_forgotten_too() -> None:
    """A value of 1e300 does not make the kind deaf for ever."""
    r = np.random.default_rng(7)
    scores = run([*r.normal(0.0, 1.0, 50), 1e300, *r.normal(0.0, 1.0, 40000), 30.0], alpha=0.02)
    assert scores[-1] > 10.0


def test_what_never_moved() -> None:
    """A constant has no deviation and says 0.0, unless `floor` gives it one."""
    assert run([5.0] * 30 + [6.0])[-1] == 0.0
    assert run([5.0] * 30 + [6.0], floor=0.1)[-1] == pytest.approx(10.0)


def test_from_the_first_on_as_roberts_has_it() -> None:
    """With `young=0` mean and variance begin at the first reading and move by `alpha` from then on."""
    values = np.random.default_rng(8).normal(30.0, 4.0, 40)
    scores = run(values, alpha=0.2, warm=2, young=0.0)
    mean, var = values[0], 0.0
    for i, x in enumerate(values[1:], 1):
        d = x - mean
        assert scores[i] == (pytest.approx(d / var**0.5) if i >= 2 else 0.0)
        mean, var = mean + 0.2 * d, 0.8 * (var + 0.2 * d * d)
