"""Readings of a series for charts, from the history database: read only, and absent without harm."""
from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from streams import clock
from streams.sql import engine

KEEP = 5.0
"""Seconds for which an answer is good enough for another page."""
MOST = 20_000
SQL = text('SELECT t, value, flag, arrived, "check" FROM reading WHERE series = :series AND t >= :start AND t <= :end '
           "ORDER BY t DESC, arrived DESC LIMIT :most")
OLDER = text("SELECT t, value FROM reading WHERE series = :series AND t IN (SELECT t FROM reading WHERE series = :series "
             "AND t >= :start AND t <= :end GROUP BY t HAVING COUNT(*) > 1) ORDER BY t, arrived LIMIT :most")
"""What was revised: every vintage of the times that have several, oldest first."""
NEWEST = text("SELECT max(arrived) FROM (SELECT arrived FROM reading ORDER BY rowid DESC LIMIT 1000)")
"""Of the rows written last: an import writes old readings last."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading in the newest vintage of its time; `value` None = missing. Times in µs UTC."""

    t: int
    value: float | None
    flag: int
    check: str
    arrived: int


class Readings:
    """The table `reading`. `fault` says why nothing comes, when nothing comes."""

    def __init__(self, url: str) -> None:
        self.engine = engine(url).execution_options(reading=True) if url else None
        self._kept: dict[tuple[str, int, int], tuple[float, list[Reading]]] = {}
        self._lock = Lock()
        self.fault = ""

    def window(self, series: str, start: int, end: int) -> list[Reading]:
        """Readings of `start` ≤ t ≤ `end`, oldest first; the newest vintage of each t. Empty when history is away."""
        key, now = (series, start // 10_000_000, end // 10_000_000), clock.monotonic()
        with self._lock:
            if key in self._kept and now - self._kept[key][0] < KEEP:
                return self._kept[key][1]
            if len(self._kept) > 2000:
                self._kept.clear()
        rows = self._ask(series, start, end)
        with self._lock:
            self._kept[key] = (now, rows)
        return rows

    def _ask(self, series: str, start: int, end: int) -> list[Reading]:
        if self.engine is None:
            return []
        try:
            with self.engine.connect() as connection:
                rows = connection.execute(SQL, {"series": series, "start": start, "end": end, "most": MOST}).all()
        except SQLAlchemyError as error:
            self.fault = str(getattr(error, "orig", error))
            return []
        self.fault, out, last = "", [], None
        for t, value, flag, arrived, check in rows:
            if t != last:
                out.append(Reading(t, None if value is None or value != value else value, flag & 0x7F, check or "", arrived))
            last = t
        return out[::-1]

    def revised(self, series: str, start: int, end: int) -> dict[int, list[float | None]]:
        """By time the values that it had before the one that `window` gives, oldest first; a value sent again is none."""
        found: dict[int, list[float | None]] = {}
        if self.engine is None:
            return found
        try:
            with self.engine.connect() as connection:
                for t, value in connection.execute(OLDER, {"series": series, "start": start, "end": end, "most": MOST}):
                    had = found.setdefault(t, [])
                    if not had or had[-1] != value:
                        had.append(value)
        except SQLAlchemyError as error:
            self.fault = str(getattr(error, "orig", error))
        return {t: had[:-1] for t, had in found.items() if len(had) > 1}

    def newest(self) -> int | None:
        """When the last reading arrived (µs), where the database can say so at once: SQLite alone."""
        if self.engine is None or self.engine.dialect.name != "sqlite":
            return None
        try:
            with self.engine.connect() as connection:
                found = connection.execute(NEWEST).scalar()
        except SQLAlchemyError as error:
            self.fault = str(getattr(error, "orig", error))
            return None
        return int(found) if found is not None else None
