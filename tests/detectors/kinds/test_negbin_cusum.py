from __future__ import annotations

from math import exp, lgamma, log
from typing import Any

import numpy as np
import pytest

from detectors.kinds.negbin_cusum import NegbinCusum
from detectors.kinds.poisson_cusum import PoissonCusum
from detectors.trial import trial


def run(values: Any, kind: Any = NegbinCusum, **params: Any) -> list[float]:
    p, s = trial(kind, **params)
    return [kind.step(p, s, 0.0, float(x)) for x in values]


def logged(x: int, m: float, a: float) -> float:
    """Logarithm of the chance of a negative binomial count with mean `m` and size 1 / a."""
    r = 1.0 / a
    return lgamma(x + r) - lgamma(r) - lgamma(x + 1) + r * log(r / (r + m)) + x * log(m / (r + m))


@pytest.mark.parametrize(("ratio", "a"), [(2.0, 0.5), (1.5, 0.05), (0.5, 2.0)])
def test_sum_of_log_likelihood_ratios(ratio: float, a: float) -> None:
    """The score is max(0, S + log f(x; ratio m) / f(x; m)), with f written out; its chances add up to 1."""
    assert sum(exp(logged(x, 3.0, a)) for x in range(400)) == pytest.approx(1.0)
    total, counts = 0.0, np.random.default_rng(1).poisson(4.0, 200).tolist()
    for x, score in zip(counts, run(counts, mean=3.0, dispersion=a, ratio=ratio, ceiling=1e6), strict=True):
        total = max(0.0, total + logged(x, 3.0 * ratio, a) - logged(x, 3.0, a))
        assert score == pytest.approx(total, abs=1e-9)


def test_without_dispersion_it_is_poissons() -> None:
    """With dispersion 0, and nearly so with a tiny one, it is `poisson_cusum`."""
    counts = np.random.default_rng(2).poisson(5.0, 100)
    poisson = run(counts, PoissonCusum, mean=3.0)

    assert run(counts, mean=3.0, dispersion=0.0) == pytest.approx(poisson)
    assert run(counts, mean=3.0, dispersion=1e-6) == pytest.approx(poisson, rel=1e-3)


def test_learns_by_moments() -> None:
    """Without mean and dispersion they are those of the first `warm` counts."""
    counts = np.random.default_rng(3).negative_binomial(2, 0.3, 60).astype(float)
    m, v = counts[:40].mean(), counts[:40].var(ddof=1)

    assert run(counts, warm=40)[40:] == pytest.approx(run(counts[40:], mean=m, dispersion=(v - m) / m**2))


def test_quieter_than_poisson_on_clusters() -> None:
    """On clustered counts it has fewer false alarms than the chart that knows no clusters."""
    counts = np.random.default_rng(4).negative_binomial(1, 1 / 4, 3000)       # mean 3, dispersion 1
    alarms = [sum(y > 4.0 for y in run(counts, kind, mean=3.0, **more))
              for kind, more in ((NegbinCusum, {"dispersion": 1.0}), (PoissonCusum, {}))]

    assert alarms[0] < alarms[1] / 10
