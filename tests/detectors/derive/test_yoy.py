from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from math import isnan, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.derive.yoy import Yoy
from detectors.numbers import month_of
from detectors.trial import trial

BEIJING = timezone(timedelta(hours=8))


def first(month: str, zone: Any = BEIJING) -> float:
    return datetime.fromisoformat(f"{month}-01").replace(tzinfo=zone).timestamp()


def run(figures: dict[str, float], zone: Any = BEIJING, **params: Any) -> list[float | None]:
    p, s = trial(Yoy, **params)
    said = [Yoy.step(p, s, first(month, zone), 0.0, x) for month, x in figures.items()]
    return [None if isnan(y) else pytest.approx(y) for y in said]


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-14, 14))
def test_civil_month(moment: datetime, hours: int) -> None:
    """The month of any moment in any zone, before 1970 too, is what the calendar says."""
    local = moment + timedelta(hours=hours)
    seconds = (moment - datetime(1970, 1, 1)).total_seconds()
    assert month_of(seconds, hours * 3600.0) == local.year * 12 + local.month - 1


def test_same_month_a_year_before() -> None:
    """Each month is compared with its own month, across a gap and a year's end; none before: NaN."""
    months = [f"{2022 + i // 12}-{i % 12 + 1:02d}" for i in range(40) if i != 20]
    expected = [None if i < 12 or i == 32 else 100.0 * 12 / (100.0 + i - 12) for i in range(40) if i != 20]
    assert run({m: 100.0 + (int(m[:4]) - 2022) * 12 + int(m[5:]) - 1 for m in months}) == expected


def test_local_time() -> None:
    """The first moment of a Beijing month lies in the month before by UTC; another zone has its own offset."""
    assert run({"2024-03": 50.0, "2025-03": 60.0}) == [None, 20.0]
    assert run({"1959-01": 50.0, "1960-01": 60.0}, UTC, offset=0.0) == [None, 20.0]


def test_revision_and_sign() -> None:
    """A figure given again replaces the old one; a negative base keeps the sense of up; a base of 0 says nothing."""
    p, s = trial(Yoy)
    for month, x in (("2024-05", 90.0), ("2024-05", 100.0), ("2024-06", -10.0), ("2024-07", 0.0)):
        Yoy.step(p, s, first(month), 0.0, x)
    said = [Yoy.step(p, s, first(m), 0.0, x) for m, x in (("2025-05", 110.0), ("2025-06", -5.0), ("2025-07", 3.0))]
    assert said[:2] == [pytest.approx(10.0), pytest.approx(50.0)] and isnan(said[2])


def test_missing_figure() -> None:
    """A missing figure says nothing and is not kept."""
    assert run({"2024-05": 100.0, "2025-05": nan, "2026-05": 90.0}) == [None, None, None]


def test_january_and_february_together() -> None:
    """With merge, January waits and February compares the two months; published as one figure, they compare as one."""
    both = {"2024-01": 60.0, "2024-02": 40.0, "2024-03": 50.0, "2025-01": 50.0, "2025-02": 60.0, "2025-03": 55.0}
    assert run(both, merge=1) == [None, None, None, None, 10.0, 10.0]
    assert run({"2024-02": 100.0, "2025-02": 110.0}, merge=1) == [None, 10.0]
    assert run({"2024-02": 100.0, "2025-01": 50.0, "2025-02": 60.0}, merge=1) == [None, None, None]
    assert run(both)[3:5] == [pytest.approx(-100.0 / 6.0), 50.0]
