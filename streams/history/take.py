"""Readings out of history.db, in the newest vintage of each time or in all."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Engine, text

from detectors.needs import needs
from detectors.pack import City
from streams.clock import iso

FIRST, LAST = -(1 << 62), 1 << 62
"""Before and after every time."""
# A list of the series without a look at each row (SQLite and PostgreSQL have no skip scan of their own).
_SERIES = text("""WITH RECURSIVE s(series) AS (SELECT min(series) FROM reading UNION ALL
    SELECT (SELECT min(series) FROM reading WHERE series > s.series) FROM s WHERE s.series IS NOT NULL)
    SELECT series FROM s WHERE series IS NOT NULL""")
_ROWS = text("""SELECT t, arrived, value, flag, "check" FROM reading WHERE series = :series AND t >= :since AND t < :until
    AND arrived <= :as_of ORDER BY t, arrived""")
OWN = ("", "late", "duplicate")
"""Checks that say nothing of the value: the flag beside them came with the reading."""


@dataclass(frozen=True)
class Chosen:
    """What of history: [since, until) in event time, known at `as_of` (all µs UTC); of each time the newest vintage, or all."""

    series: tuple[str, ...]
    since: int = FIRST
    until: int = LAST
    as_of: int = LAST
    vintages: bool = False


class Taken(NamedTuple):
    """A row of history; `value` None = missing."""

    series: str
    t: int
    arrived: int
    value: float | None
    flag: int
    check: str


def series(engine: Engine) -> list[str]:
    """Every series of which there is a reading, sorted."""
    with engine.connect().execution_options(reading=True) as connection:
        return sorted(name for (name,) in connection.execute(_SERIES))


def take(engine: Engine, chosen: Chosen) -> Iterator[Taken]:
    """The rows, series by series, in order of event time and arrival. Raises what SQL raises."""
    bounds = {"since": chosen.since, "until": chosen.until, "as_of": chosen.as_of}
    with engine.connect().execution_options(reading=True) as connection:
        for name in chosen.series:
            kept: Taken | None = None
            for row in connection.execute(_ROWS, {"series": name, **bounds}):
                if kept is not None and (chosen.vintages or row[0] != kept.t):
                    yield kept
                kept = Taken(name, *row)
            if kept is not None:
                yield kept


def line(row: Taken) -> tuple[str, str, str, str, str, str]:
    """A row of the history CSV: time, site, indicator, value, flag, arrived; empty value = missing.

    >>> line(Taken("level@a", 0, 1_000_000, 1.5, 1, ""))
    ('1970-01-01T00:00:00Z', 'a', 'level', '1.5', '1', '1970-01-01T00:00:01Z')
    """
    indicator, _, site = row.series.partition("@")
    return iso(row.t), site, indicator, "" if row.value is None else repr(row.value), str(row.flag), iso(row.arrived)


def measured(city: City, pack: str) -> tuple[str, ...]:
    """What must be known to judge a pack: all series that its detectors need and that are not made of others."""
    found = needs(city, (d for p in city.packs if p.id == pack for d in p.detectors))
    return tuple(f"{name}@{site}" for name, one in found.items() if not one.derive for site in one.sites)
