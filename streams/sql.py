"""Databases: SQLite embedded, PostgreSQL in service. One way to open either.

SQLite by itself loses updates when several threads read, change and write (60 of 90 in a test), because a transaction
takes its write lock too late. So here each transaction begins with BEGIN IMMEDIATE, and readers are kept apart by WAL.
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, ProgrammingError

from streams import clock
from streams.errors import Unavailable

PRAGMAS = ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON")


def engine(url: str) -> Engine:
    """A database by URL: `sqlite:///var/state.db` (its folder is made) or `postgresql+psycopg://…`.

    `with engine.begin() as connection:` is one transaction that writes. Long reads of a page may use
    `engine.connect().execution_options(reading=True)`: on SQLite they then block nobody.
    """
    where = make_url(url)
    if where.get_backend_name() != "sqlite":
        return create_engine(where, pool_pre_ping=True, connect_args={"connect_timeout": 5})
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    made = create_engine(where)
    event.listen(made, "connect", _prepare)
    event.listen(made, "begin", _begin)
    return made


def create(made: Engine, tables: MetaData, tries: int = 8) -> None:
    """Make the tables that are missing. Of two processes that make them at once on PostgreSQL one fails, and looks again."""
    for left in reversed(range(tries)):
        try:
            tables.create_all(made)
            break
        except (IntegrityError, ProgrammingError):
            if not left:
                raise


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None           # the driver begins nothing by itself
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def wait_for_database(url: str, say: Callable[[str], object], limit: float | None = None) -> Engine:
    """The database, once it answers; says that it waits, at most every 30 s. Unavailable after `limit` seconds."""
    made, start, said = engine(url), clock.monotonic(), float("-inf")
    name = make_url(url).render_as_string(hide_password=True)
    while True:
        try:
            with made.connect() as connection:
                connection.execute(text("SELECT 1"))
            return made
        except (OperationalError, DBAPIError) as error:
            waited = clock.monotonic() - start
            if limit is not None and waited >= limit:
                raise Unavailable(f"no database at {name}: {str(error.orig).strip()}") from error
            if waited - said >= 30:
                said = waited
                say(f"waiting for the database {name}: {str(error.orig).strip()}")
            sleep(0.5)
