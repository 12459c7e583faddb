"""Series beside the flags they must get, written as one reads them."""
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from math import nan
from typing import Any

import numpy as np
import pytest

from detectors.checks.attenuated import Attenuated
from detectors.checks.change import Change
from detectors.checks.climatology import Climatology
from detectors.checks.date import Date
from detectors.checks.flat import Flat
from detectors.checks.gap import Gap
from detectors.checks.jump import Jump
from detectors.checks.missing import Missing
from detectors.checks.oscillation import Oscillation
from detectors.checks.range import Range
from detectors.checks.rate import Rate
from detectors.checks.spike import Spike
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


@pytest.mark.parametrize(("params", "expected"), [
    (dict(suspect=1.0), "1 3 3 1"),
    (dict(suspect=1.0, suspect_up=2.0), "1 1 3 1"),                 # up has its own, down has that of both
    (dict(suspect=1.0, suspect_down=2.0), "1 3 1 1"),
    (dict(suspect_up=1.0), "1 3 1 1"),                              # one way alone
    (dict(suspect_down=1.0, fail_down=1.2), "1 1 4 1"),
    (dict(suspect=1.0, fail=1.2, fail_up=9.0, fail_down=9.0), "1 3 3 1"),
])
def test_rate_of_each_way(params: dict[str, float], expected: str) -> None:
    """Up 90 in a minute, down 90, steady: the limit of a way takes the place of that of both; negated, the other way."""
    assert flags(Rate, every(60.0, "0 90 0 0"), "0 90 0 0", **params) == expected
    turned = {name.replace("_up", "_x").replace("_down", "_up").replace("_x", "_down"): value
              for name, value in params.items()}
    assert flags(Rate, every(60.0, "0 -90 0 0"), "0 -90 0 0", **turned) == expected


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


LOW, HIGH = [float(m) for m in range(1, 13)], [10.0 + m for m in range(1, 13)]


@pytest.mark.parametrize("year", [1931, 2024, 2026])
def test_climatology(year: int) -> None:
    """Each month has its own usual span, ends inside, from its first to its last second in local time, any year."""
    for zone in (8, 0, -5):
        p, s = trial(Climatology, low=LOW, high=HIGH, offset=zone * 3600.0)
        for m in range(1, 13):
            first = datetime(year, m, 1, tzinfo=timezone(timedelta(hours=zone)))
            last = (first + timedelta(days=32)).replace(day=1) - timedelta(seconds=1)
            for moment in (first, last):
                said = [Climatology.step(p, s, moment.timestamp(), x) for x in (m - 0.1, m, m + 10.0, m + 10.1)]
                assert said == [3.0, 1.0, 1.0, 3.0]


def test_climatology_with_an_end_off() -> None:
    """A month's end that is off flags nothing on that side."""
    p, s = trial(Climatology, low=[nan] * 12, high=HIGH)
    assert [Climatology.step(p, s, 0.0, x) for x in (-1e300, 11.1)] == [1.0, 3.0]


@pytest.mark.parametrize(("values", "expected"), [
    ("0 9 0 0 0", "1 1 1 1 1"),                         # fewer than three before: nothing to compare with
    ("0 0 0 2 0", "1 1 1 3 1"),                         # one spike, and its neighbour is good
    ("0 0 0 1 1.1", "1 1 1 1 3"),                       # just at the limit is not farther
    ("0 0 0 9 9 0 0", "1 1 1 4 4 1 1"),                 # two readings long
    ("0 0 0 0 0 9 9 9 9 9", "1 1 1 1 1 4 4 4 1 1"),     # a step that stays: until the median follows
    ("0 0 0 9 9 9 9", "1 1 1 4 4 4 1"),                 # the same while the five fill up
    ("0 1 2 3 4 5 6 7 8", "1 1 1 3 3 3 3 3 3"),         # a ramp of 1 a reading lags by three: above the limit
    ("0 .3 .6 .9 1.2 1.5 1.8 2.1", "1 1 1 1 1 1 1 1"),  # slower ones do not
])
@pytest.mark.parametrize("sign", ["", "-"])
def test_spike(values: str, expected: str, sign: str) -> None:
    """Against the median of up to five readings before: suspect above 1, fail above 5, negated too."""
    series = " ".join(sign + x for x in values.split())
    assert flags(Spike, every(300.0, values), series, suspect=1.0, fail=5.0) == expected


