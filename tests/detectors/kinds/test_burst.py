from __future__ import annotations

import numpy as np
import pytest

from detectors.kinds.burst import Burst
from detectors.trial import trial


@pytest.mark.parametrize("mean", [0.2, 3.0, 40.0, 2000.0])
def test_quiet_whatever_the_level(mean: float) -> None:
    """Poisson counts of any level stay below 6 deviations for weeks of minutes, and one flood above it is seen."""
    p, s = trial(Burst)
    counts = np.random.default_rng(4).poisson(mean, 20_000)
    scores = [Burst.step(p, s, 60.0 * i, float(x)) for i, x in enumerate(counts)]
    assert max(scores) < 6.0
    assert Burst.step(p, s, 0.0, mean + 12.0 * np.sqrt(mean + 1.0) + 30.0) > 6.0


def test_a_burst_does_not_hide_the_next() -> None:
    """After ten minutes of flood the level has moved little."""
    p, s = trial(Burst)
    r = np.random.default_rng(5)
    for i in range(500):
        Burst.step(p, s, 60.0 * i, float(r.poisson(5.0)))
    scores = [Burst.step(p, s, 0.0, 200.0) for _ in range(10)]
    assert min(scores) > 6.0
