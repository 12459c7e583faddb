from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from detectors.calendar import Calendar, Special
from detectors.kinds.seasonal import Seasonal
from detectors.trial import trial

WEEK = 604800.0
EPOCH = 18993            # 2022-01-01
MONDAY = datetime(2024, 12, 30, tzinfo=UTC).timestamp() - 28800.0       # 00:00 in China


def run(points: Any, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Seasonal, **params)
    return [Seasonal.step(p, s, float(t), float(x)) for t, x in points], s


def week(n: int, noise: float, every: float = 3600.0) -> list[tuple[float, float]]:
    """Weeks with a daily shape, and half of it at the weekend."""
    r, out = np.random.default_rng(1), []
    for i in range(int(n * WEEK / every)):
        hour = int(i * every // 3600) % 168
        shape = (20.0 + 10.0 * np.sin(hour % 24 / 24.0 * 2.0 * np.pi)) * (0.5 if hour >= 120 else 1.0)
        out.append((MONDAY + i * every, shape + r.normal(0.0, noise)))
    return out


def test_young_it_is_the_plain_z_score_of_its_hour() -> None:
    """While 1 / n > alpha the score is (x - mean) / deviation of all earlier weeks of that hour, as NumPy has them."""
    points = week(9, 1.0)
    scores, _ = run(points, warm=4, alpha=0.01, bound=1e9)
    for i, (_, x) in enumerate(points):
        before = np.array([v for _, v in points[i % 168:i:168]])
        assert scores[i] == (pytest.approx((x - before.mean()) / before.std()) if len(before) >= 4 else 0.0)


def test_the_first_hour_is_mondays() -> None:
    """Slot 0 is Monday 00:00 local time, slot 167 Sunday 23:00."""
    _, s = run([(MONDAY, 5.0), (MONDAY + WEEK - 1.0, 6.0)])

    assert (s.means[0], s.means[167]) == (5.0, 6.0)
    assert sum(s.counts) == 2.0


def test_quiet_and_loud() -> None:
    """A weekday's noon on a Sunday is seen, though it is usual on other days."""
    scores, s = run(week(10, 0.5))
    p, _ = trial(Seasonal)

    assert np.quantile(np.abs(scores), 0.99) < 5.0
    assert Seasonal.step(p, s, MONDAY + 10 * WEEK + 132 * 3600.0, 20.0) > 10.0


def test_warm_is_in_weeks_whatever_the_density() -> None:
    """With twelve readings an hour nothing is said before four whole weeks, and `n` tells how many weeks the hour has."""
    scores, s = run(week(5, 0.5, 300.0), every=300.0, warm=4)

    assert set(scores[:4 * 2016]) == {0.0} and len(set(scores[4 * 2016:])) > 1000
    assert s.n == pytest.approx(5.0, abs=0.1)


def test_an_absurd_value_is_forgotten() -> None:
    """Once warm, a value of 1e300 teaches no more than one beyond the bound."""
    points = week(12, 0.5)
    points[8 * 168] = (points[8 * 168][0], 1e300)
    scores, _ = run(points)

    assert scores[8 * 168] > 1e100
    assert abs(scores[9 * 168]) < 4.0


def test_what_never_moved() -> None:
    """A constant has no deviation and says 0.0, unless `floor` gives it one."""
    points = [(MONDAY + i * WEEK, 5.0) for i in range(6)] + [(MONDAY + 6 * WEEK, 6.0)]
    assert run(points)[0][-1] == 0.0
    assert run(points, floor=0.1)[0][-1] == pytest.approx(10.0)


def test_a_holiday_is_not_a_weekday() -> None:
    """A holiday's hours are its own: a quiet National Day is no fall, and does not teach Thursday to be quiet."""
    row = Calendar((Special(EPOCH + 280, EPOCH + 286, 1, "national-day"),)).row()
    p, s = trial(Seasonal, calendar=row)
    plain, t = trial(Seasonal)
    r = np.random.default_rng(3)
    first = (EPOCH * 86400.0) - 28800.0
    busy = [(first + 3600.0 * i, 100.0 + r.normal()) for i in range(280 * 24)]
    for moment, x in busy:
        Seasonal.step(p, s, moment, x)
        Seasonal.step(plain, t, moment, x)
    off = [(first + 3600.0 * i, 20.0) for i in range(280 * 24, 287 * 24)]
    assert max(abs(Seasonal.step(p, s, moment, x)) for moment, x in off) == 0.0
    assert min(Seasonal.step(plain, t, moment, x) for moment, x in off) < -50.0
    after = first + 3600.0 * 287 * 24
    assert abs(Seasonal.step(p, s, after, 100.0)) < 3.0 and s.means[100] == pytest.approx(100.0, abs=1.0)


def test_a_day_worked_in_exchange_is_like_the_day_beside_it() -> None:
    """A Saturday that is worked is judged as a Friday."""
    saturday = int(MONDAY // 86400.0) + 1 + 5
    p, s = trial(Seasonal, calendar=Calendar((Special(saturday, saturday, 2, "exchanged"),)).row())
    Seasonal.step(p, s, MONDAY + 5 * 86400.0 + 9 * 3600.0, 7.0)
    assert s.means[4 * 24 + 9] == 7.0 and s.means[5 * 24 + 9] == 0.0
