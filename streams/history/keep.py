"""How long history keeps what, by the pack (`keep: {raw: 90d, 1h: 10y}`): old readings become means of buckets, old buckets go.

The clock is each series' own: its newest arrival. So an imported or played history does not vanish at once. On PostgreSQL a
month of which nothing is kept any more goes as one table; the rest goes row by row, as on SQLite.
"""
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from detectors.pack import City
from streams import clock
from streams.history.partitions import Month, month_of, months, prepare

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
# The newest arrival of each time counts; readings that failed a check, or are missing, do not. Late ones are merged in.
_FOLD = text("""INSERT INTO bucket (series, width, t, n, mean, low, high)
    SELECT series, CAST(:width AS BIGINT), t - ((t % :width) + :width) % :width AS start,
           count(*), avg(value), min(value), max(value)
    FROM reading r WHERE series = :series AND t >= :since AND t < :until AND flag <= 3 AND value IS NOT NULL
    AND arrived = (SELECT max(arrived) FROM reading n WHERE n.series = r.series AND n.t = r.t)
    GROUP BY series, start
    ON CONFLICT (series, width, t) DO UPDATE SET n = bucket.n + excluded.n,
    mean = (bucket.mean * bucket.n + excluded.mean * excluded.n) / (bucket.n + excluded.n),
    low = CASE WHEN excluded.low < bucket.low THEN excluded.low ELSE bucket.low END,
    high = CASE WHEN excluded.high > bucket.high THEN excluded.high ELSE bucket.high END""")
_DROP = text("DELETE FROM reading WHERE series = :series AND t < :until")
_END = text("DELETE FROM bucket WHERE series = :series AND width = :width AND t < :until")
_NEWEST = text("SELECT max(arrived) FROM reading WHERE series = :series")
_BEGIN = -(1 << 62)
_PATIENCE = text("SET LOCAL lock_timeout = '5s'")       # a table does not go while somebody reads it, and nobody waits behind us


class Old(NamedTuple):
    """Readings of a series before `until` (µs UTC) are not kept, but as means of these widths (µs)."""

    until: int
    widths: tuple[int, ...]


def seconds(width: str) -> int:
    """`1h` -> 3600. ValueError when it is no width.

    >>> seconds("15min"), seconds("1d")
    (900, 86400)
    """
    digits = width.rstrip("smindh")
    if not digits.isdigit() or width[len(digits):] not in _UNITS:
        raise ValueError(f"{width!r} is no width of a bucket: write 15min, 1h, 1d")
    return int(digits) * _UNITS[width[len(digits):]]


def thin(engine: Engine, city: City) -> int:
    """Fold and drop what is older than the packs keep; the readings dropped. A transaction for each indicator, or month."""
    prepare(engine)
    dropped = _old_months(engine, city) if engine.dialect.name == "postgresql" else 0
    for indicator in (i for pack in city.packs for i in pack.indicators if i.keep):
        with engine.begin() as connection:
            dropped += sum(_thin(connection, f"{indicator.id}@{site}", indicator.keep) for site in indicator.sites)
    return dropped


def _thin(connection: Connection, series: str, keep: dict[str, float]) -> int:
    newest = connection.execute(_NEWEST, {"series": series}).scalar()
    if newest is None:
        return 0
    for width, kept in _widths(keep).items():
        connection.execute(_END, {"series": series, "width": width, "until": int(newest - kept * 1e6)})
    old = _old(newest, keep)
    if old is None:
        return 0
    _fold(connection, series, old.widths, _BEGIN, old.until)
    return int(connection.execute(_DROP, {"series": series, "until": old.until}).rowcount)


def _widths(keep: dict[str, float]) -> dict[int, float]:
    return {seconds(name) * 1_000_000: kept for name, kept in keep.items() if name != "raw"}


def _old(newest: int, keep: dict[str, float]) -> Old | None:
    """What is too old of a series; None when its readings are kept for ever."""
    if "raw" not in keep:
        return None
    widths = tuple(_widths(keep))
    grain = max(widths, default=1)
    return Old(int(newest - keep["raw"] * 1e6) // grain * grain, widths)        # no bucket is cut in two


def _fold(connection: Connection, series: str, widths: tuple[int, ...], since: int, until: int) -> None:
    for width in widths:
        connection.execute(_FOLD, {"series": series, "width": width, "since": since, "until": until})


def _old_months(engine: Engine, city: City) -> int:
    """Whole tables of months that nothing keeps; the readings that went with them."""
    keeps = {f"{i.id}@{site}": i.keep for pack in city.packs for i in pack.indicators if i.keep for site in i.sites}
    past, dropped = month_of(clock.now()).on(-1), 0
    with engine.connect() as connection:
        found = [month for month in months(connection) if month < past]
    for month in found:
        try:
            with engine.begin() as connection:
                connection.execute(_PATIENCE)
                dropped += _drop_month(connection, month, keeps)
        except OperationalError as error:
            if "lock timeout" not in str(error.orig):
                raise                               # the next time, then
    return dropped


def _drop_month(connection: Connection, month: Month, keeps: dict[str, dict[str, float]]) -> int:
    """Fold all of a month and drop its table; 0 where something of it is kept."""
    end, old = month.on(1).start, dict[str, Old]()
    for series in _names(connection, month):
        gone = _old(connection.execute(_NEWEST, {"series": series}).scalar() or 0, keeps.get(series, {}))
        if gone is None or gone.until < end:
            return 0
        old[series] = gone
    for series, gone in old.items():
        _fold(connection, series, gone.widths, month.start, end)
    rows = int(connection.exec_driver_sql(f"SELECT count(*) FROM {month.table}").scalar() or 0)
    connection.exec_driver_sql(f"DROP TABLE {month.table}")
    return rows


def _names(connection: Connection, month: Month) -> Iterator[str]:
    for (name,) in connection.exec_driver_sql(f"SELECT DISTINCT series FROM {month.table}").all():
        yield str(name)
