from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.event import Change
from detectors.reading import Block
from streams.clock import MICRO
from streams.events import event_json, event_of
from streams.packs import load_city
from streams.replay.offline import Offline, final, run

CONFIGS = Path(__file__).parent / "configs"
CITY = load_city(CONFIGS)
T0 = 1_781_827_200 * MICRO
FIVE = 300 * MICRO


def rows() -> list[tuple[str, int, float]]:
    """Two gauges over a day: a wave that crosses both limits, with a gap at one of them."""
    out = []
    for n in range(288):
        wave = 25 + 6 * (1 - abs(n % 96 - 48) / 48)
        out.append(("river_level@lanxi", T0 + n * FIVE, wave))
        if not 120 < n < 150:
            out.append(("river_level@zhuge", T0 + n * FIVE, wave - 1.03))
    return out


def split(block: Block, size: int) -> Iterator[Block]:
    """The same readings in blocks of `size`, wherever that cuts."""
    for start in range(0, len(block), size):
        part = slice(start, start + size)
        yield Block(block.series, block.index[part], block.t[part], block.x[part], block.flag[part], block.arrived[part], ("",),
                    block.source[part])


@pytest.mark.parametrize("size", [1, 7, 100])
def test_results_do_not_depend_on_blocks(size: int) -> None:
    """Events, their ids and their order are the same however the history is cut."""
    whole = Block.of(rows())
    assert list(run(CITY, split(whole, size))) == list(run(CITY, [whole]))


def test_levels_rules_and_silence() -> None:
    """The wave gives levels of both gauges, the rule over them, and the gap is a stale series at its due time."""
    events = list(run(CITY, [Block.of(rows())], "abc"))
    said = {(e.detector or e.rule, e.site, e.to) for e in events if e.kind == "level"}
    assert {("basin/stage", "lanxi", 3), ("basin/stage", "zhuge", 3), ("basin/wide", "", 3)} <= said
    (stale,) = [e for e in events if e.kind == "fresh" and e.fresh == "stale" and e.site]
    assert (stale.site, stale.time) == ("zhuge", T0 + 120 * FIVE + 3 * FIVE)
    assert all(e.plan == "abc" for e in events if e.kind == "level")


def test_compiled_and_interpreted_say_the_same() -> None:
    """Without Numba the events are the same."""
    block = Block.of(rows()[:200])
    assert list(run(CITY, [block], compiled=False)) == list(run(CITY, [block]))


def test_the_end_fires_what_is_due() -> None:
    """Silence after the last reading shows only when time is said to go on; a hold that is due by then is kept."""
    last = T0 + FIVE
    block = Block.of([("river_level@lanxi", T0, 20.0), ("river_level@lanxi", last, 20.0)])
    assert [e.fresh for e in run(CITY, [block])] == ["fresh"]
    late = list(run(CITY, [block], until=last + 10 * FIVE))
    assert [(e.kind, e.fresh, e.time) for e in late if e.kind == "fresh"][1:] == [("fresh", "stale", last + 3 * FIVE)]
    assert list(run(CITY, [])) == []


def test_rows_of_some_sites_only() -> None:
    """A chain that holds one site answers for that site as the whole would."""
    offline = Offline(CITY, sites=["lanxi"])
    mine = [e for e in offline.feed(Block.of(rows())) + offline.finish() if e.kind == "level" and e.detector]
    assert mine == [e for e in run(CITY, [Block.of(rows())]) if e.kind == "level" and e.site == "lanxi"]


def test_events_go_to_json_and_back() -> None:
    """What replay writes is read as the same event."""
    for event in run(CITY, [Block.of(rows()[:300])]):
        assert event_of(event_json(event)) == event


def test_final_folds_revisions() -> None:
    """Of an event revised, the last word stays; one withdrawn goes; the order is that of event time."""
    def change(seq: int, time: int, revision: int = 0, withdrawn: bool = False) -> Change:
        return Change(alert="a", seq=seq, time=time, arrived=9, revision=revision, withdrawn=withdrawn, value=1.0, score=1.0,
                      limit=1.0, since=0)

    said = [change(1, 50), change(2, 60), change(1, 70, revision=1), change(2, 60, withdrawn=True), change(3, 10)]
    assert [(c.seq, c.time) for c in final(said)] == [(3, 10), (1, 70)]


def test_before_1970() -> None:
    """A history of before 1970 has the same clock: a gap shorter than twice `silent` makes no sensor item there either."""
    def said(start: int) -> list[tuple[str, str, int]]:
        block = Block.of([("river_level@lanxi", start + n * FIVE, 20.0) for n in range(20) if not 5 < n < 10])
        return [(e.kind, e.fresh, e.time - start) for e in run(CITY, [block])]

    assert said(T0 - 2 * T0) == said(T0)
    assert [kind for kind, _, _ in said(T0)] == ["fresh"] * 3
