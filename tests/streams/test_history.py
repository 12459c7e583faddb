"""History: two writers with columns of their own, in either order, any number of times."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from detectors.reading import GUEST, Block, PlanRecord
from streams.codec import encode
from streams.history.store import HistoryStore
from streams.ledger import Place
from streams.plans import Plans
from streams.sql import engine

RAW, SAID = Place("w.readings", 0), Place("w.judged", 0)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{tmp_path}/history.db")
    yield made
    made.dispose()


def judged(series: str, t: int, x: float, flag: int, check: str) -> Block:
    return Block((series,), np.array([0], np.int32), np.array([t], np.int64), np.array([x]), np.array([flag], np.uint8),
                 np.array([t], np.int64), (check,), np.array([0], np.uint8))


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
