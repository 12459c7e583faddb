from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.kinds.shape import Shape
from detectors.trial import trial


def run(values: Any, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Shape, **params)
    return [Shape.step(p, s, 0.0, float(x)) for x in values], s


def wave(n: int, noise: float, seed: int = 1) -> Any:
    return 10.0 + 3.0 * np.sin(np.arange(n) / 20.0 * 2.0 * np.pi) + np.random.default_rng(seed).normal(0.0, noise, n)


@pytest.mark.parametrize(("level", "m", "near", "stride"), [(1.0, 8, 3, 11), (0.0, 5, 1, 7), (1.0, 2, 8, 3)])
def test_distances_to_the_bank(level: float, m: int, near: int, stride: int) -> None:
    """The score is the mean distance to the nearest of the last 32 remembered windows over its running mean, as NumPy has it."""
    xs = wave(600, 0.5)
    scores, _ = run(xs, length=m, near=near, stride=stride, level=level, warm=10)
    ends = [i for i in range(2 * m, 601) if i % stride == 0]
    usual, judged = 0.0, 0
    for i in range(600):
        bank = [xs[e - 2 * m:e - m] for e in ends if e <= i][-32:]
        expected = 0.0
        if sum(e <= i for e in ends) >= 10:
            window = xs[i - m + 1:i + 1]
            if level == 0.0:
                window, bank = window - window.mean(), [b - b.mean() for b in bank]
            d = np.mean(sorted(np.sqrt(np.mean((window - b) ** 2)) for b in bank)[:near])
            if judged >= 10:
                expected = d / usual
                d = min(d, 4.0 * usual)
            judged += 1
            usual += max(0.01, 1.0 / judged) * (d - usual)
        assert scores[i] == pytest.approx(expected, abs=1e-9)


def test_a_shape_not_seen_before() -> None:
    """A valve that sticks half-way is seen within a window, though every value is usual; the waves before it are quiet."""
    xs = wave(2000, 0.15)
    xs[1800:1820] = xs[1800]
    scores, _ = run(xs)

    assert np.quantile(scores[600:1800], 0.999) < 3.0
    assert max(scores[1800:1820]) > 4.0


def test_shape_alone_knows_no_level() -> None:
    """With `level: 0` a wave that goes on at another height is no surprise once its step is past; else it is."""
    xs = wave(1200, 0.1)
    xs[1000:] += 30.0
    alone, both = (run(xs, level=level)[0] for level in (0.0, 1.0))

    assert max(alone[1008:1060]) < 3.0 < max(alone[1000:1008])
    assert min(both[1008:1016]) > 10.0


def test_an_absurd_value_is_forgotten() -> None:
    """A value of 1e300 is a surprise as long as it is in the window, and then no more."""
    xs = wave(1500, 0.15)
    spoilt = xs.copy()
    spoilt[1000] = 1e300
    calm, rough = (run(v)[0] for v in (xs, spoilt))

    assert rough[1007] > 1e100
    assert max(rough[1008:]) < 1.5 * max(calm[1008:])


def test_what_never_moved() -> None:
    """A constant has no usual distance and says 0.0, unless `floor` gives it one."""
    assert set(run([5.0] * 400)[0]) == {0.0}
    assert run([5.0] * 400 + [6.0] * 8, floor=0.1)[0][-1] == pytest.approx(10.0)
