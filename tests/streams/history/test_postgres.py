"""History on a real PostgreSQL: months are tables, an older table is taken over, old months go whole, Grafana only reads."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from detectors.pack import City, Indicator, Pack, Text
from detectors.reading import Block
from streams import clock
from streams.clock import MICRO
from streams.codec import encode
from streams.history.keep import thin
from streams.history.partitions import REST, Month, let_read, month_of, months, parts, prepare
from streams.history.store import HistoryStore
from streams.history.take import series
from streams.plans import Plans
from streams.replay.bring import bring
from streams.replay.history import read
from streams.replay.stored import history
from streams.sql import engine
from streams.worker.ledger import Place

DAY = 86_400 * MICRO
INSERT = 'INSERT INTO reading (series, t, arrived, value, flag, "check", revision) VALUES (%s, %s, %s, %s, 1, %s, 0)'


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    """An empty database; all of it goes afterwards."""
    made = engine(url)
    yield made
    with made.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    made.dispose()


def city(**keep: float) -> City:
    one = Indicator("level", "basin", Text("水位", "Level"), "m", ("a",), keep=keep)
    return City(packs=(Pack("basin", Text("流域", "Basin"), indicators=(one,)),))


def add(database: Engine, *rows: tuple[str, int, float]) -> None:
    with database.begin() as connection:
        for name, t, value in rows:
            connection.exec_driver_sql(INSERT, (name, t, t, value, ""))


def count(database: Engine, table: str) -> int:
    with database.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() or 0)


def test_months_are_made_ahead_and_a_table_from_before_is_taken_over(database: Engine) -> None:
    """The old table becomes the rest without a copy; rows of months that are made move into them; again = nothing to do."""
    now, old = clock.now(), clock.now() - 900 * DAY
    with database.begin() as connection:
        connection.exec_driver_sql('CREATE TABLE reading (series VARCHAR, t BIGINT, arrived BIGINT, value DOUBLE PRECISION, '
                                   'flag SMALLINT NOT NULL, "check" VARCHAR NOT NULL, revision INTEGER NOT NULL, '
                                   'PRIMARY KEY (series, t, arrived))')
    add(database, ("level@a", now, 1.0), ("level@a", old, 2.0))
    here = month_of(now)
    assert prepare(database) == [here.on(n).table for n in range(-1, 4)]
    assert (count(database, "reading"), count(database, REST), count(database, here.table)) == (2, 1, 1)
    assert prepare(database) == []
    assert prepare(database, [old]) == [month_of(old).table] and count(database, REST) == 0
    with database.connect() as connection:
        assert len(parts(connection)) == 7 and series(database) == ["level@a"]


def test_old_months_go_whole_and_leave_their_means(database: Engine) -> None:
    """A month of which nothing is kept loses its table; one with a series that is kept stays; the means are those of SQLite."""
    new = clock.now() // DAY * DAY
    then = Month(month_of(new).year - 1, 2)
    stays, goes = then.on(1), then
    prepare(database, [stays.start, goes.start])
    rows = [("level@a", month.start + n * 600 * MICRO, float(n)) for month in (goes, stays) for n in range(12)]
    add(database, *rows, ("other@b", stays.start, 1.0), ("level@a", new, 5.0))
    assert thin(database, city(raw=90 * 86_400, **{"1h": 3650 * 86_400.0})) == 24
    with database.connect() as connection:
        assert goes not in months(connection) and stays in months(connection)
        means = [tuple(r) for r in connection.execute(text("SELECT t, n, mean, low, high FROM bucket ORDER BY t"))]
    hour = 3600 * MICRO
    assert means == [(month.start + k * hour, 6, 2.5 + 6 * k, 6.0 * k, 6.0 * k + 5) for month in (goes, stays) for k in (0, 1)]
    assert count(database, "reading") == 2


def test_import_is_idempotent_there_too(database: Engine, tmp_path: Path) -> None:
    """The same file twice: rows once, vintages in their order, months made for what came."""
    file = tmp_path / "past.csv"
    file.write_text("time,site,indicator,value,arrived\n2019-03-01T00:00:00Z,a,level,2,2019-03-03T00:00:00Z\n"
                    "2019-03-01T00:00:00Z,a,level,1,2019-03-02T00:00:00Z\n2019-03-01T01:00:00Z,a,level,,\n", "utf-8")
    past = read([file])
    prepare(database, past.t.tolist())
    assert (bring(database, past).new, bring(database, past).there) == (3, 3)
    assert count(database, "reading_2019_03") == 3
    with database.connect() as connection:
        assert [r for (r,) in connection.execute(text("SELECT revision FROM reading ORDER BY t, arrived"))] == [0, 1, 0]
    assert history(database, ["level@a"]).arrived.tolist() == past.arrived.tolist()


def test_grafana_may_read_and_nothing_else(database: Engine, url: str) -> None:
    """The role is made, reads both tables (months that come later too), and is refused every write."""
    prepare(database)
    assert "password" in let_read(database, "grafana_reader") and "password" not in let_read(database, "grafana_reader")
    prepare(database, [0])
    add(database, ("level@a", 5, 1.0))
    reader = engine(url.replace("desk@", "grafana_reader@"))
    try:
        assert count(reader, "reading") == 1 and count(reader, "bucket") == 0
        for deed in ("DELETE FROM reading", "CREATE TABLE x (a int)", "SET default_transaction_read_only = off; DELETE FROM reading"):
            with pytest.raises(DBAPIError), reader.begin() as connection:
                connection.exec_driver_sql(deed)
        assert count(reader, "reading") == 1
    finally:
        reader.dispose()
        with database.begin() as connection:
            connection.exec_driver_sql("DROP OWNED BY grafana_reader")
            connection.exec_driver_sql("DROP ROLE grafana_reader")


def test_the_two_writers_write_there(database: Engine) -> None:
    """Values and flags of blocks arrive in the table of their month, in either order, as on SQLite."""
    now = clock.now()
    store = HistoryStore(database, Plans(database))
    block = Block.of([("level@a", now, 99.0)])
    said = Block(("level@a",), block.index, block.t, block.x, np.array([4], np.uint8), block.arrived, ("range",), block.source)
    for place, records in ((Place("w.judged", 0), (said,)), (Place("w.readings", 0), (block, block))):
        taken, work = store.open(place)
        for n, record in enumerate(records):
            work.apply(n, encode(record))
        assert store.write(place, taken.epoch, len(records) - 1, work.take())
    with database.connect() as connection:
        rows = connection.execute(text(f'SELECT value, flag, "check" FROM {month_of(now).table}')).all()
    assert [tuple(row) for row in rows] == [(99.0, 4, "range")]
