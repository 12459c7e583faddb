"""How long history keeps what, by the pack (`keep: {raw: 90d, 1h: 10y}`): old readings become means of buckets, old buckets go.

The clock is each series' own: its newest arrival. So an imported or played history does not vanish at once.
"""
from __future__ import annotations

from sqlalchemy import Connection, Engine, text

from detectors.pack import City
from streams.history.tables import tables

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
# The newest arrival of each time counts; readings that failed a check, or are missing, do not. Late ones are merged in.
_FOLD = text("""INSERT INTO bucket (series, width, t, n, mean, low, high)
    SELECT series, CAST(:width AS BIGINT), t - ((t % :width) + :width) % :width AS start,
           count(*), avg(value), min(value), max(value)
    FROM reading r WHERE series = :series AND t < :until AND flag <= 3 AND value IS NOT NULL
    AND arrived = (SELECT max(arrived) FROM reading n WHERE n.series = r.series AND n.t = r.t)
    GROUP BY series, start
    ON CONFLICT (series, width, t) DO UPDATE SET n = bucket.n + excluded.n,
    mean = (bucket.mean * bucket.n + excluded.mean * excluded.n) / (bucket.n + excluded.n),
    low = CASE WHEN excluded.low < bucket.low THEN excluded.low ELSE bucket.low END,
    high = CASE WHEN excluded.high > bucket.high THEN excluded.high ELSE bucket.high END""")
_DROP = text("DELETE FROM reading WHERE series = :series AND t < :until")
_END = text("DELETE FROM bucket WHERE series = :series AND width = :width AND t < :until")
_NEWEST = text("SELECT max(arrived) FROM reading WHERE series = :series")


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
    """Fold and drop what is older than the packs keep; the readings dropped. A transaction for each indicator."""
    tables.create_all(engine)
    dropped = 0
    for indicator in (i for pack in city.packs for i in pack.indicators if i.keep):
        with engine.begin() as connection:
            dropped += sum(_thin(connection, f"{indicator.id}@{site}", indicator.keep) for site in indicator.sites)
    return dropped


def _thin(connection: Connection, series: str, keep: dict[str, float]) -> int:
    newest = connection.execute(_NEWEST, {"series": series}).scalar()
    if newest is None:
        return 0
    widths = {seconds(name) * 1_000_000: kept for name, kept in keep.items() if name != "raw"}
    for width, kept in widths.items():
        connection.execute(_END, {"series": series, "width": width, "until": int(newest - kept * 1e6)})
    if "raw" not in keep:
        return 0
    grain = max(widths, default=1)
    until = int(newest - keep["raw"] * 1e6) // grain * grain        # no bucket is cut in two
    for width in widths:
        connection.execute(_FOLD, {"series": series, "width": width, "until": until})
    return int(connection.execute(_DROP, {"series": series, "until": until}).rowcount)
