"""What waited for an old generation goes to the new one: every reading once, where its site is now, in its own order; clocks and
words on sources to every heir; other topics as they are.
"""
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.reading import GUEST, Block, Source, Tick
from streams.codec import decode, encode
from streams.feeds.regroup import regroup
from streams.shards import partition

OLDER = {"w.readings": 2, "w.readings.2": 4}
SITES = [f"s{n}" for n in range(40)]


def rows(of: list[tuple[str, int, bytes]]) -> list[tuple[int, str, int, float, int]]:
    """(partition, series, t, x, flag) of blocks."""
    found = []
    for topic, p, value in of:
        block = decode(value)
        assert topic == "w.readings.3"
        assert isinstance(block, Block)
        found += [(p, block.series[i], t, x, f) for i, t, x, f in zip(
            block.index.tolist(), block.t.tolist(), block.x.tolist(), block.flag.tolist(), strict=True)]
    return found


@given(st.lists(st.tuples(st.sampled_from(SITES), st.floats(-9, 9)), min_size=1, max_size=60), st.sampled_from([("w.readings", 2), ("w.readings.2", 4)]))
def test_each_reading_once_in_order(some: list[tuple[str, float]], old: tuple[str, int]) -> None:
    """Cut by site; arrival, source and wall clock stay."""
    topic, count = old
    for p in range(count):
        mine = [(f"level@{s}", n, x) for n, (s, x) in enumerate(some) if partition(s, count) == p]
        if not mine:
            continue
        block = Block.of(mine, arrived=77, source="f", sent=5)
        out = regroup((topic, p, encode(block)), OLDER, "w.readings.3", 8)
        assert sorted((s, t, x) for _, s, t, x, _ in rows(out)) == sorted(mine)
        assert all(partition(s.partition("@")[2], 8) == q for q, s, *_ in rows(out))
        for _, q, value in out:
            part = decode(value)
            assert isinstance(part, Block)
            assert part.t.tolist() == sorted(part.t.tolist()), q
            assert (set(part.arrived.tolist()), part.sources, part.sent) == ({77}, ("f",), 5)


def test_control_records_go_to_every_heir() -> None:
    """A tick says its own partition; a source is the same record."""
    out = regroup(("w.readings", 1, encode(Tick(5, 1))), OLDER, "w.readings.3", 8)
    assert [(p, decode(v)) for _, p, v in out] == [(p, Tick(5, p)) for p in (1, 3, 5, 7)]
    word = encode(Source("f", True, 1, 2))
    assert regroup(("w.readings.2", 3, word), OLDER, "w.readings.3", 8) == [("w.readings.3", p, word) for p in (3, 7)]


def test_guests_go_to_every_heir() -> None:
    """A block does not say whose guest a reading is."""
    block = Block.of([("level@s1", 1, 1.0)], arrived=1)
    block.flag[:] = GUEST
    assert [p for p, *_ in rows(regroup(("w.readings", 0, encode(block)), OLDER, "w.readings.3", 4))] == [0, 2]


def test_the_rest_is_left_alone() -> None:
    """The topic of today, and every other one; bytes that are no record only change the topic."""
    for topic in ("w.readings.3", "w.rejects"):
        assert regroup((topic, 5, b"\x01t"), OLDER, "w.readings.3", 8) == [(topic, 5, b"\x01t")]
    assert regroup(("w.readings", 1, b"junk"), OLDER, "w.readings.3", 8) == [("w.readings.3", 1, b"junk")]
