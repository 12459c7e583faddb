"""history.db: `reading`, one row a reading and arrival, written by two hands that each own their columns.

`readings` brings the values, `judged` the flags that are not good and the check that decided; which comes first does not matter.
Where each topic stands is kept in the same database, in the same transaction as the rows.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, text

from detectors.reading import Block, Flag, PlanRecord
from streams.codec import BadRecord, decode
from streams.errors import Unavailable
from streams.history.keep import thin
from streams.history.partitions import prepare
from streams.history.rows import Row, Rows, raw_rows, said_rows
from streams.plans import Plans, city_of
from streams.settings import plain
from streams.worker.generations import Before
from streams.worker.ledger import Out, Place, Taken
from streams.worker.snapshots import Page, Positions

log = structlog.get_logger("wanglou.history")

# The number of a revision is counted where the row is first written. CAST: PostgreSQL must know the type of what is given twice.
_REVISION = """(SELECT count(*) FROM reading r WHERE r.series = CAST(:series AS VARCHAR) AND r.t = :t AND r.arrived < :arrived
               AND r.value IS DISTINCT FROM CAST(:value AS DOUBLE PRECISION))"""
# A feed that was killed sends again what it had not remembered; what the check said the first time stands.
_REPEAT = """excluded."check" = 'late' AND (reading."check" <> '' OR reading.flag <> 1)"""
_FIRST = """FROM reading r WHERE r.series = CAST(:series AS VARCHAR) AND r.t = :t AND r.arrived < :arrived
    AND r.value IS NOT DISTINCT FROM CAST(:value AS DOUBLE PRECISION) ORDER BY r.arrived DESC LIMIT 1"""
_RAW = text(f"""INSERT INTO reading (series, t, arrived, value, flag, "check", revision)
    VALUES (CAST(:series AS VARCHAR), :t, :arrived, :value, :flag, '', {_REVISION})
    ON CONFLICT (series, t, arrived) DO UPDATE SET value = excluded.value""")
_SAID = text(f"""INSERT INTO reading (series, t, arrived, value, flag, "check", revision)
    VALUES (CAST(:series AS VARCHAR), :t, :arrived, :value, :flag, :check, {_REVISION})
    ON CONFLICT (series, t, arrived) DO UPDATE SET value = excluded.value,
    flag = CASE WHEN {_REPEAT} THEN reading.flag ELSE excluded.flag END,
    "check" = CASE WHEN {_REPEAT} THEN reading."check" ELSE excluded."check" END""")
# A repeat says nothing of its own: its row shows what was said of the reading, or a doubtful one sent twice would be good.
_AGAIN = text(f"""INSERT INTO reading (series, t, arrived, value, flag, "check", revision)
    VALUES (CAST(:series AS VARCHAR), :t, :arrived, :value, COALESCE((SELECT r.flag {_FIRST}), 1),
            COALESCE((SELECT r."check" {_FIRST}), ''), {_REVISION})
    ON CONFLICT (series, t, arrived) DO UPDATE SET value = excluded.value,
    flag = CASE WHEN reading."check" <> '' OR reading.flag <> 1 THEN reading.flag ELSE excluded.flag END,
    "check" = CASE WHEN reading."check" <> '' OR reading.flag <> 1 THEN reading."check" ELSE excluded."check" END""")


class Keeping:
    """Work of one partition: rows that wait for the next write."""

    def __init__(self, place: Place, taken: Taken, plans: Plans) -> None:
        self.place, self.plans, self.rows = place, plans, Rows(plan=taken.plan)
        self.judged = plain(place.topic).endswith("judged")

    async def ready(self, value: bytes) -> None:
        """Nothing is needed."""

    def apply(self, offset: int, value: bytes) -> list[Out]:
        """Take the rows of a block; other records say nothing to history, but for the plan, which says what is kept."""
        try:
            record = decode(value)
        except BadRecord as error:
            return self.refuse(offset, value, str(error))
        if isinstance(record, PlanRecord):
            self.rows.plan = record.hash
        elif isinstance(record, Block) and self.judged:
            self.rows.said += said_rows(record)
        elif isinstance(record, Block):
            self.rows.raw += raw_rows(record)
        return []

    def refuse(self, offset: int, value: bytes, why: str) -> list[Out]:
        """The judge has told `rejects` already."""
        log.warning("record passed over", place=str(self.place), offset=offset, why=why)
        return []

    def take(self) -> Rows:
        """All that waits."""
        taken, self.rows = self.rows, Rows(plan=self.rows.plan)
        return taken

    def give_back(self, page: Rows) -> None:
        """Those rows come first the next time."""
        self.rows.raw[:0] = page.raw
        self.rows.said[:0] = page.said

    def report(self) -> None:
        """Its lag is all there is to say."""


class HistoryStore:
    """Rows and positions in history.db."""

    def __init__(self, engine: Engine, plans: Plans) -> None:
        self.engine, self.plans, self.before = engine, plans, Before()
        self.positions = Positions(engine, "history")
        prepare(engine)

    def thin(self) -> None:
        """Fold and drop what is older than the newest plan keeps."""
        newest = self.plans.newest()
        if newest is not None:
            log.info("history thinned", dropped=thin(self.engine, city_of(newest[1])))

    def open(self, place: Place) -> tuple[Taken, Keeping]:
        """Become the owner of a partition; Unavailable while what it goes on from is not read to its end."""
        if first := self.before.waits(place):
            left = first[1] - self.positions.all().get(first[0], -1)
            if left > 0:
                raise Unavailable(f"{first[0].topic}/{first[0].partition} comes first: {left} records")
        with self.engine.begin() as connection:
            taken = self.positions.take(connection, place)
        return taken, Keeping(place, taken, self.plans)

    def write(self, place: Place, epoch: int, applied: int, page: Rows) -> bool:
        """Rows and position, all or nothing; the same rows again change nothing."""
        with self.engine.begin() as connection:
            if not self.positions.advance(connection, place, epoch, applied, Page(plan=page.plan, now=page.now)):
                return False
            _write(connection, _RAW, page.raw)
            _write(connection, _SAID, [row for row in page.said if row.check != "duplicate"])
            _write(connection, _AGAIN, [row for row in page.said if row.check == "duplicate"])
            return True


def _write(connection: Connection, statement: Any, rows: Iterable[Row]) -> None:
    told = [{"series": r.series, "t": r.t, "arrived": r.arrived, "value": r.value,
             "flag": int(Flag.GOOD) if r.flag is None else r.flag, "check": r.check or ""} for r in rows]
    if told:
        connection.execute(statement, told)
