"""The outlook learns what comes after a rise, from the series and from what stands beside it; gaps and nonsense do not spoil it."""
from __future__ import annotations

import random
from math import exp, inf, isfinite, nan
from typing import Any

import numpy as np
import pytest

from detectors.kinds.outlook import Outlook
from detectors.trial import trial

HOUR = 3600.0


def river(n: int, seed: int = 5) -> tuple[list[float], list[float]]:
    """Rain by the hour, and a river that it reaches four hours later through two stores that run dry slowly."""
    r = random.Random(seed)
    rain, river, soil, store = [0.0] * n, [0.0] * n, 0.0, 0.0
    for i in range(n):
        rain[i] = r.expovariate(0.5) if r.random() < 0.03 or (i > 0 and rain[i - 1] > 0.0 and r.random() < 0.6) else 0.0
        soil = soil * exp(-1.0 / 6.0) + (rain[i - 4] if i >= 4 else 0.0)
        store = store * exp(-1.0 / 12.0) + soil / 6.0
        river[i] = 2.0 + store
    return rain, river


def run(xs: list[float], beside: list[float] | None = None, every: float = HOUR, **params: Any) -> tuple[list[float], Any, Any]:
    p, s = trial(Outlook, **params)
    out = []
    for i, x in enumerate(xs):
        s.beside = [beside[i] if beside else 0.0, 0.0]
        out.append(Outlook.step(p, s, every * i, x))
    return out, p, s


def error(said: list[float], xs: list[float], ahead: int, first: int = 500) -> float:
    """Root mean square error against the highest of the next `ahead` readings."""
    return float(np.sqrt(np.mean([(said[i] - max(xs[i + 1:i + 1 + ahead])) ** 2 for i in range(first, len(xs) - ahead)])))


def test_it_learns() -> None:
    """On a river it errs less than the value itself and less than a line through the last hours."""
    _, xs = river(3000)
    ours = error(run(xs, within=4 * HOUR)[0], xs, 4)
    line = [x + max(x - xs[max(i - 4, 0)], 0.0) for i, x in enumerate(xs)]
    assert ours < 0.8 * error(xs, xs, 4) and ours < 0.8 * error(line, xs, 4)


def test_rain_beside_it_tells_what_the_river_cannot() -> None:
    """With the rain of four hours before, the error is less than six tenths of what it is without."""
    rain, xs = river(3000)
    fallen = [sum(rain[max(i - 3, 0):i + 1]) for i in range(len(rain))]
    assert error(run(xs, fallen, within=4 * HOUR)[0], xs, 4) < 0.6 * error(run(xs, within=4 * HOUR)[0], xs, 4)


def test_what_is_missing_beside_it_does_not_stop_it() -> None:
    """A rain gauge that falls silent half-way leaves a forecast no worse than the value itself."""
    rain, xs = river(3000)
    fallen = [sum(rain[max(i - 3, 0):i + 1]) if i < 1500 else nan for i in range(len(rain))]
    said, _, _ = run(xs, fallen, within=4 * HOUR)
    assert all(map(isfinite, said)) and error(said, xs, 4, 1600) < error(xs, xs, 4, 1600)


def test_young_it_takes_half_of_the_slope() -> None:
    """Before anything came that could be learned from, a rise goes on at half its speed and a fall is not trusted."""
    up, _, _ = run([10.0, 11.0, 12.0, 13.0], within=4 * HOUR)
    down, _, _ = run([13.0, 12.0, 11.0, 10.0], within=4 * HOUR)
    assert up[0] == 10.0 and up[3] == pytest.approx(15.0, abs=0.2) and down[3] == pytest.approx(10.0, abs=1e-6)


def test_after_a_gap_it_starts_with_the_value() -> None:
    """What was before a long gap is no rise, and nothing is learned from across it."""
    _, xs = river(1000)
    _, p, s = run(xs, within=4 * HOUR)
    before, t = list(s.weights), HOUR * 1000 + 90 * 86400.0
    said = Outlook.step(p, s, t, xs[-1] + 5.0)
    assert abs(said - xs[-1] - 5.0) < 2.0 and s.weights == before
    for k in range(1, 4):
        Outlook.step(p, s, t + HOUR * k, xs[-1])
    assert s.weights == before


def test_one_absurd_reading_is_forgotten() -> None:
    """After 1e9 in between, the error is soon as it was."""
    _, xs = river(3000)
    clean, _, _ = run(xs, within=4 * HOUR)
    spoilt, _, _ = run([1e9 if i == 1500 else x for i, x in enumerate(xs)], within=4 * HOUR)
    assert error(spoilt, xs, 4, 2500) < 1.5 * error(clean, xs, 4, 2500)


def test_another_unit_makes_no_difference() -> None:
    """Centimetres from another datum give the same forecast."""
    _, xs = river(600)
    a, b = run(xs, within=4 * HOUR)[0], run([100.0 * x - 7.0 for x in xs], within=4 * HOUR)[0]
    assert np.allclose([100.0 * y - 7.0 for y in a], b, rtol=1e-6, atol=1e-4)


def test_time_left() -> None:
    """The time until a limit lies within the time looked ahead, grows with the limit, and its band is in order."""
    _, xs = river(2000)
    p, s = trial(Outlook, within=4 * HOUR)
    seen = 0
    for i, x in enumerate(xs):
        score = Outlook.step(p, s, HOUR * i, x)
        assert Outlook.forecast(p, s, x)[0] == 0.0
        last = 0.0
        for k in range(1, 5):
            left, soonest, latest = Outlook.forecast(p, s, x + 0.3 * k)
            assert 0.0 <= soonest <= left <= latest and (left <= 4 * HOUR or left == inf) and left >= last
            assert (left < inf) == (score >= x + 0.3 * k)
            last, seen = left, seen + (0.0 < left < inf)
    assert seen > 50


def test_never_nan() -> None:
    """Whatever was read and whatever stands beside it, scores and times left are numbers or inf, in order."""
    r = random.Random(2)
    p, s = trial(Outlook, within=HOUR)
    for i in range(800):
        s.beside = [r.choice((nan, 1e300, 0.0, r.gauss(0.0, 1.0))), r.choice((nan, -1e300, 5e-324))]
        said = Outlook.step(p, s, 300.0 * i, r.choice((1.7e308, -1.7e308, 5e-324, 0.0, r.gauss(0.0, 1.0))))
        assert isfinite(said)
        for limit in (1.7e308, -1.7e308, 0.0, 1.0):
            left, soonest, latest = Outlook.forecast(p, s, limit)
            assert 0.0 <= soonest <= left <= latest
