from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.kinds.surprise import Surprise, rarity, rested
from detectors.trial import trial

DAY = 86400.0


def run(values: Any, every: float = 300.0, start: float = 1.7e9, **given: Any) -> np.ndarray:
    p, s = trial(Surprise, **given)
    return np.array([Surprise.step(p, s, start + every * i, float(x)) for i, x in enumerate(values)])


def days(n: int, noise: float = 1.0, seed: int = 3) -> np.ndarray:
    at = np.arange(n * 288) / 288.0
    return 50.0 + 20.0 * np.sin(2 * np.pi * at) + np.random.default_rng(seed).normal(0.0, noise, len(at))


@pytest.mark.parametrize(("shape", "scale"), [(0.2, 3.0), (0.0, 1.0), (-0.15, 2.0)])
def test_a_tail_of_two_moments(shape: float, scale: float) -> None:
    """Beyond the quantile the chance is that of the generalised Pareto distribution with the same mean and variance."""
    mean, var = scale / (1 - shape), scale ** 2 / ((1 - shape) ** 2 * (1 - 2 * shape))
    for over in (0.5, 2.0, 8.0):
        chance = np.exp(-over / scale) if shape == 0.0 else (1 + shape * over / scale) ** (-1 / shape)
        assert rarity(over, mean, var + mean * mean, 0.05, 1000.0) == pytest.approx(min(-np.log10(0.05 * chance), 16.0), rel=1e-6)


def test_each_of_its_four_ways() -> None:
    """A value too high, one too low, a step within the range and a dead hour within the range are each told; the days before are not."""
    for at, change in ((2000, 120.0), (2000, -40.0), (2030, None)):
        x = days(10)
        x[at] = 65.0 if change is None else change
        scores = run(x)
        assert scores[at] > 6.0 and np.quantile(scores[1000:at], 0.995) < 4.0
    x = days(10)
    x[2304:2328] = x[2304]
    assert run(x)[2310:2328].max() > 6.0


def test_a_chance_is_what_it_says() -> None:
    """Of plain noise one reading in a thousand has 7.0 or more, as the page says, within a factor of three."""
    scores = run(np.random.default_rng(5).normal(0.0, 1.0, 20000))[3000:]

    assert 0.0003 < (scores > 7.0).mean() < 0.003


def test_one_happening_one_score() -> None:
    """With `rest` a plateau is told once, at its start or its height; without it at every reading."""
    x = days(10, 0.5)
    x[2000:2040] += 60.0
    every, once = run(x), run(x, rest=100)

    assert (every[2000:2040] > 6.0).sum() > 10
    assert 1 <= (once[2000:2040] > 6.0).sum() <= 3
    assert ((once == 0.0) | (once == every)).all()


def test_rest_is_a_record_of_the_last() -> None:
    """A score is told exactly when it is higher than each of the last `rest`."""
    _, s = trial(Surprise)
    said = np.random.default_rng(1).integers(0, 50, 500).astype(float)
    for i, z in enumerate(said):
        expected = z if z > max([0.0, *said[max(0, i - 30):i]]) else 0.0
        assert rested(s, float(z), 30) == expected


def test_gaps_and_hours() -> None:
    """A week without a reading and hourly readings are borne: scores stay finite, a usual day is not told."""
    x = days(12)
    t = np.arange(len(x)) * 300.0
    t[1500:] += 9 * DAY
    p, s = trial(Surprise)
    scores = [Surprise.step(p, s, float(a), float(b)) for a, b in zip(t, x, strict=True)]
    assert np.isfinite(scores).all() and max(scores[1600:]) < 7.0

    hourly = run(days(200)[::12], every=3600.0)
    assert np.isfinite(hourly).all() and np.quantile(hourly[1000:], 0.99) < 5.0
