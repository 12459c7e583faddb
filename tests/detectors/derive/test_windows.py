from __future__ import annotations

from math import isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.registry import load
from detectors.trial import trial

ORACLE = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "count": np.size, "last": lambda a: a[-1],
          "median": np.median, "std": lambda a: np.std(a, ddof=1) if len(a) > 1 else nan}
each = pytest.mark.parametrize("name", sorted(ORACLE))


def run(name: str, points: list[tuple[float, float]], **params: Any) -> list[float]:
    kind = load("derive")[name]
    p, s = trial(kind, **params)
    return [kind.step(p, s, t, 0.0, x) for t, x in points]


@each
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(25, 400), st.floats(-1e6, 1e6)), min_size=1, max_size=120))
def test_as_numpy_has_it(name: str, moves: list[tuple[int, float]]) -> None:
    """Readings at least over / 296 apart: exactly those of (t - over, t], at any spacing."""
    t, points = -5000.0, []
    for dt, x in moves:
        t += dt
        points.append((t, x))
    for i, y in enumerate(run(name, points, over=7200.0)):
        inside = np.array([x for s, x in points[:i + 1] if s > points[i][0] - 7200.0])
        assert y == pytest.approx(float(ORACLE[name](inside)), rel=1e-12, abs=1e-6, nan_ok=True)


@each
@pytest.mark.parametrize(("every", "over"), [(300.0, 86400.0), (3600.0, 8 * 3600.0), (60.0, 3600.0), (300.0, 43200.0)])
def test_exact_at_its_own_period(name: str, every: float, over: float) -> None:
    """One reading a period, at fractions of a second too: the newest over / every readings, no more and no less."""
    values = np.random.default_rng(1).uniform(0.0, 9.0, 700)
    n = int(over / every)
    for start in (0.0, 1.7e9 + 0.3):
        got = run(name, [(start + every * i, x) for i, x in enumerate(values.tolist())], over=over, every=every, coverage=1.0)
        assert all(isnan(y) for y in got[:n - 1])
        assert np.allclose(got[n - 1:], [ORACLE[name](values[i - n + 1:i + 1]) for i in range(n - 1, 700)])


@each
def test_denser_readings_are_one_part_too_long_at_most(name: str) -> None:
    """A reading every 10 s over a day: the window ends within over / 296 of the truth, and never loses a reading inside."""
    points = [(10.0 * i, float(i)) for i in range(20000)]
    got = run(name, points, over=86400.0)[-1]
    thinned = 100.0 if name == "median" else 0.0                            # that of the newest of each part
    shortest, longest = np.arange(20000 - 8640, 20000), np.arange(20000 - 8640 - 30, 20000)
    low, high = sorted((ORACLE[name](shortest), ORACLE[name](longest)))
    assert low - thinned <= got <= high + thinned


def test_coverage() -> None:
    """A value from the share of expected readings on; a gap takes it away again; 0 asks for nothing."""
    times = [0.0, 300.0, 600.0, 900.0, 1200.0, 9000.0, 9300.0]
    got = run("sum", [(t, 1.0) for t in times], over=1200.0, every=300.0, coverage=0.75)
    assert [None if isnan(y) else y for y in got] == [None, None, 3.0, 4.0, 4.0, None, None]
    assert run("sum", [(0.0, 1.0)], over=1200.0, every=300.0) == [1.0]


def test_no_drift() -> None:
    """A sum does not carry old readings on as rounding errors: after 1e15 has left, it is exact again."""
    values = [1e15, *[0.1] * 30]
    assert run("sum", [(300.0 * i, x) for i, x in enumerate(values)], over=1200.0)[-1] == pytest.approx(0.4, rel=1e-15)


def test_std_does_not_cancel() -> None:
    """Small movements at a large level keep their digits, and equal readings have none."""
    values = (1e9 + np.random.default_rng(2).normal(0.0, 0.01, 40)).tolist()
    got = run("std", [(300.0 * i, x) for i, x in enumerate(values)], over=3000.0)
    assert got[-1] == pytest.approx(float(np.std(values[-10:], ddof=1)), rel=1e-9)
    assert run("std", [(300.0 * i, 1e9 + 0.1) for i in range(20)], over=3000.0)[1:] == [0.0] * 19


def test_median_is_not_moved_by_one() -> None:
    """One reading of 1e300 among twelve changes nothing that matters."""
    values = [26.0 + 0.01 * i for i in range(12)]
    assert run("median", [(300.0 * i, x) for i, x in enumerate([*values[:6], 1e300, *values[6:]])], over=3900.0)[-1] == values[6]
