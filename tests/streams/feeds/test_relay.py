"""The pure parts of the relay: what its compiled reader accepts, the rules accept with the same bits; batches; blocks."""
from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import msgpack

from detectors.pack import City, FeedSource, Indicator, Pack, Site, Text
from detectors.reading import GUEST
from streams import clock
from streams.errors import UsageError
from streams.feeds.relay.batches import HEAD, Corrupt, Messages, cut
from streams.feeds.relay.columns import Columns, Fields, Reader
from streams.feeds.relay.flat import SLOW
from streams.feeds.relay.gather import Gather
from streams.feeds.rules import Rules
from streams.feeds.words import Refused

SITES = ("a", "b", "兰溪", "station-0001", "x" * 200)
NOW = clock.micros("2026-06-19T09:05:00+08:00")


def reader(scale: float = 1.0, **options: str) -> Reader:
    level = Indicator("level", "river", Text("水位"), "m", SITES)
    city = City((Pack("river", Text("江河"), (level,)),), {s: Site(s, Text(s)) for s in SITES})
    return Reader(Rules(city, FeedSource("there", "kafka", options=options, scale={"level": scale})), Fields.of(options))


ONE, TWO = {"series": "s", "time": "t", "unit": "ms", "value": "x"}, {}


def messages(values: Sequence[bytes | None]) -> Messages:
    """As a broker gives them, with something between."""
    data, start, end = b"", [], []
    for value in values:
        data += b"\x00{\"s\":"
        start.append(len(data) if value is not None else -1)
        data += value or b""
        end.append(len(data) if value is not None else -1)
    n = len(values)
    return Messages(np.frombuffer(data, np.uint8), np.array(start, np.int64), np.array(end, np.int64), np.arange(n), n)


def fast(made: Reader, value: bytes) -> tuple[int, int, float]:
    """What the compiled reader alone says."""
    found = messages([value])
    series, t, x = np.full(1, SLOW, np.int64), np.zeros(1, np.int64), np.zeros(1)
    made._read(found.buffer.ctypes.data, found.start, found.end, *made._table, series, t, x)
    return int(series[0]), int(t[0]), float(x[0])


def agrees(made: Reader, value: bytes) -> bool:
    """Accepted by the compiled reader = accepted by the rules, bit for bit; whether it was. Limits of time and value apart."""
    series, t, x = fast(made, value)
    if series == SLOW:
        return False
    slow = made.one(value, NOW)
    if isinstance(slow, Refused):
        assert slow.reason == "future" or abs(x) > 1e15, (value, slow)
        return False
    assert (made.names[series], t, x.hex()) == (slow.series, slow.t, slow.x.hex()), value
    return True


NUMBERS = st.one_of(st.integers(-10**20, 10**20).map(str), st.floats().map(repr), st.decimals(allow_nan=False).map(str),
                    st.from_regex(r"-?[0-9]{0,20}\.?[0-9]{0,20}([eE][+-]?[0-9]{1,3})?", fullmatch=True))
TIMES = st.one_of(st.integers(-10**14, 2 * 10**12).map(str), NUMBERS, st.datetimes().map(lambda d: f'"{d.isoformat()}Z"'),
                  st.from_regex(r'"20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{1,7})?(Z|[+-][0-2][0-9]:[0-6][0-9])"',
                                fullmatch=True))
NAMES = st.sampled_from(['"level@a"', '"level@兰溪"', '"level@station-0001"', '"level@c"', '"level"', '"a"', '"\\u0061"', "5", "null"])


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["s", "t", "x", "site", "indicator", "time", "value", "more", "flag"]),
                          st.one_of(NAMES, TIMES, NUMBERS, st.sampled_from(["true", '""', "[]", "{}"]))), max_size=6),
       st.sampled_from(["", " ", "\n\t"]), st.booleans())
def test_the_compiled_reader_is_never_bolder_than_the_rules(fields: list[tuple[str, str]], blank: str, one: bool) -> None:
    """Any object of such fields: accepted at once only if the rules accept it, and then as the same series, t and x."""
    body = ",".join(f'{blank}"{name}"{blank}:{blank}{value}{blank}' for name, value in fields)
    agrees(reader(**(ONE if one else TWO)), f"{blank}{{{body}}}{blank}".encode())


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(["level@a", "level@兰溪", "level@station-0001"]), TIMES, NUMBERS)
def test_the_same_bits(name: str, time: str, value: str) -> None:
    """The usual message with any time and any number."""
    agrees(reader(**ONE), f'{{"s":"{name}","t":{time},"x":{value}}}'.encode())
    indicator, _, site = name.partition("@")
    agrees(reader(), f'{{"site":"{site}","indicator":"{indicator}","time":{time},"value":{value}}}'.encode())


