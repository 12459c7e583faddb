"""Operators that follow the civil calendar."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from math import isnan, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.derive.cumulative import Cumulative
from detectors.derive.mom import Mom
from detectors.numbers import month_of, start_of
from detectors.trial import trial

BEIJING = timezone(timedelta(hours=8))
MONTH = 31 * 86400.0                # `every` of a monthly indicator


def at(moment: str, hours: int = 8) -> float:
    """A civil time as seconds UTC."""
    return datetime.fromisoformat(moment).replace(tzinfo=timezone(timedelta(hours=hours))).timestamp()


def run(kind: Any, points: list[tuple[float, float]], **params: Any) -> list[float | None]:
    p, s = trial(kind, **params)
    said = [kind.step(p, s, t, 0.0, x) for t, x in points]
    return [None if isnan(y) else pytest.approx(y) for y in said]


def figures(start: str, values: list[float]) -> list[tuple[float, float]]:
    """Monthly figures, each at the first moment of its month in Beijing."""
    year, month = map(int, start.split("-"))
    return [(at(f"{year + (month - 1 + i) // 12}-{(month - 1 + i) % 12 + 1:02d}-01"), x) for i, x in enumerate(values)]


@given(st.integers(1, 9998), st.integers(1, 12), st.integers(-14, 14))
def test_first_moment_of_a_month(year: int, month: int, hours: int) -> None:
    """What the calendar says, in any zone, before 1970 too; and it is in that month, the second before in the one before."""
    expected = (datetime(year, month, 1) - datetime(1970, 1, 1)).total_seconds() - hours * 3600.0
    m, offset = year * 12 + month - 1, hours * 3600.0
    assert start_of(m, offset) == expected
    assert month_of(expected, offset) == m and month_of(expected - 1.0, offset) == m - 1


@pytest.mark.parametrize(("months", "first"), [(12, 1), (12, 10), (3, 1), (1, 1), (6, 4), (4, 3)])
def test_as_a_plain_sum_over_the_calendar(months: int, first: int) -> None:
    """Three readings a day over two years and a leap day: the sum of those whose local period is the same."""
    start, points = datetime(2023, 11, 20, 6, tzinfo=BEIJING), []
    for i in range(3 * 800):
        points.append((start + timedelta(hours=8 * i), float(i % 11)))

    def period(moment: datetime) -> int:
        return (moment.year * 12 + moment.month - first) // months

    total, before, expected = 0.0, None, []
    for moment, x in points:
        total = total + x if period(moment) == before else x
        before = period(moment)
        expected.append(total)
    got = run(Cumulative, [(moment.timestamp(), x) for moment, x in points], months=months, first=first)
    assert got == expected


def test_local_new_year() -> None:
    """The total begins anew at local midnight; the reading of that moment is the new year's, in another zone not yet."""
    times = [at("2025-12-31T23:55"), at("2026-01-01T00:00"), at("2026-01-01T00:05")]
    assert run(Cumulative, [(t, 1.0) for t in times]) == [1.0, 1.0, 2.0]
    assert run(Cumulative, [(t, 1.0) for t in times], offset=0.0) == [1.0, 2.0, 3.0]


def test_coverage_since_the_beginning() -> None:
    """A year with a hole says nothing until its share is made up; a year that is seen from its first reading is whole."""
    days = [at("2025-12-30T20:00") + 86400.0 * i for i in range(12) if i not in (4, 5)]
    got = run(Cumulative, [(t, 1.0) for t in days], every=86400.0, coverage=0.75)
    assert got == [None, None, 1.0, 2.0, None, None, None, 6.0, 7.0, 8.0]
    assert run(Cumulative, [(t, 1.0) for t in days], every=86400.0, coverage=1.0)[2:] == [1.0, 2.0, *[None] * 6]
    assert run(Cumulative, [(t, 1.0) for t in days], every=86400.0)[:3] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("start", [0.0, 0.1, 299.9])
def test_coverage_at_fractions_of_a_period(start: float) -> None:
    """However a station's clock lies within the period, a full year is full."""
    begin = at("2026-01-01") + start
    got = run(Cumulative, [(begin + 300.0 * i, 1.0) for i in range(2000)], every=300.0, coverage=1.0)
    assert got == [float(i + 1) for i in range(2000)]


def test_coverage_of_monthly_figures() -> None:
    """Months are unequal, yet twelve figures are a whole year, and eleven are not."""
    for year in ("2023-01", "2024-01"):
        whole = figures(year, [1.0] * 12)
        assert run(Cumulative, whole, every=MONTH, coverage=1.0) == [float(i + 1) for i in range(12)]
        for lost in range(11):
            assert run(Cumulative, whole[:lost] + whole[lost + 1:], every=MONTH, coverage=1.0)[-1] is None


def test_revision_of_the_newest_figure() -> None:
    """A second figure of the same time takes the place of the first; a missing one is not counted; no drift remains."""
    points = figures("2026-01", [0.1, 1e15])
    got = run(Cumulative, [*points, (points[1][0], 0.2), (points[1][0] + 1.0, nan), *figures("2026-03", [0.3])])
    assert got == [0.1, 1e15, 0.3, None, 0.6]


def test_month_on_month() -> None:
    """Against the month before, over a new year too; none before, a base of 0 or a hole: nothing; the sign of up stays."""
    points = figures("2025-11", [80.0, 84.0, 63.0, 0.0, 5.0, -5.0, -4.0])
    assert run(Mom, points) == [None, 5.0, -25.0, -100.0, None, -200.0, 20.0]
    assert run(Mom, points[:1] + points[2:4]) == [None, None, -100.0]
    assert run(Mom, [points[0], points[1], (points[1][0], 88.0), points[2]]) == [None, 5.0, 10.0, pytest.approx(-28.409090909)]
    assert run(Mom, [points[0], (points[1][0], nan), points[2]]) == [None, None, None]


def test_month_of_local_time() -> None:
    """The first moment of a Beijing month lies in the month before by UTC; another zone has its own offset."""
    times = [at("2026-02-01"), at("2026-03-01"), at("2026-03-01T12:00")]
    assert run(Mom, [(t, x) for t, x in zip(times, (50.0, 60.0, 70.0), strict=True)]) == [None, 20.0, 40.0]
    assert run(Mom, [(t, x) for t, x in zip(times, (50.0, 60.0, 70.0), strict=True)], offset=0.0) == [None, 20.0, pytest.approx(100 / 6)]
