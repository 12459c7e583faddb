from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np
import pytest

from detectors.kinds.cusum import Cusum
from detectors.trial import trial

COUNTS = (3, 5, 4, 6, 2, 4, 5, 3, 4, 6, 5, 4, 3, 9, 14, 16, 7, 5, 4, 3)
ROSSI = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1.21, 4.4117, 8.3717, 8.7274, 8.1735, 7.1335, 5.5755)
"""Upper sums of the counts above by Rossi's transform, m = 4, k = 1.04: worked out by hand from the formula, four places."""

NILE = (1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210,
        1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702)
"""Yearly flow of the Nile at Aswan from 1871, 10^8 m3: it fell for good in 1899 (G. W. Cobb, Biometrika 65 (1978) 243-251)."""


def run(values: Any, **params: Any) -> list[float]:
    p, s = trial(Cusum, **params)
    return [Cusum.step(p, s, 0.0, float(x)) for x in values]


def test_both_sums_are_pages() -> None:
    """The score is the larger of S+ = max(0, S + z - k) and S- = max(0, S - z - k), the lower one with its sign turned."""
    values = np.random.default_rng(1).normal(20.0, 2.0, 300) + np.repeat([0.0, 1.5, -3.0], 100)
    z = (values - 20.0) / 2.0
    high = list(accumulate(z, lambda s, v: max(0.0, s + v - 0.5), initial=0.0))[1:]
    low = list(accumulate(z, lambda s, v: max(0.0, s - v - 0.5), initial=0.0))[1:]
    expected = np.where(np.array(high) >= low, high, -np.array(low))

    assert np.allclose(run(values, target=20.0, deviation=2.0, ceiling=1e6), expected)


def test_counts_as_published() -> None:
    """Counts by Rossi's transform give the sums of the test vector; without a restart they outlast the outbreak."""
    scores = run(COUNTS, target=4.0, slack=1.04, counts=1)

    assert [max(y, 0.0) for y in scores] == pytest.approx(ROSSI, abs=6e-5)


@pytest.mark.parametrize("x", [0.0, 1.0, 4.0, 30.0])
def test_anscombes_residual(x: float) -> None:
    """With `counts: 2` a single reading weighs 3/2 (x^2/3 - m^2/3) / m^1/6."""
    z = 1.5 * (x ** (2 / 3) - 4.0 ** (2 / 3)) / 4.0 ** (1 / 6)

    assert run([x], target=4.0, counts=2, slack=0.0)[0] == pytest.approx(z)


def test_learns_what_is_normal() -> None:
    """Without a target the mean and the deviation (n - 1) of the first `warm` readings are it, and it says 0.0 until then."""
    values = np.random.default_rng(2).normal(5.0, 0.3, 60) + np.repeat([0.0, 0.4], 30)
    learned = run(values, warm=30)

    assert learned[:30] == [0.0] * 30
    assert learned[30:] == pytest.approx(run(values[30:], target=values[:30].mean(), deviation=values[:30].std(ddof=1)))
    assert learned[-1] > 5.0


def test_what_never_moved() -> None:
    """A constant has no deviation and says 0.0, unless `floor` gives it one."""
    assert run([5.0] * 30 + [6.0] * 3, warm=30)[-1] == 0.0
    assert run([5.0] * 30 + [6.0] * 3, warm=30, floor=1.0)[-1] == pytest.approx(1.5)


def test_an_alarm_ends() -> None:
    """After the worst reading it is back at 0.0 within ceiling / slack readings."""
    assert run([1e300] + [0.0] * 40, target=0.0, deviation=1.0, ceiling=20.0)[-1] == 0.0


def test_average_run_length() -> None:
    """With k = 0.5 and h = 4 the mean time to the first alarm is near 168 under control and 8.4 after a shift of 1 (Montgomery)."""
    r = np.random.default_rng(3)

    def length(shift: float) -> int:
        p, s = trial(Cusum, target=0.0, deviation=1.0)
        return next(i for i, x in enumerate(r.normal(shift, 1.0, 5000), 1) if abs(Cusum.step(p, s, 0.0, float(x))) > 4.0)

    assert np.mean([length(0.0) for _ in range(300)]) == pytest.approx(168.0, rel=0.2)
    assert np.mean([length(1.0) for _ in range(300)]) == pytest.approx(8.38, rel=0.1)


def test_the_nile_of_1899() -> None:
    """Learned from twenty years, the fall of 1899 passes five deviations within four years, and nothing did before."""
    scores = run(NILE, warm=20)

    assert max(map(abs, scores[:28])) < 5.0 and -8.0 < scores[31] < -5.0