@settings(max_examples=1000, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 50), st.integers(0, 20))
def test_torn_and_mixed_bytes(noise: bytes, at: int, gone: int) -> None:
    """A message with rubbish in it is read by the rules, or means the same to both."""
    good = b'{"s":"level@a","t":1700000000000,"x":3.25,"more":"y"}'
    agrees(reader(**ONE), good[:at] + noise + good[at + gone:])
    agrees(reader(**ONE), noise)


@pytest.mark.parametrize("value", [
    '{"s":"level@a","t":1700000000000,"x":3.25}', '{ "x" : -0.001 , "t" : 0 , "s" : "level@x" }'.replace("level@x", "level@" + "x" * 200),
    '{"more":{},"s":"level@a","t":1,"x":2}'[0:1] + '"q":7,"s":"level@兰溪","t":1700000000123,"x":1e3}',
    '{"s":"level@station-0001","t":-5000,"x":12345678.901,"unit":"m"}'])
def test_the_usual_is_fast(value: str) -> None:
    """What feeds really send is taken by the compiled reader."""
    assert agrees(reader(**ONE), value.encode())


@pytest.mark.parametrize("time", ["2026-06-19T09:05:00+08:00", "2026-06-19T01:05:00Z", "2024-02-29T23:59:59.123456-11:30", "1901-03-01T00:00:00.5Z"])
def test_iso_is_fast(time: str) -> None:
    """Times as text too."""
    assert agrees(reader(), json.dumps({"site": "a", "indicator": "level", "time": time, "value": 1}).encode())


PACKED = {"format": "msgpack"}
WORDS = st.sampled_from(["level@a", "level@兰溪", "level@station-0001", "level@c", "level", "a", "兰溪", "2026-06-19T09:05:00+08:00"])
THINGS = st.one_of(WORDS, st.integers(-2**63, 2**64 - 1), st.integers(-10**5, 2 * 10**12), st.floats(), st.none(), st.booleans(),
                   st.binary(max_size=4), st.lists(st.integers(-9, 9), max_size=2), st.text(max_size=40), st.dictionaries(WORDS, WORDS, max_size=1))


@settings(max_examples=1500, deadline=None)
@given(st.dictionaries(st.sampled_from(["s", "t", "x", "site", "indicator", "time", "value", "more", "flag", "水"]), THINGS, max_size=6),
       st.booleans())
def test_packed_is_never_bolder_than_the_rules(fields: dict[str, Any], one: bool) -> None:
    """MessagePack: any map of such fields, with what it was read as."""
    agrees(reader(**PACKED, **(ONE if one else TWO)), msgpack.encode(fields))


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(["level@a", "level@兰溪"]), st.integers(-10**13, 10**13), st.one_of(
    st.integers(-2**63, 2**64 - 1), st.floats(), st.floats(width=32)), st.booleans(), st.binary(max_size=20), st.integers(0, 50),
       st.integers(0, 20))
def test_packed_the_same_bits(name: str, t: int, x: float, single: bool, noise: bytes, at: int, gone: int) -> None:
    """The usual message with any number, of each width; and torn, and with rubbish in it."""
    made = reader(**PACKED, **ONE)
    good = msgpack.encode({"s": name, "t": t, "x": x})
    if single and isinstance(x, float):
        with suppress(OverflowError):
            good = good[:-9] + b"\xca" + struct.pack(">f", x)
    agrees(made, good)
    agrees(made, good[:at] + noise + good[at + gone:])
    agrees(made, noise)


@pytest.mark.parametrize("value", [
    {"s": "level@a", "t": 1_700_000_000_000, "x": 3.25}, {"x": -7, "t": 0, "s": "level@" + "x" * 200, "unit": "m"},
    {"s": "level@兰溪", "t": -5000, "x": 70_000, "q": None}, {"q": -129, "s": "level@a", "t": 2**32, "x": 2**40}])
