from __future__ import annotations

from math import isfinite, sqrt
from typing import Any

import numpy as np
import pytest

from detectors.kinds.holt_winters import HoltWinters
from detectors.trial import trial

DAY = 10.0 + 3.0 * np.sin(np.arange(24) / 24.0 * 2.0 * np.pi)


def run(points: Any, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(HoltWinters, **{"every": 3600.0, **params})
    return [HoltWinters.step(p, s, float(t), float(x)) for t, x in points], s


def hours(values: Any) -> list[tuple[float, float]]:
    return [(-3600.0 * 1e5 + 3600.0 * i, x) for i, x in enumerate(values)]


def days(n: int, noise: float, seed: int = 1, slope: float = 0.0) -> Any:
    return np.tile(DAY, n) + slope * np.arange(24 * n) + np.random.default_rng(seed).normal(0.0, noise, 24 * n)


def textbook(xs: Any, m: int, a: float, b: float, g: float) -> list[float]:
    """One-step errors by the three recursions of Holt and Winters, from the second season on."""
    level, trend, season, errors = float(np.mean(xs[:m])), 0.0, list(xs[:m] - np.mean(xs[:m])), []
    for x in xs[m:]:
        s, before = season[-m], level
        errors.append(x - before - trend - s)
        level = a * (x - s) + (1.0 - a) * (before + trend)
        season.append(g * (x - before - trend) + (1.0 - g) * s)
        trend = b * (level - before) + (1.0 - b) * trend
    return errors


def test_as_in_the_textbook() -> None:
    """One reading a slot: the score is the one-step error of the three recursions over its running deviation."""
    xs = days(10, 0.4, slope=0.01)
    scores, _ = run(hours(xs), alpha=0.3, beta=0.1, delta=0.2, bound=1e9, warm=24)
    errors, var = textbook(xs, 24, 0.3, 0.1, 0.2), 0.0
    for n, e in enumerate(errors, 1):
        assert scores[23 + n] == (pytest.approx(e / sqrt(var)) if n > 24 else 0.0)
        a = max(0.03, 1.0 / n)
        var = (1.0 - a) * var + a * e * e


def test_quiet_and_loud() -> None:
    """A month of days with a shape and a slow rise gives no score beyond 5; the noon value at midnight does."""
    scores, s = run([*hours(days(30, 0.3, slope=0.005)), (-3600.0 * 1e5 + 3600.0 * 720, 16.6)])

    assert max(map(abs, scores[:-1])) < 5.0
    assert scores[-1] > 5.0
    assert s.trend == pytest.approx(0.005, abs=0.01)


def test_an_outlier_spoils_no_slot() -> None:
    """The day after an absurd value, the same hour is foretold as before within a deviation."""
    xs = days(12, 0.3)
    spoilt = xs.copy()
    spoilt[200] = 1e300
    calm, rough = (run(hours(v))[0] for v in (xs, spoilt))

    assert rough[200] > 1e100
    assert abs(rough[224] - calm[224]) < 1.5


def test_gaps_are_stepped_over() -> None:
    """After two days without a reading the hour of day is still the right one."""
    points = hours(days(20, 0.2))
    scores, _ = run([p for i, p in enumerate(points) if not 300 <= i < 351])

    assert max(map(abs, scores[300:324])) < 5.0


def test_several_readings_in_a_slot() -> None:
    """Of twelve readings an hour each counts, and none is a surprise."""
    r = np.random.default_rng(5)
    points = [(300.0 * i, DAY[i // 12 % 24] + r.normal(0.0, 0.2)) for i in range(12 * 24 * 8)]
    scores, _ = run(points, slot=3600.0, every=300.0, alpha=0.05, delta=0.02, warm=100)

    assert scores[:12 * 24 + 100] == [0.0] * (12 * 24 + 100)
    assert max(map(abs, scores)) < 6.0


def test_never_runs_away() -> None:
    """Whatever the weights and the gaps, no slot leaves the numbers."""
    r = np.random.default_rng(6)
    points = zip(np.cumsum(r.integers(0, 90000, 3000)), r.choice([1e300, -1e300, 0.0, 5.0], 3000), strict=True)
    scores, s = run(points, alpha=1.0, beta=1.0, delta=1.0, season=7)

    assert all(map(isfinite, [*scores, s.level, s.trend, s.var, *s.season]))
