"""Series beside the flags they must get, written as one reads them."""
from __future__ import annotations

from math import nan
from typing import Any

import pytest

from detectors.checks.flat import Flat
from detectors.checks.missing import Missing
from detectors.checks.range import Range
from detectors.checks.rate import Rate
from detectors.trial import trial


def flags(check: Any, times: list[float], values: str, **params: Any) -> str:
    p, s = trial(check, **params)
    return " ".join(f"{check.step(p, s, t, float(x)):.0f}" for t, x in zip(times, values.split(), strict=True))


def every(seconds: float, values: str, start: float = 0.0) -> list[float]:
    return [start + seconds * i for i in range(len(values.split()))]


@pytest.mark.parametrize(("fail", "suspect", "values", "expected"), [
    ((0.0, 60.0), (15.0, 45.0), "0 -0.001 15 14.9 45 45.1 60 60.1", "3 4 1 3 1 3 3 4"),
    ((nan, nan), (nan, nan), "0 1e300 -1e300", "1 1 1"),
    ((nan, 10.0), (nan, nan), "-1e300 10 11", "1 1 4"),
    ((nan, nan), (0.0, nan), "-1 1e300", "3 1"),
])
def test_range(fail: Any, suspect: Any, values: str, expected: str) -> None:
    """Fail outside the possible span, suspect outside the usual one, the ends inside, an end that is off never."""
    assert flags(Range, every(60.0, values), values, fail=fail, suspect=suspect) == expected


@pytest.mark.parametrize(("times", "values", "expected"), [
    ([0, 60, 120], "0 60 120", "1 1 1"),                # just at the limit is not faster
    ([0, 60, 120], "0 61 0", "1 3 3"),                  # suspect readings are accepted, so coming back is one too
    ([0, 60, 120, 180], "0 301 1 2", "1 4 1 1"),        # failed ones are not: the spike damns no neighbour
    ([0, 60, 60, 60], "0 1 9000 1", "1 1 1 1"),         # no time has passed: no rate
    ([0, 60, 120, 180, 240], "0 900 900 900 900", "1 4 4 3 1"),   # a true step is accepted in the end
    ([-1e9, -1e9 + 60], "0 -301", "1 4"),               # before 1970, downwards
])
def test_rate(times: list[float], values: str, expected: str) -> None:
    """Against the last accepted reading, both ways: suspect above 1 a second, fail above 5 a second."""
    assert flags(Rate, times, values, suspect=1.0, fail=5.0) == expected


def test_rate_off() -> None:
    """Limits that are off flag nothing."""
    assert flags(Rate, [0.0, 1.0], "0 1e300") == "1 1"


@pytest.mark.parametrize(("values", "expected"), [
    ("5 5 5 5 5 5", "1 1 3 3 4 4"),
    ("5 5 6 6 6 6", "1 1 1 1 3 3"),
    ("5 5.01 5 5.01 5 5.01", "1 1 3 3 4 4"),            # within the tolerance of each other
    ("5 5.01 5.02 5.03 5.04 5.05", "1 1 1 1 1 1"),      # creeping is not flat
    ("26.5 26.51 26.5 26.51 26.5 26.51", "1 1 3 3 4 4"),          # 26.51 - 26.5 > 0.01 in binary
    ("0 0 0 0 0 0", "1 1 3 3 4 4"),
])
@pytest.mark.parametrize("start", [0.0, -1e9, 1.7e9 + 0.1])
@pytest.mark.parametrize("sign", ["", "-"])
def test_flat(values: str, expected: str, start: float, sign: str) -> None:
    """Suspect from 10 minutes and fail from 20 minutes on, at any date, negated too."""
    series = " ".join(sign + x for x in values.split())
    assert flags(Flat, every(300.0, values, start), series, suspect=600.0, fail=1200.0, within=0.01) == expected


def test_flat_off() -> None:
    """Durations that are off flag nothing."""
    assert flags(Flat, [0.0, 1e9], "5 5") == "1 1"


def test_missing() -> None:
    """Exactly the code is missing; off, nothing is."""
    assert flags(Missing, every(60.0, "1 2 3 4"), "9999 9999.999 -9999 0", code=9999.999) == "1 9 1 1"
    assert flags(Missing, [0.0], "0") == "1"
