"""Snapshots in SQL: the epoch fence, offsets that never go back, pages found by shard; SQLite that loses no update."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, text

from streams.errors import Unavailable
from streams.sql import engine, wait_for_database
from streams.worker.ledger import Place
from streams.worker.snapshots import Page, Snapshots

HERE = Place("readings", 1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    made = engine(f"sqlite:///{tmp_path}/deep/state.db")
    yield made
    made.dispose()


def test_first_owner_and_what_it_kept(database: Engine) -> None:
    """A new partition begins at offset 0 with epoch 1; the next owner finds offset, plan, clock and the pages of its shards."""
    judge = Snapshots(database, "judge", 4)
    first = judge.take(HERE)
    assert (first.epoch, first.applied, first.pages) == (1, -1, ())
    assert judge.write(HERE, 1, 41, Page({1: b"one", 5: b"five"}, "abcd", 77))
    assert judge.write(HERE, 1, 42, Page({5: b"5"}, "abcd", 78))
    second = judge.take(HERE)
    assert (second.epoch, second.applied, second.plan, second.now, second.pages) == (2, 42, "abcd", 78, (b"one", b"5"))


def test_an_older_epoch_changes_nothing(database: Engine) -> None:
    """A frozen owner that comes back is refused, and not one of its pages is written."""
    judge = Snapshots(database, "judge", 4)
    old = judge.take(HERE)
    new = judge.take(HERE)
    assert judge.write(HERE, new.epoch, 10, Page({1: b"new"}))
    assert not judge.write(HERE, old.epoch, 99, Page({1: b"old", 5: b"old"}))
    after = judge.take(HERE)
    assert (after.applied, after.pages) == (10, (b"new",))


def test_an_offset_never_goes_back(database: Engine) -> None:
    """Even the owner cannot write what is behind the stored offset."""
    judge = Snapshots(database, "judge", 4)
    epoch = judge.take(HERE).epoch
    assert judge.write(HERE, epoch, 10, Page())
    assert not judge.write(HERE, epoch, 9, Page({1: b"behind"}))
    assert judge.write(HERE, epoch, 10, Page({1: b"same"}))


def test_stages_and_partitions_are_apart(database: Engine) -> None:
    """Another stage or partition has its own epoch, offset and pages; with another P the same pages are found again."""
    judge, combine = Snapshots(database, "judge", 4), Snapshots(database, "combine", 1)
    judge.write(HERE, judge.take(HERE).epoch, 5, Page({1: b"a", 5: b"b"}))
    assert combine.take(Place("levels", 0)).pages == ()
    assert judge.take(Place("readings", 2)).pages == ()
    wider = Snapshots(database, "judge", 8)
    assert (wider.take(Place("readings", 1)).pages, wider.take(Place("readings", 5)).pages) == ((b"a",), (b"b",))


def test_threads_lose_no_update(database: Engine) -> None:
    """Read, change, write from three threads at once: each counts (by SQLAlchemy's default two thirds are lost)."""
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def add() -> None:
        for _ in range(30):
            with database.begin() as connection:
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.connect() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 90


def test_a_reader_blocks_no_writer(database: Engine) -> None:
    """A long read with `reading=True` lets others write."""
    with database.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with database.connect().execution_options(reading=True) as reader:
        reader.execute(text("SELECT * FROM t")).all()
        with database.begin() as writer:
            writer.execute(text("INSERT INTO t VALUES (1)"))


def test_waiting_says_so_and_ends() -> None:
    """A database that does not answer is said once by name, without its password, and given up at the limit."""
    said: list[str] = []
    with pytest.raises(Unavailable, match="no database at postgresql"):
        wait_for_database("postgresql+psycopg://user:secret@127.0.0.1:1/none", said.append, limit=0.6)
    assert len(said) == 1 and "secret" not in said[0]


def test_tables_that_another_process_makes_at_the_same_moment_are_no_fault(tmp_path: Path) -> None:
    """PostgreSQL refuses the slower of two that make a table at once; it looks again and goes on. What lasts is raised."""
    from sqlalchemy import MetaData
    from sqlalchemy.exc import IntegrityError

    from streams.sql import create, engine

    class Raced(MetaData):
        """Fails as often as it is told."""

        def __init__(self, times: int) -> None:
            super().__init__()
            self.times, self.asked = times, 0

        def create_all(self, *args: object, **more: object) -> None:
            self.asked += 1
            if self.asked <= self.times:
                raise IntegrityError("CREATE TABLE", None, Exception("pg_type_typname_nsp_index"))

    made, raced = engine(f"sqlite:///{tmp_path}/x.db"), Raced(2)
    create(made, raced)
    assert raced.asked == 3
    with pytest.raises(IntegrityError):
        create(made, Raced(99))
    made.dispose()
