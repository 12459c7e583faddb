"""History: two writers with columns of their own, in either order, any number of times."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from detectors.pack import City, Indicator, Pack, Text
from detectors.reading import GUEST, Block, PlanRecord
from streams.codec import encode
from streams.history.keep import thin
from streams.history.store import HistoryStore
from streams.plans import Plans
from streams.sql import engine
from streams.worker.ledger import Place

RAW, SAID = Place("w.readings", 0), Place("w.judged", 0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{tmp_path}/history.db")
    yield made
    made.dispose()


def judged(series: str, t: int, x: float, flag: int, check: str, arrived: int | None = None) -> Block:
    return Block((series,), np.array([0], np.int32), np.array([t], np.int64), np.array([x]), np.array([flag], np.uint8),
                 np.array([t if arrived is None else arrived], np.int64), (check,), np.array([0], np.uint8))


def write(store: HistoryStore, place: Place, *blocks: Block, offset: int = 0) -> bool:
    taken, work = store.open(place)
    for n, block in enumerate(blocks):
        work.apply(offset + n, encode(block))
    return store.write(place, taken.epoch, max(taken.applied, offset + len(blocks) - 1), work.take())


def rows(database: Engine) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        columns = 'series, t, arrived, value, flag, "check", revision'
        return [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM reading ORDER BY 1, 2, 3"))]


@pytest.mark.parametrize("first", ["readings", "judged"])
def test_two_writers_in_either_order(database: Engine, first: str) -> None:
    """Value from readings, flag and check from judged, whoever comes first."""
    store = HistoryStore(database, Plans(database))
    steps = [(RAW, Block.of([("level@a", 1, 99.0), ("level@a", 2, 5.0)])), (SAID, judged("level@a", 1, 99.0, 4, "range"))]
    for place, block in steps if first == "readings" else reversed(steps):
        assert write(store, place, block)
    assert rows(database) == [("level@a", 1, 1, 99.0, 4, "range", 0), ("level@a", 2, 2, 5.0, 1, "", 0)]


def test_written_again_it_is_the_same(database: Engine) -> None:
    """After a crash the same blocks come again: no row more, no flag lost."""
    store = HistoryStore(database, Plans(database))
    block = Block.of([("level@a", 1, 99.0), ("level@a", 1, 99.0)])
    for _ in range(3):
        write(store, RAW, block)
        write(store, SAID, judged("level@a", 1, 99.0, 3, "rate"))
    assert rows(database) == [("level@a", 1, 1, 99.0, 3, "rate", 0)]


@pytest.mark.parametrize("word", ["duplicate", "late"])
def test_a_repeat_takes_no_flag_away(database: Engine, word: str) -> None:
    """A feed that was killed sends a doubtful reading again: it stays doubtful; a good one that came late is marked so, one that
    was only sent twice is not.
    """
    store = HistoryStore(database, Plans(database))
    write(store, RAW, Block.of([("level@a", 1, 99.0), ("level@a", 2, 5.0)]))
    write(store, SAID, judged("level@a", 1, 99.0, 3, "rate"), judged("level@a", 2, 5.0, 1, word))
    write(store, SAID, judged("level@a", 1, 99.0, 1, word), offset=2)
    assert rows(database) == [("level@a", 1, 1, 99.0, 3, "rate", 0), ("level@a", 2, 2, 5.0, 1, "late" if word == "late" else "", 0)]


@pytest.mark.parametrize("raw_first", [True, False])
def test_a_repeat_that_arrived_later_is_no_better(database: Engine, raw_first: bool) -> None:
    """The newest arrival counts, so the row of a repeat has the flag of the reading; that of a good one is as good, whichever topic
    is read first.
    """
    store = HistoryStore(database, Plans(database))
    readings = [("level@a", 1, 99.0), ("level@a", 2, 5.0)]
    raw = Block.of(readings), Block.of(readings, arrived=7)
    again = [judged(*reading, 1, "duplicate", 7) for reading in readings]
    if raw_first:
        write(store, RAW, *raw)
    write(store, SAID, judged("level@a", 1, 99.0, 4, "range"), *again)
    if not raw_first:
        write(store, RAW, *raw)
    assert rows(database) == [("level@a", 1, 1, 99.0, 4, "range", 0), ("level@a", 1, 7, 99.0, 4, "range", 0),
                              ("level@a", 2, 2, 5.0, 1, "", 0), ("level@a", 2, 7, 5.0, 1, "", 0)]


def test_revisions_missing_and_guests(database: Engine) -> None:
    """Another value of the same time is a revision, a missing one has no value, a guest belongs to its own partition."""
    store = HistoryStore(database, Plans(database))
    values = [("gdp@cn", 1, 5.0), ("gdp@cn", 1, 5.2), ("gdp@cn", 2, np.nan), ("rain@b", 3, 1.0)]
    block = Block.of(values, arrived=[10, 20, 30, 40])
    block.flag[3] = GUEST
    write(store, RAW, block)
    assert rows(database) == [("gdp@cn", 1, 10, 5.0, 1, "", 0), ("gdp@cn", 1, 20, 5.2, 1, "", 1),
                              ("gdp@cn", 2, 30, None, 1, "", 0)]


def test_an_older_owner_writes_no_row(database: Engine) -> None:
    """Rows and position are one transaction: refused, there is neither."""
    store = HistoryStore(database, Plans(database))
    taken, work = store.open(RAW)
    work.apply(0, encode(Block.of([("level@a", 1, 1.0)])))
    store.open(RAW)
    assert not store.write(RAW, taken.epoch, 0, work.take())
    assert rows(database) == []


def test_rows_that_could_not_be_written_come_first_the_next_time(database: Engine) -> None:
    """The database was away: nothing is lost, and the order stays."""
    store = HistoryStore(database, Plans(database))
    taken, work = store.open(RAW)
    work.apply(0, encode(PlanRecord("abcd")))
    work.apply(1, encode(Block.of([("level@a", 1, 1.0)])))
    page = work.take()
    work.apply(2, encode(Block.of([("level@a", 2, 2.0)])))
    work.give_back(page)
    assert store.write(RAW, taken.epoch, 2, work.take())
    assert [row[1] for row in rows(database)] == [1, 2]
    assert work.apply(3, b"rubbish") == []


def test_old_readings_become_buckets(database: Engine) -> None:
    """What is older than `raw` is folded into hours, failed readings left out, and dropped; late ones are merged in."""
    hour = 3_600_000_000
    level = Indicator("level", "p", Text(""), "m", ("a",), keep={"raw": 86_400.0, "1h": 30 * 86_400.0})
    city = City((Pack("p", Text(""), (level, Indicator("level_b", "p", Text(""), "m", ("a",)))),))
    store = HistoryStore(database, Plans(database))
    start = -48 * hour                              # before 1970 too
    old = [("level@a", start + n * hour // 4, float(n % 4)) for n in range(4 * 48)]
    write(store, RAW, Block.of([*old, ("level_b@a", start, 1.0)], arrived=48 * hour))
    write(store, SAID, judged("level@a", start, 0.0, 4, "range", arrived=48 * hour))
    assert thin(database, city) == 4 * 48
    assert [row[0] for row in rows(database)] == ["level_b@a"]
    assert buckets(database)[:2] == [(start, 3, 2.0, 1.0, 3.0), (start + hour, 4, 1.5, 0.0, 3.0)]
    assert sum(int(row[1]) for row in buckets(database)) == 4 * 48 - 1
    late = Block.of([("level@a", start + 1, 9.0), ("level@a", 48 * hour, 1.0)], arrived=[49 * hour, 49 * hour])
    write(store, RAW, late, offset=10)
    assert thin(database, city) == 1
    assert buckets(database)[0] == (start, 4, 3.75, 1.0, 9.0)
    assert [row[:2] for row in rows(database)] == [("level@a", 48 * hour), ("level_b@a", start)]


def buckets(database: Engine) -> list[tuple[int, ...]]:
    with database.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT t, n, mean, low, high FROM bucket ORDER BY t"))]