def test_spike_after_a_gap_and_off() -> None:
    """After a long gap nothing is compared until three readings are there again; limits that are off flag nothing."""
    times = [0.0, 300.0, 600.0, 900.0, 9000.0, 9300.0, 9600.0, 9900.0]
    assert flags(Spike, times, "0 0 0 0 9 9 9 0", suspect=1.0, gap=3600.0) == "1 1 1 1 1 1 1 3"
    assert flags(Spike, times, "0 0 0 0 9 9 9 0", suspect=1.0) == "1 1 1 1 3 3 3 3"
    assert flags(Spike, times, "0 0 0 0 9 9 9 0") == "1 1 1 1 1 1 1 1"


@pytest.mark.parametrize(("values", "expected"), [
    ("0 0 0 2 2 2 2 2 2 2 2", "1 1 1 1 1 3 3 3 3 3 1"),         # from hold (10 min) until keep (35 min), then believed
    ("0 0 0 9 9 9 9 9 9 9 9", "1 1 1 1 1 4 4 4 4 4 1"),         # a large one fails
    ("0 0 0 2 2 0 0 0 2 2 2", "1 1 1 1 1 1 1 1 1 1 3"),         # back within hold: a wave, never flagged
    ("0 0 0 2 2 2 .6 .5 .5 0 0", "1 1 1 1 1 3 3 1 1 1 1"),      # back within half of the limit ends it
    ("0 0 0 1 1 1 1 1 1 1 1", "1 1 1 1 1 1 1 1 1 1 1"),         # at the limit is no shift
    ("0 .3 .6 .9 1.2 1.5 1.8 2.1 2.4 2.7 3", "1 1 1 1 1 1 1 1 1 1 1"),      # nor is a slow rise
    ("0 0 0 2 2 -2 2 2 2 2 2", "1 1 1 1 1 3 3 3 3 3 1"),        # away is away, either side
])
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("start", [0.0, 1.7e9 + 0.1])
def test_jump(values: str, expected: str, sign: str, start: float) -> None:
    """A shift of more than 1 that stays for 10 minutes is doubtful until 35 minutes have passed; above 5 it fails."""
    series = " ".join(f"{-float(x)}" if sign else x for x in values.split())
    params = dict(suspect=1.0, fail=5.0, hold=600.0, keep=2100.0)
    assert flags(Jump, every(300.0, values, start), series, **params) == expected


def test_jump_again_and_over_a_gap() -> None:
    """What is believed is the new level: a second shift is found against it; over a gap nothing is compared."""
    values = "0 0 0 2 2 2 2 2 2 2 2 2 4 4 4"
    assert flags(Jump, every(300.0, values), values, suspect=1.0, hold=600.0, keep=900.0) == "1 1 1 1 1 3 1 1 1 1 1 1 1 1 3"
    times = [0.0, 300.0, 600.0, 9000.0, 9300.0, 9600.0]
    assert flags(Jump, times, "0 0 0 2 2 2", suspect=1.0, hold=0.0, gap=3600.0) == "1 1 1 1 1 1"
    assert flags(Jump, times, "0 0 0 2 2 2", suspect=1.0, hold=0.0) == "1 1 1 3 3 3"


@pytest.mark.parametrize(("values", "expected"), [
    ("0 1 0 1 0 1 0 1", "1 1 1 3 4 4 4 4"),             # the first movement is no turn
    ("0 .9 0 .9 0 .9 0 .9", "1 1 1 1 1 1 1 1"),         # smaller than the swing
    ("0 .5 1 .5 0 .5 1 .5", "1 1 1 1 1 1 3 3"),         # slower; counted where the swing is complete
    ("0 1 2 3 4 5 6 7", "1 1 1 1 1 1 1 1"),             # no turn
    ("0 9 9 9 0 0 0 9", "1 1 1 1 1 1 1 3"),             # resting does not turn
    ("26.5 26.6 26.5 26.6 26.5 26.6", "1 1 1 1 1 1"),
])
@pytest.mark.parametrize("sign", ["", "-"])
def test_oscillation(values: str, expected: str, sign: str) -> None:
    """Two turns of 1 or more within the hour are doubtful, three a fault, negated too."""
    series = " ".join(sign + x for x in values.split())
    params = dict(swing=1.0, over=3600.0, suspect=2, fail=3)
    assert flags(Oscillation, every(300.0, values), series, **params) == expected