def test_packed_the_usual_is_fast(value: dict[str, Any]) -> None:
    """What feeds really send is taken by the compiled reader; a field that says nothing is not."""
    assert agrees(reader(**PACKED, **ONE), msgpack.encode(value)) == (value.get("q", 0) is not None)


def test_order_scale_and_places() -> None:
    """Fast and slow, good and bad in one answer: the good ones in their order, in the plan's unit; the bad ones with their offsets."""
    values = [b'{"s":"level@a","t":1000,"x":100}', b'{"s":"level@a","t":2000,"x":{}}', b'{"s":"\\u006cevel@a","t":3000,"x":300}', None,
              b'{"s":"level@b","t":4000,"x":null}', b'{"s":"level@a","t":99999999999999,"x":1}', b'{"s":"level@a","t":5000,"x":1e16}',
              b'{"s":"level@b","t":6000,"x":7,"flag":3}']
    made = reader(scale=0.01, **ONE)
    found = made.read(messages(values), NOW)
    assert [made.names[k] for k in found.series] == ["level@a", "level@a", "level@b", "level@b"]
    assert found.t.tolist() == [1_000_000, 3_000_000, 4_000_000, 6_000_000]
    assert found.x[[0, 1, 3]].tolist() == [1.0, 3.0, 0.07]
    assert np.isnan(found.x[2]) and found.flag.tolist() == [0, 0, 0, 3]
    assert [(offset, r.reason) for offset, r in found.refused] == [(1, "number"), (3, "json"), (5, "future"), (6, "number")]


def test_options_that_mean_nothing() -> None:
    """A unit or a format that is none."""
    for options in ({"unit": "hours"}, {"format": "xml"}):
        with pytest.raises(UsageError):
            Fields.of(options)


def batch(values: Sequence[bytes | None], base: int = 0, codec: int = 0, transactional: bool = False) -> bytes:
    """A record batch as a producer makes it."""
    made = DefaultRecordBatchBuilder(2, codec, int(transactional), 7, 0, 0, 1 << 20)
    for n, value in enumerate(values):
        made.append(n, 1_700_000_000_000 + n, b"key" if n % 2 else None, value, [("h", b"1")] if n % 3 else [])
    data = bytearray(made.build())
    data[:8] = base.to_bytes(8, "big")
    return bytes(data)


def read(found: Messages | None) -> list[tuple[int, bytes | None]]:
    assert found is not None
    return [(int(o), found.buffer[s:e].tobytes() if s >= 0 else None)
            for s, e, o in zip(found.start, found.end, found.offset, strict=True)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.binary(max_size=300)), min_size=1, max_size=20), min_size=1, max_size=4),
       st.sampled_from([0, 1, 3, 4]), st.integers(0, 100))
def test_batches(parts: list[list[bytes | None]], codec: int, gone: int) -> None:
    """Values and offsets as they were put in, from where it was asked, whatever the compression; a torn end is left for later."""
    data, wanted = b"", []
    for values in parts:
        data += batch(values, len(wanted), codec)
        wanted += list(enumerate(values, len(wanted)))
    found = cut(data, gone, [])
    assert read(found) == wanted[gone:] and found is not None and found.next == len(wanted)
    torn = cut(data[:-1], 0, [])
    assert (torn is None) == (len(parts) == 1)
    assert torn is None or read(torn) == wanted[:len(wanted) - len(parts[-1])]


def test_what_is_corrupt() -> None:
    """A flipped bit is not read as a message, in whichever byte behind the checksum."""
    data = batch([b"one", b"two"])
    for at in range(21, len(data)):
        with pytest.raises(Corrupt):
            cut(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:], 0, [])


def test_what_lies_before_a_corrupt_batch_is_read() -> None:
    """It is told where it begins and what comes after it, once it is the first; also where its records do not fit, or not unpack."""
    good, last = batch([b"a", b"b"], 10), batch([b"f"], 15)
    torn = bytearray(batch([b"c", b"d", b"e"], 12))
    torn[-1] ^= 4
    assert read(found := cut(good + torn + last, 10, [])) == [(10, b"a"), (11, b"b")]
    assert found is not None and found.next == 12
    short, squeezed = (bytearray(batch([b"c", b"d", b"e"], 12, codec)) for codec in (0, 1))
    short[HEAD.size - 4:HEAD.size] = (9).to_bytes(4, "big")             # says that it has nine records
    squeezed[HEAD.size:HEAD.size + 2] = b"no"
    for bad in (torn, summed(short), summed(squeezed)):
        with pytest.raises(Corrupt) as told:
            cut(bytes(bad) + last, 12, [])
        assert (told.value.base, told.value.next, told.value.raw) == (12, 15, bytes(bad))
        assert read(cut(good + bytes(bad) + last, 10, [])) == [(10, b"a"), (11, b"b")]


