from __future__ import annotations

import random
from math import inf, isfinite
from typing import Any

import numpy as np
import pytest

from detectors.kinds.forecast import Forecast
from detectors.trial import trial


def run(points: list[tuple[float, float]], **params: Any) -> tuple[list[float], Any, Any]:
    p, s = trial(Forecast, **params)
    return [Forecast.step(p, s, t, x) for t, x in points], p, s


LINE = [(-9e8 + 300.0 * i, 20.0 + 0.03 * i) for i in range(20)]


def test_a_line_goes_on() -> None:
    """On a line the score is the line's value at t + within, and the time left until a limit is exact, with no band."""
    scores, p, s = run(LINE, within=3600.0, over=7200.0)
    assert scores[:4] == [x for _, x in LINE[:4]]
    assert np.allclose(scores[4:], [x + 0.36 for _, x in LINE[4:]])
    left = Forecast.forecast(p, s, LINE[-1][1] + 0.3)
    assert np.allclose(left, 3000.0)


@pytest.mark.parametrize(("limit", "approaching"), [(21.0, True), (19.0, False)])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_only_what_is_approached(limit: float, approaching: bool, sign: float) -> None:
    """A limit that the line moves away from is never met; falling is as rising."""
    _, p, s = run([(t, sign * x) for t, x in LINE], within=3600.0)
    left = Forecast.forecast(p, s, sign * limit)
    assert all(map(isfinite, left)) if approaching else left == (inf, inf, inf)


def test_flat_never_arrives() -> None:
    """A line without slope meets no limit, and stands on the limit it is at."""
    _, p, s = run([(300.0 * i, 5.0) for i in range(8)], within=3600.0)
    assert Forecast.forecast(p, s, 6.0) == (inf, inf, inf)
    assert Forecast.forecast(p, s, 5.0) == (0.0, 0.0, 0.0)


def test_band_orders_and_widens() -> None:
    """Soonest <= median <= latest, and noise widens the band."""
    widths = []
    for noise in (0.001, 0.01, 0.05):
        r = random.Random(3)
        _, p, s = run([(t, x + r.gauss(0.0, noise)) for t, x in LINE], within=3600.0, over=6000.0)
        median, soonest, latest = Forecast.forecast(p, s, 21.5)
        assert soonest <= median <= latest
        widths.append(latest - soonest)
    assert widths[0] < widths[1] < widths[2]


def test_band_holds_the_true_slope_about_8_times_in_10() -> None:
    """Over 400 noisy lines the 80 % band of the slope holds the true slope between 70 and 90 times in 100."""
    r, inside = random.Random(11), 0
    for _ in range(400):
        _, _, s = run([(300.0 * i, 0.0001 * 300.0 * i + r.gauss(0.0, 0.05)) for i in range(16)], within=3600.0, over=9000.0)
        inside += abs(s.slope - 0.0001) <= s.spread
    assert 0.7 <= inside / 400 <= 0.9


def test_one_bad_reading_does_not_turn_it() -> None:
    """A spike in the past moves the forecast by less than a tenth of the spike."""
    points = [(t, x + (5.0 if i == 14 else 0.0)) for i, (t, x) in enumerate(LINE)]
    assert abs(run(points, within=3600.0)[0][-1] - run(LINE, within=3600.0)[0][-1]) < 0.5


def test_never_nan() -> None:
    """Whatever was read, the times left are numbers or inf, in order."""
    r = random.Random(2)
    p, s = trial(Forecast, within=3600.0)
    for i in range(500):
        Forecast.step(p, s, 300.0 * i, r.choice((1.7e308, -1.7e308, 5e-324, 0.0, r.gauss(0.0, 1.0))))
        for limit in (1.7e308, -1.7e308, 0.0, 1.0):
            median, soonest, latest = Forecast.forecast(p, s, limit)
            assert 0.0 <= soonest <= median <= latest


def test_over_is_within_where_it_is_off() -> None:
    """Without `over` it looks as far back as it looks ahead."""
    assert run(LINE, within=3000.0)[0] == run(LINE, within=3000.0, over=3000.0)[0]
