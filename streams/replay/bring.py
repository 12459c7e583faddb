"""History from files into the table `reading`: in batches, any number of times, and without a word to the log.

A row is known by (series, t, arrived). What is there stays as it is, unless `replace` is asked for; revisions are counted anew
around what came, so older vintages may come after newer ones.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, text

from detectors.reading import Flag
from streams.replay.history import History

BATCH = 20_000
"""Rows of one transaction: a live writer waits for no longer than that takes."""
_TABLE = text("CREATE TEMPORARY TABLE IF NOT EXISTS incoming "
              "(series VARCHAR, t BIGINT, arrived BIGINT, value DOUBLE PRECISION, flag SMALLINT)")
_EMPTY = text("DELETE FROM incoming")
_ROW = text("INSERT INTO incoming (series, t, arrived, value, flag) VALUES (:series, :t, :arrived, :value, :flag)")
_SAME_KEY = "r.series = i.series AND r.t = i.t AND r.arrived = i.arrived"
_OTHER = text(f"SELECT count(*) FROM incoming i JOIN reading r ON {_SAME_KEY} WHERE r.value IS DISTINCT FROM i.value")
_REPLACE = text("""UPDATE reading SET value = i.value, flag = i.flag, "check" = '' FROM incoming i
    WHERE reading.series = i.series AND reading.t = i.t AND reading.arrived = i.arrived
    AND reading.value IS DISTINCT FROM i.value""")
_NEW = text("""INSERT INTO reading (series, t, arrived, value, flag, "check", revision)
    SELECT series, t, arrived, value, flag, '', 0 FROM incoming WHERE true ON CONFLICT (series, t, arrived) DO NOTHING""")
_REVISION = text("""UPDATE reading SET revision = (SELECT count(*) FROM reading r WHERE r.series = reading.series
        AND r.t = reading.t AND r.arrived < reading.arrived AND r.value IS DISTINCT FROM reading.value)
    WHERE (series, t) IN (SELECT series, t FROM incoming) AND EXISTS (SELECT 1 FROM reading o
        WHERE o.series = reading.series AND o.t = reading.t AND o.arrived <> reading.arrived)""")


@dataclass(frozen=True)
class Brought:
    """What became of the rows of the files."""

    read: int               # rows that are readings
    new: int                # rows that history did not have
    there: int              # it had them already, with this value
    other: int              # it had them already, with another value: left as it was, or replaced
    repeated: int           # the files name the same series, time and arrival more than once: the last counts
    replaced: bool


def bring(engine: Engine, history: History, replace: bool = False,
          progress: Callable[[int], None] | None = None) -> Brought:
    """Write a history. The tables are there (`partitions.prepare`). Raises what SQL raises; what is written by then stays."""
    rows = _last(history)
    new = other = 0
    for start in range(0, len(rows), BATCH):
        part = rows[start:start + BATCH]
        with engine.begin() as connection:
            added, differ = _write(connection, list(_told(history, part)), replace)
        new, other = new + added, other + differ
        if progress is not None:
            progress(len(part))
    return Brought(len(history), new, len(rows) - new - other, other, len(history) - len(rows), replace)


def _last(history: History) -> list[int]:
    """Places in the arrays, the last of each key, in order of arrival."""
    keys = (history.arrived, history.t, history.index)
    order = np.lexsort(keys)
    ends = np.ones(len(order), bool)
    ends[:-1] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    return [int(n) for n in np.sort(order[ends])]


def _told(history: History, places: list[int]) -> Iterator[dict[str, object]]:
    at = np.array(places, np.int64)
    columns = (history.index, history.t, history.arrived, history.x, history.flag)
    for index, t, arrived, x, flag in zip(*(column[at].tolist() for column in columns), strict=True):
        yield {"series": history.series[index], "t": t, "arrived": arrived, "value": x if x == x else None,
               "flag": flag or int(Flag.GOOD)}


def _stage(connection: Connection, rows: list[dict[str, object]]) -> None:
    """The rows into `incoming`: by COPY on PostgreSQL, where a statement a row costs several times as much."""
    if connection.dialect.name != "postgresql":
        connection.execute(_ROW, rows)
        return
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy("COPY incoming (series, t, arrived, value, flag) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(tuple(row.values()))
    connection.exec_driver_sql("ANALYZE incoming")


def _write(connection: Connection, rows: list[dict[str, object]], replace: bool) -> tuple[int, int]:
    connection.execute(_TABLE)
    connection.execute(_EMPTY)
    _stage(connection, rows)
    differ = int(connection.execute(_OTHER).scalar() or 0)
    if replace and differ:
        connection.execute(_REPLACE)
    new = int(connection.execute(_NEW).rowcount)
    if new or replace:
        connection.execute(_REVISION)
    connection.execute(_EMPTY)
    return new, differ
