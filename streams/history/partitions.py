"""The tables of history.db. On PostgreSQL `reading` is one table a month of event time, so that old months go at once.

Months are made ahead by `prepare` (at every start and whenever history is thinned); what belongs to no month lies in
`reading_rest`. A table from before partitions becomes that rest as it is: nothing is copied but rows of months made later.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from streams import clock
from streams.clock import MICRO
from streams.errors import UsageError
from streams.history.tables import tables
from streams.sql import create

LOCK = 0x77_6C_68_69
"""Advisory lock of PostgreSQL under which tables are made and dropped."""
AHEAD = 3
"""Months that are there before they begin; the one gone by and the present one are there as well."""
REST = "reading_rest"
_PLAIN = text("SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('reading')")
_PARTS = text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'reading'::regclass")


class Month(NamedTuple):
    """A calendar month in UTC."""

    year: int
    month: int

    @property
    def table(self) -> str:
        """Its table: `reading_2026_06`."""
        return f"reading_{self.year:04}_{self.month:02}"

    @property
    def start(self) -> int:
        """Its first moment, µs UTC."""
        return int((datetime(self.year, self.month, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * MICRO

    def on(self, months: int) -> Month:
        """So many months later.

        >>> Month(2026, 11).on(3)
        Month(year=2027, month=2)
        """
        at = self.year * 12 + self.month - 1 + months
        return Month(at // 12, at % 12 + 1)


def month_of(t: int) -> Month:
    """The month of a moment (µs UTC, years 1 to 9999).

    >>> month_of(0), month_of(-1)
    (Month(year=1970, month=1), Month(year=1969, month=12))
    """
    when = datetime.fromisoformat(clock.iso(t).removesuffix("Z"))
    return Month(when.year, when.month)


def prepare(engine: Engine, also: Iterable[int] = ()) -> list[str]:
    """Make the tables that are missing, and on PostgreSQL the months ahead and those of the moments `also` (µs UTC).

    Returns the tables of months that were made. Raises what SQL raises.
    """
    if engine.dialect.name != "postgresql":
        create(engine, tables)
        return []
    now = month_of(clock.now())
    wanted = {now.on(n) for n in range(-1, AHEAD + 1)} | {month_of(t) for t in also}
    with engine.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        if not _lacking(connection, wanted):
            return []                       # as nearly always: no table is locked
        if connection.execute(_PLAIN).scalar():
            connection.exec_driver_sql(f"ALTER TABLE reading RENAME TO {REST}")
            connection.exec_driver_sql(f"ALTER INDEX reading_pkey RENAME TO {REST}_pkey")
        tables.create_all(connection)
        there = parts(connection)
        if REST not in there:
            connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {REST} (LIKE reading INCLUDING ALL)")
            connection.exec_driver_sql(f"ALTER TABLE reading ATTACH PARTITION {REST} DEFAULT")
        missing = sorted(month for month in wanted if month.table not in there)
        for month in missing:
            _make(connection, month)
    return [month.table for month in missing]


def _lacking(connection: Connection, wanted: set[Month]) -> bool:
    names = {"bucket", "reading", REST, *(month.table for month in wanted)}
    there = connection.execute(text("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
                                    "AND relnamespace = to_regnamespace(current_schema())::oid"))
    return not names <= {name for (name,) in there}


def parts(connection: Connection) -> list[str]:
    """The tables that `reading` is made of."""
    return sorted(name for (name,) in connection.execute(_PARTS))


def months(connection: Connection) -> list[Month]:
    """The months that have a table, the oldest first."""
    found = [re.fullmatch(r"reading_(\d{4})_(\d\d)", name) for name in parts(connection)]
    return sorted(Month(int(m[1]), int(m[2])) for m in found if m)


def let_read(engine: Engine, name: str) -> str:
    """Give a role of PostgreSQL the right to read and no other; says what was done. UsageError where that is no role's name."""
    if engine.dialect.name != "postgresql":
        raise UsageError("only PostgreSQL has roles; who may read the file of a SQLite database may read history")
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise UsageError(f"{name!r} is no name for a role: a to z, 0 to 9, _")
    with engine.begin() as connection:
        made = not connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).scalar()
        if made:
            connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        database = connection.execute(text("SELECT quote_ident(current_database())")).scalar()
        for said in (f"GRANT CONNECT ON DATABASE {database} TO {name}", f"GRANT USAGE ON SCHEMA public TO {name}",
                     f"GRANT SELECT ON reading, bucket TO {name}",
                     f"ALTER ROLE {name} IN DATABASE {database} SET default_transaction_read_only = on",
                     f"ALTER ROLE {name} IN DATABASE {database} SET statement_timeout = '30s'"):
            connection.exec_driver_sql(said)
    password = f"; give it a password with psql: \\password {name}" if made else ""
    return f"{name} may read reading and bucket{password}"


def _make(connection: Connection, month: Month) -> None:
    """The table of a month, with the rows of it that lay in the rest."""
    span = {"since": month.start, "until": month.on(1).start}
    connection.exec_driver_sql(f"CREATE TABLE {month.table} (LIKE reading INCLUDING ALL)")
    connection.execute(text(f"WITH moved AS (DELETE FROM {REST} WHERE t >= :since AND t < :until RETURNING *) "
                            f"INSERT INTO {month.table} SELECT * FROM moved"), span)
    connection.exec_driver_sql(f"ALTER TABLE reading ATTACH PARTITION {month.table} "
                               f"FOR VALUES FROM ({span['since']}) TO ({span['until']})")