def test_oscillation_forgets() -> None:
    """Turns leave the window, a turn just as old as the window too; a swing given in binary fractions is met."""
    assert flags(Oscillation, [0, 300, 600, 900, 4199, 4200], "0 1 0 1 1 1", swing=1.0, over=3600.0, suspect=2) == "1 1 1 3 3 1"
    assert flags(Oscillation, every(300.0, "26.5 26.51 26.5 26.51"), "26.5 26.51 26.5 26.51", swing=0.01, over=3600.0,
                 suspect=2) == "1 1 1 3"


def test_oscillation_counts_as_a_plain_search_does() -> None:
    """Random walks: as many turns as a search over the whole series finds, up to the 32 that are kept."""
    rng = np.random.default_rng(3)
    x = rng.normal(0.0, 1.0, 400).cumsum()
    turns, peak, trough, way = [], x[0], x[0], 0
    for i, v in enumerate(x):
        peak, trough = max(peak, v), min(trough, v)
        if (way >= 0 and peak - v >= 1.5) or (way <= 0 and v - trough >= 1.5):
            new = -1 if way > 0 or (way == 0 and peak - v >= 1.5) else 1
            turns += [i] if way else []
            peak, trough, way = v, v, new
    expected = " ".join("3" if sum(i - 50 < k <= i for k in turns) >= 8 else "1" for i in range(400))
    assert "3" in expected and "1" in expected
    assert flags(Oscillation, [60.0 * i for i in range(400)], " ".join(map(str, x)), swing=1.5, over=3000.0, suspect=8) == expected


@pytest.mark.parametrize("start", [0.0, -1e9, 1.7e9])
def test_attenuated_as_numpy_has_it(start: float) -> None:
    """Suspect and fail exactly where the deviation of the clock's sixteen parts is small, once three quarters are spanned."""
    rng, parts = np.random.default_rng(5), 225.0
    times = start + np.cumsum(rng.uniform(20.0, 200.0, 500))
    x = 26.0 + rng.normal(0.0, 1.0, 500) * np.repeat([1.0, 0.05, 0.4, 1.0, 0.3], 100)
    part, expected = np.floor(times / parts), []
    for i in range(500):
        inside = (part[:i + 1] > part[i] - 16) & (np.arange(i + 1) <= i)
        deviation = x[:i + 1][inside].std()
        young = inside.sum() < 5 or part[:i + 1][inside].min() > part[i] - 12
        expected.append("1" if young else "4" if deviation < 0.1 else "3" if deviation < 0.5 else "1")
    assert set(expected) == {"1", "3", "4"}
    assert flags(Attenuated, times.tolist(), " ".join(map(repr, x.tolist())), over=3600.0, suspect=0.5,
                 fail=0.1) == " ".join(expected)


def test_attenuated_needs_readings() -> None:
    """After a gap, and with few readings, nothing is said; off, neither; a constant series is the smallest there is."""
    times = [*every(300.0, "0 " * 12), 90000.0, 90300.0]
    assert flags(Attenuated, times, "5 " * 14, over=3600.0, fail=0.1) == "1 1 1 1 1 1 1 1 1 4 4 4 1 1"
    assert flags(Attenuated, times, "5 " * 14, over=3600.0, fail=0.1, least=99) == "1 " * 13 + "1"
    assert flags(Attenuated, times, "5 " * 14, over=3600.0) == "1 " * 13 + "1"


@pytest.mark.parametrize("start", [0.0, -1e9, 1.7e9 + 0.1])
def test_gap(start: float) -> None:
    """The reading that ends a gap is flagged, none else; just as long as allowed is not longer."""
    times = [start + t for t in (0.0, 600.0, 1201.0, 1500.0, 5100.0, 8701.0, 8701.0)]
    assert flags(Gap, times, "5 5 5 5 5 5 5", suspect=600.0, fail=3600.0) == "1 1 3 1 3 4 1"
    assert flags(Gap, times, "5 5 5 5 5 5 5") == "1 1 1 1 1 1 1"


