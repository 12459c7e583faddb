"""The regression behind Farrington's limits, against statsmodels and SciPy (run once, their figures stand here)."""
from __future__ import annotations

import doctest

import numpy as np
import pytest

from streams.fit import _glm
from streams.fit._glm import anscombe, quantile, quasi_poisson

Y = np.array([12, 9, 15, 22, 18, 7, 11, 25, 30, 14, 16, 13, 19, 28, 9, 8, 17, 21], float)
N = len(Y)
X = np.column_stack([np.ones(N), (np.arange(N) - N) / 10, (np.arange(N) % 3 == 1) * 1.0])
W = np.where(np.arange(N) % 5 == 0, 0.5, 1.2)


def test_the_same_as_statsmodels() -> None:
    """Coefficients and dispersion are those of statsmodels 0.15 (GLM, Poisson, var_weights, scale X2)."""
    model = quasi_poisson(X, Y, W)
    assert model is not None
    assert model.beta == pytest.approx([2.8884777, 0.11979941, 0.17689679], abs=1e-7)
    assert model.dispersion == pytest.approx(2.9720151612851446, rel=1e-9)
    assert float(model.leverage.sum()) == pytest.approx(3.0)


def test_means_of_groups() -> None:
    """With groups alone the fitted mean is the mean of each group, and residuals are about standard normal in size."""
    groups = np.arange(N) % 3
    model = quasi_poisson(np.column_stack([(groups == g) * 1.0 for g in range(3)]), Y, np.ones(N))
    assert model is not None
    for g in range(3):
        assert model.mean[groups == g] == pytest.approx(Y[groups == g].mean())
    assert 0.5 < float(np.std(anscombe(Y, model))) < 1.5


@pytest.mark.parametrize(("mean", "dispersion", "p", "count"), [
    (4.0, 1.0, 0.995, 10), (4.0, 2.0, 0.995, 14), (0.3, 1.0, 0.99, 2), (120.0, 3.5, 0.999, 192), (20.0, 1.3, 0.95, 29)])
def test_quantiles(mean: float, dispersion: float, p: float, count: int) -> None:
    """Quantiles are those of scipy.stats.poisson and nbinom."""
    assert quantile(mean, dispersion, p) == count


def test_what_cannot_be_fitted() -> None:
    """As many coefficients as counts leave nothing to judge by."""
    assert quasi_poisson(np.eye(4), np.ones(4), np.ones(4)) is None


def test_examples() -> None:
    """The example holds."""
    assert doctest.testmod(_glm).failed == 0