def summed(data: bytearray) -> bytearray:
    """With the checksum that belongs to it."""
    data[17:21] = calc_crc32c(bytes(data[21:])).to_bytes(4, "big")
    return data


def test_transactions_that_were_taken_back() -> None:
    """Messages of an aborted transaction are left out, and the offsets behind them are asked for next."""
    data = batch([b"a"], 0) + batch([b"b"], 1, transactional=True) + batch([b"c"], 2)
    found = cut(data, 0, [(7, 1)])
    assert read(found) == [(0, b"a"), (2, b"c")] and found is not None and found.next == 3
    assert read(cut(data, 0, [])) == [(0, b"a"), (1, b"b"), (2, b"c")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 10**6)), max_size=300), st.integers(1, 40), st.integers(1, 50))
def test_gathered(rows: list[tuple[int, int]], limit: int, step: int) -> None:
    """Every reading once, in the order of its series, in its partition; no block above the limit; names are those of the readings."""
    names = [f"level@s{n}" for n in range(60)]
    made = Gather(names, ["river"] * 60, 4, "there", limit=limit)
    full = []
    for answer, first in enumerate(range(0, len(rows), step)):
        some = rows[first:first + step]
        made.add(Columns(np.array([k for k, _ in some], np.int64), np.array([t for _, t in some], np.int64),
                         np.array([t / 7 for _, t in some]), np.zeros(len(some), np.uint8), []), answer, answer)
        full += made.close(answer)
        assert made.oldest() is None or made.oldest() <= answer
    full += made.close()
    found: dict[str, list[Any]] = {}
    for partition, first, block, packs in full:
        assert 0 < len(block) <= limit and packs == {"river": len(block)} and first >= 0
        for i, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True):
            assert made.home[names.index(block.series[i])] == partition and x == t / 7
            found.setdefault(block.series[i], []).append(t)
    wanted: dict[str, list[int]] = {}
    for k, t in rows:
        wanted.setdefault(names[k], []).append(t)
    assert found == wanted


def test_a_busy_partition_repeats_its_dictionary() -> None:
    """The second block with the same series names them in the same tuple; a block of one names only its own."""
    made = Gather([f"level@s{n}" for n in range(400)], ["river"] * 400, 1, "there", limit=300)

    def block(first: int, count: int) -> Any:
        columns = Columns(np.arange(first, first + count), np.arange(count), np.zeros(count), np.zeros(count, np.uint8), [])
        made.add(columns, 0, 0)
        (one,) = made.close()
        return one.block

    assert len(block(0, 300).series) == 300
    again = block(100, 300).series
    assert len(again) == 400 and block(0, 300).series is again
    assert block(7, 1).series == ("level@s7",)


def test_guests_are_gathered_where_sites_feed_on_them() -> None:
    """Flagged there and counted at home only, in the order of arrival, repeated dictionaries included."""
    names = [f"level@s{n}" for n in range(8)]
    plain = Gather(names, ["river"] * 8, 4, "there")
    away = {names[n]: frozenset({(int(plain.home[n]) + 1) % 4, int(plain.home[n])}) for n in (0, 1)}
    made = Gather(names, ["river"] * 8, 4, "there", guests=away)
    some = np.array([0, 5, 1, 0, 7], np.int64)
    made.add(Columns(some, np.arange(5), np.zeros(5), np.zeros(5, np.uint8), []), 0, 0)
    full = made.close()
    found = {(p, block.series[i], int(t)): int(flag) for p, _, block, _ in full
             for i, t, flag in zip(block.index, block.t, block.flag, strict=True)}
    at_home = {(int(made.home[n]), names[n], t): 0 for t, n in enumerate(some.tolist())}
    assert found == at_home | {((int(made.home[n]) + 1) % 4, names[n], t): GUEST for t, n in enumerate(some.tolist()) if n < 2}
    assert sum(packs.get("river", 0) for _, _, _, packs in full) == 5