def test_dates() -> None:
    """A clock that was reset, a time off the grid and a rest day are no dates of a reading; the grid is of local time."""
    p, s = trial(Date, after=1420041600.0, grid=86400.0, on=1)
    thursday = 1782316800.0 - 1782316800.0 % 86400.0 + 57600.0         # midnight in China, 2026-06-25
    assert (thursday + 28800.0) // 86400.0 % 7 == 0
    times = (946656000.0, thursday, thursday + 1.0, thursday + 2 * 86400.0, thursday + 4 * 86400.0)
    assert [Date.step(p, s, t, 1.0) for t in times] == [4.0, 1.0, 4.0, 4.0, 1.0]


def test_a_month_may_have_its_own_impossible_values() -> None:
    """Climatology fails beyond the month's own bounds and doubts beyond what is usual in it."""
    p, s = trial(Climatology, low=range(12), high=range(10, 22), fail_low=[-5] * 12, fail_high=[30] * 11 + [20])
    july, december = 1783000000.0, 1796500000.0
    assert [Climatology.step(p, s, t, x) for t, x in ((july, 16.5), (july, 29.0), (july, 31.0), (december, 22.0), (july, -6.0))] == [
        3.0, 3.0, 4.0, 4.0, 4.0]


REST = "5 6 5 4 " * 10


@pytest.mark.parametrize(("values", "expected"), [
    ("5 45 5", "1 1 3"),                # a spike below `up` is doubted as it comes back
    ("5 106 86 90", "1 3 1 1"),         # above `up` at once; what is large for the hour is then usual
    ("5 -16 -16", "1 3 1"),             # down by more than 20 times the usual 1, and staying
    ("5 -14.9 -14.9", "1 1 1"),         # less is not
    ("5 4.7 4.2", "1 1 1"),
])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("start", [0.0, -1e9, 1.7e9 + 0.1])
def test_change(values: str, expected: str, scale: float, start: float) -> None:
    """Twenty times the usual change down, a hundred times up, whatever the unit, once enough was seen."""
    series = " ".join(repr(float(x) * scale) for x in (REST + values).split())
    told = flags(Change, every(900.0, series, start), series, least=40.0)
    assert told == "1 " * 40 + expected
    assert flags(Change, every(900.0, series, start), series, least=99.0) == " ".join("1" * len(series.split()))


def test_change_each_way_has_its_own_limit() -> None:
    """Turned over, what fell rises: the limits change places; limits that are huge flag nothing."""
    values = REST + "5 45 5"
    turned = " ".join(f"{-float(x)}" for x in values.split())
    times = every(900.0, values)
    assert flags(Change, times, values, up=30.0, down=50.0, least=30.0)[-5:] == "1 3 1"
    assert flags(Change, times, turned, up=50.0, down=30.0, least=30.0)[-5:] == "1 3 1"
    assert "3" not in flags(Change, times, values, up=1e9, down=1e9)


def test_change_learns_what_is_usual_here() -> None:
    """A fall that is a fault at a quiet site is none at a restless one, nor within hours of a storm that came by steps."""
    restless = "20 50 20 -10 " * 10
    for before, flag in ((REST, "3"), (restless, "1")):
        assert flags(Change, every(900.0, before + "5 -25"), before + "5 -25")[-1] == "1"      # fewer than `least`
        assert flags(Change, every(900.0, before + "5 -25"), before + "5 -25", least=40.0)[-1] == flag
    storm = 3 * REST + "5 8 12 20 30 45 65 85 105 125 145 165 "
    assert flags(Change, every(900.0, storm + "85"), storm + "85")[-1] == "1"
    later = [*every(900.0, storm), 1e6 - 900.0, 1e6]
    assert flags(Change, later, storm + "165 85")[-1] == "3"


def test_change_and_resolution() -> None:
    """A series that rested for long is not doubted for moving by its resolution again, nor after a gap."""
    still = REST + "4 " * 2000
    assert flags(Change, every(900.0, still + "3"), still + "3", down=5.0)[-1] == "1"
    assert flags(Change, every(900.0, still + "-9"), still + "-9", down=5.0)[-1] == "3"
    times = every(900.0, REST + "4")
    assert flags(Change, [*times, times[-1] + 7200.0], REST + "4 -96", least=40.0, gap=3600.0)[-1] == "1"
    assert flags(Change, [*times, times[-1] + 7200.0], REST + "4 -96", least=40.0)[-1] == "3"
