"""The bytes on the topics: they are read by programs of other versions, so each record type has golden bytes."""
from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.event import Change
from detectors.reading import GUEST, Block, Fence, Fit, Part, PlanRecord, Source, Tick
from streams.codec import BadRecord, Changes, Record, decode, encode

BLOCK = Block(("level@a", "level@b"), np.array([0, 1], np.int32), np.array([-1, 2], np.int64),
              np.array([1.5, np.nan]), np.array([0, GUEST], np.uint8), np.array([7, 8], np.int64), ("s",),
              np.array([0, 0], np.uint8), 9)
CHANGE = Change(id="a-1", alert="a", seq=1, time=5, arrived=6, site="a", indicator="level", detector="p/d", to=4, value=30.0,
                score=30.0, limit=29.0, since=4, onset=3, forecast=(1.0, 0.5, 2.0), members=("level@a",))
GOLDEN: dict[str, tuple[Record, str]] = {
    "tick": (Tick(1_700_000_000_000_000, 3), "017492cf00060a24181e400003"),
    "plan": (PlanRecord("00ff"), "017091a430306666"),
    "source": (Source("s", True, 5, 6), "017394a173c30506"),
    "fit": (Fit("level@a", "p/d", (1.0, 2.0), "history", "h"),
            "016695a76c6576656c4061a3702f6492cb3ff0000000000000cb4000000000000000a7686973746f7279a168"),
    "part": (Part(1, "rain@x", 5, 2.5, 3, 4, 9), "01619701a67261696e407805cb4004000000000000030409"),
    "fence": (Fence("readings.2"), "017891aa72656164696e67732e32"),
    "block": (BLOCK, "016299"
              "92a76c6576656c4061a76c6576656c4062" "c4080000000001000000" "c410ffffffffffffffff0200000000000000"
              "c410000000000000f83f000000000000f87f" "c4020080" "c41007000000000000000800000000000000" "91a173" "c400" "09"),
    "changes": (Changes((CHANGE,), 2, 40), "016393"
                "91de0010" "01a3612d31" "02a161" "0301" "0605" "0706" "09a161" "0ba56c6576656c" "0ca3702f64" "0f04"
                "15cb403e000000000000" "16cb403e000000000000" "17cb403d000000000000" "1804" "1903"
                "1a93cb3ff0000000000000cb3fe0000000000000cb4000000000000000" "1b91a76c6576656c4061" "0228"),
}


def same(a: Record, b: Record) -> bool:
    """Equal, columns too."""
    if isinstance(a, Block) and isinstance(b, Block):
        columns = ("index", "t", "x", "flag", "arrived", "source")
        return (a.series, a.sources, a.sent) == (b.series, b.sources, b.sent) and all(
            np.array_equal(getattr(a, c), getattr(b, c), equal_nan=c == "x") for c in columns)
    return a == b


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes(name: str) -> None:
    """Each record type has these bytes, and they are read back as the same record."""
    record, golden = GOLDEN[name]
    assert encode(record).hex() == golden
    assert same(decode(bytes.fromhex(golden)), record)


def test_a_newer_version_is_refused() -> None:
    """A record of a version that this program does not know is refused by name, never guessed at."""
    with pytest.raises(BadRecord, match="version 2"):
        decode(b"\x02" + encode(Tick(1))[1:])


def test_one_arrival_for_all_is_one_number() -> None:
    """Readings that arrived together carry their arrival once."""
    block = Block.of([("level@a", t, 1.0) for t in range(1000)], arrived=5)
    assert len(encode(block)) < 1000 * 20.1
    assert same(decode(encode(block)), block)


ZERO = "c4080000000000000000"
WRONG = ["", "01", "0171", "0174", "017491a161", "017005", "0174" + "91" * 5000, "016380", "0163939105c0c0",
         f"01629991a161c40400000000{ZERO}{ZERO}c400cfffffffffffffffff91a0c40000",
         f"01629991a161c40401000000{ZERO}{ZERO}c4000591a0c40000"]


@pytest.mark.parametrize("data", WRONG, ids=range(len(WRONG)))
def test_wrong_in_a_known_way(data: str) -> None:
    """Nothing, no body, no such type, a text for a time, endless nesting, a number too large, an index outside: all refused."""
    with pytest.raises(BadRecord):
        decode(bytes.fromhex(data))


@given(st.lists(st.tuples(st.sampled_from(["a@x", "b@y", "河@z"]), st.integers(-2**62, 2**62), st.floats()), max_size=20),
       st.integers(0, 2**50))
def test_blocks_come_back(rows: list[tuple[str, int, float]], arrived: int) -> None:
    """Any block comes back as it was, before 1970 and NaN too."""
    block = Block.of(rows, arrived=[arrived + n % 3 for n in range(len(rows))], sent=arrived)
    assert same(decode(encode(block)), block)


@given(st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    """Bytes from anywhere are refused as bad records, in no other way."""
    with suppress(BadRecord):
        decode(data)


@given(st.sampled_from(sorted(GOLDEN)), st.integers(0, 400), st.integers(0, 255), st.integers(0, 40))
def test_damaged_records(name: str, place: int, byte: int, cut: int) -> None:
    """A record with a byte changed or a piece cut off is another record or a bad one; nothing else is raised."""
    data = bytearray.fromhex(GOLDEN[name][1])
    data[place % len(data)] = byte
    with suppress(BadRecord):
        decode(bytes(data[:len(data) - cut]))
