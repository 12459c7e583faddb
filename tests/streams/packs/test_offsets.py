from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import micros
from streams.errors import UsageError
from streams.packs import offsets
from streams.packs.offsets import Offset, offset, short


@pytest.mark.parametrize(("text", "months", "seconds"), [
    ("90s", 0, 90), ("1h5min", 0, 3900), ("1 h 5 min", 0, 3900), ("2d", 0, 172_800), ("1.5h", 0, 5400), ("3mo", 3, 0),
    ("1y2mo1d", 14, 86_400), ("-5min", 0, -300), ("0", 0, 0), ("2 hours", 0, 7200),
])
def test_reads(text: str, months: int, seconds: float) -> None:
    """Lengths may be put together and may hold calendar months."""
    assert offset(text) == Offset(months, round(seconds * 1e6))


@pytest.mark.parametrize("text", ["", "5", "5m", "1.5mo", "h", "5min later", "min5", "--5min"])
def test_refuses(text: str) -> None:
    """What has no clear length is refused, with what to write instead."""
    with pytest.raises(ValueError, match="write 90s"):
        offset(text)


@pytest.mark.parametrize(("start", "length", "times", "end"), [
    ("2026-01-31T00:00:00+08:00", "1mo", 1, "2026-02-28T00:00:00+08:00"),
    ("2024-01-31T00:00:00+08:00", "1mo", 1, "2024-02-29T00:00:00+08:00"),
    ("2026-11-01T00:00:00+08:00", "1mo", 3, "2027-02-01T00:00:00+08:00"),
    ("1959-01-01T00:00:00Z", "1mo", 24, "1961-01-01T00:00:00Z"),
    ("2026-06-19T08:00:00+08:00", "5min", 12, "2026-06-19T09:00:00+08:00"),
])
def test_calendar_months(start: str, length: str, times: int, end: str) -> None:
    """Months are counted in the zone of the start, to the last day where the month is shorter."""
    assert offset(length).after(datetime.fromisoformat(start), times) == micros(end)


@given(st.integers(-10**15, 10**15))
def test_short_reads_back(length: int) -> None:
    """What is printed is read as the same length."""
    assert offset(short(length)).micros == length


def test_options_have_a_fixed_length() -> None:
    """An option of a command refuses a month and names itself."""
    assert offsets.micros("1h", "--merge") == 3_600_000_000
    with pytest.raises(UsageError, match="--window: a month has no fixed length"):
        offsets.micros("1mo", "--window")
