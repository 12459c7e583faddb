from __future__ import annotations

from datetime import date, timedelta
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.days import day_of, festival, from_festival
from detectors.derive.rebase import Rebase
from detectors.derive.yoy_day import YoyDay, aligned
from detectors.trial import trial

EPOCH = date(1970, 1, 1).toordinal()


def moment(day: date) -> float:
    return (day.toordinal() - EPOCH) * 86400.0 - 28800.0


def load(day: date) -> float:
    """Power use with a week and the stop of the Spring Festival, 5 per cent more each year."""
    d = from_festival(day_of(moment(day), 28800.0))
    use = 100.0 * (0.4 if -10 <= d <= 15 else 1.0) * (0.9 if day.weekday() >= 5 and not -15 <= d <= 25 else 1.0)
    return use * 1.05 ** (day.year if d < -180 or d > 180 else year_of(day, d))


def year_of(day: date, distance: float) -> int:
    """The year of the nearest festival."""
    return (day - timedelta(days=int(distance))).year


def said(align: float) -> dict[date, float]:
    p, s = trial(YoyDay, align=align)
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(366 * 3)]
    return {d: YoyDay.step(p, s, moment(d), 0.0, load(d)) for d in days}


def test_the_festival_meets_the_festival() -> None:
    """Aligned, a year that only grows by five per cent shows five per cent all through January to March; else it does not."""
    straight, by_moon = said(0.0), said(1.0)
    winter = [d for d in by_moon if d.year in (2025, 2026) and d.month <= 3]
    assert max(abs(by_moon[d] - 5.0) for d in winter) < 0.01
    assert max(abs(straight[d] - 5.0) for d in winter) > 50.0


def test_other_days_meet_their_weekday() -> None:
    """Far from the festival the base is 52 weeks before, with and without alignment; the first year says nothing."""
    straight, by_moon = said(0.0), said(1.0)
    assert all(isnan(straight[d]) for d in straight if d < date(2024, 12, 30))
    assert all(straight[d] == by_moon[d] for d in straight if d.month in (5, 6, 7, 8, 9, 10) and d.year > 2024)


@given(st.integers(4000, 23000))
def test_the_base_is_a_year_before(day: int) -> None:
    """Whatever the day, its base lies 50 to 56 weeks before it; near the festival it is as far from its own."""
    base = aligned(float(day), day - 364.0, 15.0, 25.0)
    assert 350 <= day - base <= 390
    if -15 <= from_festival(float(day)) <= 25:
        assert from_festival(base) == from_festival(float(day))


def test_festival_is_not_guessed() -> None:
    """Outside the table of festivals the weekday a year before counts."""
    assert isnan(festival(2040)) and aligned(25_600.0, 25_236.0, 15.0, 25.0) == 25_236.0


def test_revision() -> None:
    """A figure of the same day again takes its place."""
    p, s = trial(YoyDay)
    for day, x in ((date(2024, 5, 1), 90.0), (date(2024, 5, 1), 100.0)):
        YoyDay.step(p, s, moment(day), 0.0, x)
    assert YoyDay.step(p, s, moment(date(2025, 4, 30)), 0.0, 110.0) == pytest.approx(10.0)


def test_rebase() -> None:
    """What lies before the new base is brought onto it; the day itself is on it already; nothing comes of nothing."""
    p, s = trial(Rebase, at=moment(date(2026, 1, 1)), factor=0.8)
    assert [Rebase.step(p, s, moment(d), 0.0, 100.0) for d in (date(2025, 12, 31), date(2026, 1, 1))] == [80.0, 100.0]
    assert isnan(Rebase.step(p, s, 0.0, 0.0, float("nan")))
