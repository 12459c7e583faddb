from __future__ import annotations

from math import inf, log10
from typing import Any

import numpy as np
import pytest

from detectors.kinds.tail import Tail
from detectors.trial import trial


def run(values: Any, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Tail, **params)
    return [Tail.step(p, s, 0.0, float(x)) for x in values], s


def pareto(r: Any, shape: float, scale: float, n: int) -> Any:
    """Draws of a generalised Pareto distribution, by its inverse."""
    u = r.random(n)
    return -scale * np.log(u) if shape == 0.0 else scale / shape * (u**-shape - 1.0)


def published(x: Any) -> tuple[float, float]:
    """Shape and scale as Zhang and Stephens' own program has them, in NumPy."""
    x = np.sort(x)
    n, m = len(x), 20 + int(len(x) ** 0.5)
    b = 1.0 / x[-1] + (1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3.0 * x[int(n / 4 + 0.5) - 1])
    k = np.log1p(-b[:, None] * x).mean(axis=1)
    likely = n * (np.log(-b / k) - k - 1.0)
    b = float(b @ (1.0 / np.exp(likely[None, :] - likely[:, None]).sum(axis=1)))
    shape = float(np.log1p(-b * x).mean())
    return shape, -shape / b


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4])
def test_fit_as_published(shape: float) -> None:
    """Where the tail begins, shape and scale are those of the published fit on the largest of the first readings."""
    values = pareto(np.random.default_rng(1), shape, 2.0, 800)
    _, s = run(values, warm=800, peaks=60)
    top = np.sort(values)[-60:]

    assert s.start == top[0] and s.over == 59.0
    assert (s.shape, s.scale) == pytest.approx(published(top[1:] - top[0]))


def test_fit_finds_the_truth() -> None:
    """Over 100 samples of 63 excesses the mean shape and scale are near those they were drawn with."""
    r, found = np.random.default_rng(2), []
    for _ in range(100):
        _, s = run([0.0] * 150 + [float(x) + 1.0 for x in pareto(r, 0.2, 3.0, 63)] + [1.0], warm=214, peaks=64)
        found.append((s.shape, s.scale))

    assert np.mean(found, axis=0) == pytest.approx([0.2, 3.0], abs=0.25)


@pytest.mark.parametrize("shape", ["normal", "exponential", "uniform"])
def test_rarity_is_what_it_says(shape: str) -> None:
    """Of 60 000 readings about one in a thousand has a score of 3 or more (within a factor of two)."""
    values = getattr(np.random.default_rng(3), shape)(size=60_000)
    scores, _ = run(values)

    assert 30 < sum(y >= 3.0 for y in scores) < 120


def test_score_by_hand() -> None:
    """The score is -log10 of the share of peaks times the Pareto chance of the excess."""
    values = np.random.default_rng(4).exponential(size=1000)
    _, s = run(values)
    excess = 1.5
    expected = -log10(s.over / s.n * (1.0 + s.shape * excess / s.scale) ** (-1.0 / s.shape))
    p, _ = trial(Tail)

    assert Tail.step(p, s, 0.0, s.start + excess) == pytest.approx(expected)
    assert Tail.step(p, s, 0.0, s.start) == 0.0


def test_the_low_tail() -> None:
    """With `below` it sees of a series what it else sees of the same series upside down."""
    values = np.random.default_rng(5).normal(size=3000)
    assert run(values, below=1)[0] == run(-values)[0]


def test_an_alarm_teaches_as_one_of_learn() -> None:
    """However absurd a value is, it teaches as much as one whose score is `learn`, and the score never passes 16."""
    values = np.random.default_rng(6).exponential(size=1500).tolist()
    scores, far = run([*values, inf])
    _, before = run(values)
    share = before.over / before.n
    known = before.start + before.scale / before.shape * ((1e4 * share) ** before.shape - 1.0)
    edge, near = run([*values, known - 1e-9])

    assert scores[-1] == 16.0 and edge[-1] == pytest.approx(4.0)
    assert (far.shape, far.scale, far.over, far.n) == pytest.approx((near.shape, near.scale, near.over, near.n))


def test_what_never_moved() -> None:
    """After nothing but one value a higher one is the first in so many readings; it then learns how high they are."""
    scores, s = run([5.0] * 1000 + [6.0] + [5.0] * 20)

    assert scores[1000] == pytest.approx(3.0) and scores[-1] == 0.0
    assert s.scale == 1.0
