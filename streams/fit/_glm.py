"""Quasi-Poisson regression by iteratively reweighted least squares, and quantiles of counts. NumPy alone.

Source: P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed. 1989, sections 2.5 and 6.2.
"""
from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log, sqrt
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Model:
    """A fitted log-linear model of counts."""

    beta: Any
    mean: Any                       # fitted mean of each row
    dispersion: float               # at least 1: counts scatter no less than Poisson counts
    leverage: Any                   # diagonal of the hat matrix


def quasi_poisson(design: Any, counts: Any, weights: Any, most: int = 50) -> Model | None:
    """Fit log(mean) = design @ beta with prior weights; None where it does not converge."""
    mean = counts + 0.5
    eta, beta = np.log(mean), np.zeros(design.shape[1])
    for _ in range(most):
        z = eta + (counts - mean) / mean
        root = np.sqrt(weights * mean)
        new = np.linalg.lstsq(design * root[:, None], z * root, rcond=None)[0]
        eta = np.clip(design @ new, -30.0, 30.0)
        mean = np.exp(eta)
        if np.max(np.abs(new - beta)) < 1e-8 * (1.0 + np.max(np.abs(new))):
            beta = new
            break
        beta = new
    else:
        return None
    free = len(counts) - np.linalg.matrix_rank(design)
    if free < 1 or not np.isfinite(mean).all():
        return None
    dispersion = float((weights * (counts - mean) ** 2 / mean).sum() / free)
    q, _ = np.linalg.qr(design * np.sqrt(weights * mean)[:, None])
    return Model(beta, mean, max(dispersion, 1.0), np.clip((q * q).sum(axis=1), 0.0, 1.0 - 1e-9))


def anscombe(counts: Any, model: Model) -> Any:
    """Standardized Anscombe residuals of counts, which are nearly normal."""
    m = model.mean
    return 1.5 * (counts ** (2 / 3) * m ** (-1 / 6) - np.sqrt(m)) / np.sqrt(model.dispersion * (1.0 - model.leverage))


def quantile(mean: float, dispersion: float, p: float) -> float:
    """The smallest count k with P(count <= k) >= p: negative binomial with variance mean * dispersion, Poisson where that is 1.

    >>> quantile(4.0, 1.0, 0.995), quantile(4.0, 2.0, 0.995)
    (10.0, 14.0)
    """
    most = int(mean + 12.0 * sqrt(mean * dispersion) + 12.0 * dispersion + 30.0)
    k = np.arange(most + 1)
    fact = np.array([lgamma(v + 1.0) for v in k])
    if dispersion <= 1.0 + 1e-9:
        logs = k * log(mean) - mean - fact
    else:
        size = mean / (dispersion - 1.0)
        logs = (np.array([lgamma(v + size) for v in k]) - lgamma(size) - fact - size * log(dispersion)
                + k * log(1.0 - 1.0 / dispersion))
    return float(np.searchsorted(np.cumsum(np.exp(logs)), p))
