"""Blocks: nothing lost, the order of each site kept, never over the limits."""
from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.reading import GUEST
from streams.feeds.blocks import LIMIT, WAIT, Blocker, Closed
from streams.feeds.words import Reading
from streams.shards import partition

SITES = [f"s{i}" for i in range(9)]
STEP = st.tuples(st.sampled_from(SITES), st.integers(0, 40_000), st.floats(allow_nan=False), st.sampled_from(["a", "b"]))


def reading(site: str, t: int, x: float = 1.0, arrived: int | None = None) -> Reading:
    """One of indicator `level`."""
    return Reading(f"level@{site}", site, "p", t, x, 0, arrived)


def rows(closed: list[Closed]) -> list[tuple[str, int, float, int, str, int]]:
    """(series, t, x, arrived, source, partition) of closed blocks, in their order."""
    return [(c.block.series[i], int(t), float(x), int(a), c.block.sources[s], c.partition) for c in closed
            for i, t, x, a, s in zip(c.block.index, c.block.t, c.block.x, c.block.arrived, c.block.source, strict=True)]


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, max_size=80), st.sampled_from([1, 4, 16]), st.integers(1, 7))
def test_all_readings_come_out_once_in_order_within_the_limits(steps: list, partitions: int, limit: int) -> None:
    """In the partition of their site, with their source, at most `limit` a block and never older than 50 ms at a look."""
    blocker, now, closed, told = Blocker(partitions, limit=limit), 1_000_000, [], []
    for t, (site, later, x, source) in enumerate(steps):
        now += later
        closed += blocker.close(now)
        assert (blocker.due() or now + WAIT) > now
        told.append((blocker.add(reading(site, t, x), source, now), site, t, x, source))
    closed += blocker.close()
    assert blocker.due() is None and not blocker.close()
    out = rows(closed)
    assert sorted(r[1] for r in out) == list(range(len(steps)))
    for site in SITES:
        mine = [r for r in out if r[0] == f"level@{site}"]
        assert [r[1] for r in mine] == [t for _, s, t, _, _ in told if s == site]
        assert {r[5] for r in mine} <= {partition(site, partitions)}
    assert {(r[1], r[2], r[4]) for r in out} == {(t, x, source) for _, _, t, x, source in told}
    assert all(0 < len(c.block) <= limit for c in closed)
    where = {int(t): c.serial for c in closed for t in c.block.t}
    assert all(where[t] == serials[0] for serials, _, t, _, _ in told)


def test_a_live_block_has_one_arrival_and_it_never_goes_back() -> None:
    """The moment it was opened; also when the wall clock is set back."""
    blocker = Blocker(1)
    blocker.add(reading("a", 5), "", 1_000_000)
    blocker.add(reading("a", 6, arrived=3), "", 1_030_000)
    (first,) = blocker.close(1_050_000)
    assert first.block.arrived.tolist() == [1_000_000, 1_000_000]
    blocker.add(reading("a", 7), "", 400_000)
    (second,) = blocker.close()
    assert second.block.arrived.tolist() == [1_030_000]


def test_a_played_block_keeps_each_arrival() -> None:
    """What the history says, else the reading's own time."""
    blocker = Blocker(1, played=True)
    blocker.add(reading("a", 5), "", 9)
    blocker.add(reading("a", 6, arrived=70), "", 9)
    assert blocker.close()[0].block.arrived.tolist() == [5, 70]


def test_a_block_closes_after_50_ms_or_when_full() -> None:
    """Whichever comes first."""
    blocker = Blocker(1)
    blocker.add(reading("a", 0), "", 0)
    assert not blocker.close(WAIT - 1) and blocker.due() == WAIT
    assert len(blocker.close(WAIT)) == 1
    for t in range(LIMIT + 1):
        blocker.add(reading("a", t), "", 0)
    (full,) = blocker.close(1)
    assert len(full.block) == LIMIT and full.block.t[-1] == LIMIT - 1
    assert full.block.x.dtype == np.float64 and full.block.index.dtype == np.int32


def test_guests_go_to_the_partitions_that_feed_on_them() -> None:
    """Flagged, beside the reading itself; its own partition gets it once."""
    home = partition("up", 4)
    others = frozenset({home, (home + 1) % 4, (home + 3) % 4})
    blocker = Blocker(4, guests={"level@up": others})
    serials = blocker.add(reading("up", 1), "src", 0)
    blocker.add(reading("lone", 2), "src", 0)
    closed = blocker.close()
    assert len(serials) == 3
    assert {c.partition for c in closed if "level@up" in c.block.series} == others
    assert {c.partition: int(f) for c in closed for i, f in zip(c.block.index, c.block.flag, strict=True)
            if c.block.series[i] == "level@up"} == {p: 0 if p == home else GUEST for p in others}


def test_more_sources_than_a_byte_can_name_make_another_block() -> None:
    """256 a block."""
    blocker = Blocker(1)
    for i in range(300):
        blocker.add(reading("a", i), f"s{i}", 0)
    closed = blocker.close()
    assert [len(c.block) for c in closed] == [256, 44]
    assert [r[4] for r in rows(closed)] == [f"s{i}" for i in range(300)]
