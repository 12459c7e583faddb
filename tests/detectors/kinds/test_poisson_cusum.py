from __future__ import annotations

from math import exp, factorial, log
from typing import Any

import numpy as np
import pytest

from detectors.kinds.poisson_cusum import PoissonCusum
from detectors.trial import trial


def run(values: Any, **params: Any) -> list[float]:
    p, s = trial(PoissonCusum, **params)
    return [PoissonCusum.step(p, s, 0.0, float(x)) for x in values]


def chance(x: int, m: float) -> float:
    """Of a Poisson count."""
    return exp(-m) * m**x / factorial(x)


@pytest.mark.parametrize("ratio", [2.0, 1.3, 0.5])
def test_sum_of_log_likelihood_ratios(ratio: float) -> None:
    """The score is max(0, S + log f(x; ratio m) / f(x; m)), with f written out."""
    total, counts = 0.0, np.random.default_rng(1).poisson(4.0, 200).tolist()
    for x, score in zip(counts, run(counts, mean=3.0, ratio=ratio, ceiling=1e6), strict=True):
        total = max(0.0, total + log(chance(x, 3.0 * ratio) / chance(x, 3.0)))
        assert score == pytest.approx(total, abs=1e-9)


def test_lucas_reference_value() -> None:
    """In counts it is Lucas' chart: the score is ln(ratio) times his sum with k = (m1 - m0) / (ln m1 - ln m0)."""
    k, total, counts = 2.0 / (log(4.0) - log(2.0)), 0.0, (1, 4, 5, 2, 7, 0, 3)
    for x, score in zip(counts, run(counts, mean=2.0), strict=True):
        total = max(0.0, total + x - k)
        assert score == pytest.approx(total * log(2.0))


def test_learns_the_mean() -> None:
    """Without a mean it is that of the first `warm` counts; nothing is said until then."""
    counts = [1, 3, 2, 2, 9, 8]
    assert run(counts, warm=4) == [0.0] * 4 + run([9, 8], mean=2.0)


def test_nothing_ever_happened() -> None:
    """After nothing but zeros a first case is no infinite surprise: `floor` is the mean."""
    assert run([0] * 30 + [1], floor=0.1)[-1] == pytest.approx(log(2.0) - 0.1)


def test_false_alarms_are_rarer_than_said() -> None:
    """Under the normal mean about e^limit periods, or more, pass until the first alarm (Wald)."""
    r = np.random.default_rng(2)

    def length() -> int:
        p, s = trial(PoissonCusum, mean=2.0)
        return next(i for i in range(1, 9999) if PoissonCusum.step(p, s, 0.0, float(r.poisson(2.0))) >= 3.0)

    assert np.mean([length() for _ in range(150)]) > exp(3.0)
