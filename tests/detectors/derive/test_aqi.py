from __future__ import annotations

from datetime import datetime, timedelta, timezone
from math import isnan, nan

import pytest

from detectors.derive.aqi import Aqi
from detectors.trial import trial

# Concentration: sub-index, computed by hand from the standards' tables by linear interpolation, rounded up.
BOTH = {"no2": {100: 50, 200: 100, 350: 115, 700: 150, 3840: 500, 5000: 500},
        "co": {5: 50, 5.1: 51, 10: 100, 10.04: 100, 35: 150, 150: 500},
        "o3": {160: 50, 200: 100, 201: 101, 300: 150, 1200: 500},
        "so2": {150: 50, 475: 97, 500: 100, 800: 200}}
VECTORS = {
    2026: {**BOTH, "so2": {**BOTH["so2"], 801: 200, 5000: 200},
           "pm25": {0: 0, 35: 50, 36: 52, 60: 100, 60.5: 100, 60.6: 101, 75: 114, 76: 115,
                     115: 150, 150: 200, 250: 300, 500: 500},
           "pm10": {50: 50, 51: 51, 120: 100, 150: 112, 250: 150, 420: 300, 9999: 500}},
    2012: {**BOTH, "so2": {**BOTH["so2"], 1600: 300, 2620: 500, 5000: 500},
           "pm25": {0: 0, 35: 50, 36: 52, 60: 82, 75: 100, 76: 102, 115: 150, 150: 200, 250: 300, 500: 500},
           "pm10": {50: 50, 51: 51, 120: 85, 150: 100, 250: 150, 420: 300}}}
ORDER = ("so2", "no2", "pm10", "pm25", "co", "o3")
CASES = [(table, *case) for table, columns in VECTORS.items() for name, column in columns.items()
         for case in [(name, x, y) for x, y in column.items()]]


def index(table: int, t: float = 0.0, **given: float) -> list[float]:
    p, s = trial(Aqi, table=table, inputs=6)
    return [Aqi.step(p, s, t, float(k), given.get(name, nan)) for k, name in enumerate(ORDER)]


@pytest.mark.parametrize(("table", "name", "x", "y"), CASES)
def test_break_points(table: int, name: str, x: float, y: float) -> None:
    """One pollutant alone gives its own sub-index, by the tables of the year."""
    assert index(table, **{name: x})[-1] == y


def test_the_worst_counts_and_the_missing_are_left_out() -> None:
    """Nothing is said before the last input; then the largest sub-index; with no input at all, nothing."""
    said = index(2026, so2=20.0, pm10=150.0, o3=201.0)
    assert all(map(isnan, said[:5])) and said[5] == 112.0
    assert isnan(index(2026)[-1])
    assert index(2026, pm25=-3.0)[-1] == 0.0


def test_each_hour_starts_afresh() -> None:
    """A bad hour does not stay in the state."""
    p, s = trial(Aqi, table=2026, inputs=6)
    hours = [[Aqi.step(p, s, 3600.0 * h, float(k), x) for k in range(6)][-1] for h, x in enumerate((400.0, 10.0))]
    assert hours[0] > 200.0 and hours[1] == 100.0


def test_by_the_date_of_the_reading() -> None:
    """Table 0: the old table until the end of February 2026 in Beijing, the new one from then on."""
    march = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=8))).timestamp()
    assert index(0, march - 1.0, pm25=75.0)[-1] == 100.0
    assert index(0, march, pm25=75.0)[-1] == 114.0
