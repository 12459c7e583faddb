from __future__ import annotations

from math import isnan, nan

import numpy as np
import pandas as pd
import pytest

from detectors.derive.ewm import Ewm
from detectors.trial import trial


def run(times: list[float], values: list[float], half: float) -> list[float]:
    p, s = trial(Ewm, half=half)
    return [Ewm.step(p, s, t, 0.0, x) for t, x in zip(times, values, strict=True)]


def test_as_pandas_has_it() -> None:
    """Evenly spaced, the recursive mean of pandas with the same half-life."""
    x = np.random.default_rng(4).normal(20.0, 3.0, 300)
    for periods in (0.5, 3.0, 40.0):
        expected = pd.Series(x).ewm(halflife=periods, adjust=False).mean().to_numpy()
        assert run([300.0 * i for i in range(300)], x.tolist(), 300.0 * periods) == pytest.approx(expected, rel=1e-12)


def test_any_spacing() -> None:
    """The same as a dense series in which each reading stands from the one before: a gap of n periods is n equal ones."""
    rng = np.random.default_rng(6)
    gaps, x = rng.integers(1, 9, 60), rng.normal(0.0, 1.0, 60)
    times = (300.0 * gaps.cumsum()).tolist()
    dense = np.concatenate([[x[0]], *(np.full(g, v) for g, v in zip(gaps[1:], x[1:], strict=True))])
    expected = pd.Series(dense).ewm(halflife=4.0, adjust=False).mean().to_numpy()[np.r_[0, gaps[1:].cumsum()]]
    assert run(times, x.tolist(), 1200.0) == pytest.approx(expected, rel=1e-12)


def test_missing_and_overflow() -> None:
    """A missing reading is passed over; what is not finite says nothing once and is then forgotten."""
    said = run([0.0, 1.0, 2.0, 3.0, 4.0], [5.0, nan, 5.0, -1.7e308, 1.7e308], 1e-3)
    assert said[0] == said[2] == 5.0 and isnan(said[1]) and isnan(said[4])
    assert run([0.0, 1.0, 2.0], [-1.7e308, 1.7e308, 4.0], 1.0)[2] == 4.0
