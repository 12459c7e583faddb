"""Snapshots of judge and combine in state.db: where each partition stands, and the pages of its state.

`position` has one row for each (stage, topic, partition): the offset that the pages are applied up to, the epoch of the owner,
the plan, the clock. `page` has one row for each (stage, shard): rows by name, so P may change and sites may come and go. `beside`
holds what changed since a page was written, in order; it goes when the page is written anew. A write
under an older epoch is refused: a worker that was frozen and comes back cannot overwrite newer state.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)

from streams import clock
from streams.metrics import Metrics
from streams.plans import Library
from streams.settings import Settings
from streams.sql import create
from streams.worker.ledger import Place, Taken, Work

W = TypeVar("W", bound=Work)

tables = MetaData()
position = Table("position", tables,
                 Column("stage", String, primary_key=True), Column("topic", String, primary_key=True),
                 Column("partition", Integer, primary_key=True), Column("epoch", BigInteger, nullable=False),
                 Column("applied", BigInteger, nullable=False), Column("plan", String, nullable=False),
                 Column("now", BigInteger, nullable=False),          # the state's clock, µs
                 Column("saved", BigInteger, nullable=False))        # wall clock, µs UTC
page = Table("page", tables,
             Column("stage", String, primary_key=True), Column("shard", Integer, primary_key=True),
             Column("bytes", LargeBinary, nullable=False))
beside = Table("beside", tables,
               Column("stage", String, primary_key=True), Column("shard", Integer, primary_key=True),
               Column("part", Integer, primary_key=True), Column("bytes", LargeBinary, nullable=False))


@dataclass(frozen=True)
class Page:
    """What one snapshot writes: pages by shard, rows beside pages by shard, and what else the state needs to go on."""

    pages: dict[int, bytes] = field(default_factory=dict)
    plan: str = ""
    now: int = 0
    added: dict[int, bytes] = field(default_factory=dict)


class Positions:
    """The rows of `position` of one stage; in whichever database its state is."""

    def __init__(self, engine: Engine, stage: str) -> None:
        self.engine, self.stage = engine, stage
        create(engine, tables)

    def take(self, connection: Connection, place: Place) -> Taken:
        """Become the owner: the epoch goes up by one. Two at once: one waits for the other."""
        here = self._here(place)
        row = connection.execute(select(position).where(*here).with_for_update()).first()
        if row is None:
            connection.execute(insert(position).values(
                stage=self.stage, topic=place.topic, partition=place.partition, epoch=1, applied=-1, plan="", now=0, saved=0))
            return Taken(1)
        connection.execute(update(position).where(*here).values(epoch=row.epoch + 1))
        return Taken(row.epoch + 1, row.applied, row.plan, row.now)

    def advance(self, connection: Connection, place: Place, epoch: int, applied: int, page: Page) -> bool:
        """Say where the partition stands; False when the epoch is over or newer offsets are in already."""
        done = connection.execute(
            update(position).where(*self._here(place), position.c.epoch == epoch, position.c.applied <= applied)
            .values(applied=applied, plan=page.plan, now=page.now, saved=clock.now()))
        return bool(done.rowcount)

    def all(self) -> dict[Place, int]:
        """The last offset that is applied and saved of each place."""
        with self.engine.connect().execution_options(reading=True) as connection:
            rows = connection.execute(select(position).where(position.c.stage == self.stage))
            return {Place(row.topic, row.partition): row.applied for row in rows}

    def _here(self, place: Place) -> tuple[ColumnElement[bool], ...]:
        return (position.c.stage == self.stage, position.c.topic == place.topic, position.c.partition == place.partition)


class Snapshots:
    """Pages and positions of one stage (`judge`, `combine`)."""

    def __init__(self, engine: Engine, stage: str, partitions: int) -> None:
        self.engine, self.stage, self.partitions = engine, stage, partitions
        self.positions = Positions(engine, stage)

    def take(self, place: Place) -> Taken:
        """A new epoch and the pages of the partition's shards, in one transaction."""
        with self.engine.begin() as connection:
            taken = self.positions.take(connection, place)
            pages = [connection.execute(select(of.c.bytes).where(
                of.c.stage == self.stage, of.c.shard % self.partitions == place.partition).order_by(of.c.shard, *order)).scalars()
                for of, order in ((page, ()), (beside, (beside.c.part,)))]
            return Taken(taken.epoch, taken.applied, taken.plan, taken.now, tuple(one for each in pages for one in each))

    def write(self, place: Place, epoch: int, applied: int, page_: Page) -> bool:
        """Keep a snapshot, all of it or nothing."""
        whole, added = page_.pages, page_.added         # made now, before the database is asked to wait for us
        with self.engine.begin() as connection:
            if not self.positions.advance(connection, place, epoch, applied, page_):
                return False
            if whole:
                for of in (page, beside):
                    connection.execute(delete(of).where(of.c.stage == self.stage, of.c.shard.in_(whole)))
                connection.execute(insert(page), [{"stage": self.stage, "shard": s, "bytes": b} for s, b in whole.items()])
            if added:
                last = {row[0]: row[1] for row in connection.execute(select(beside.c.shard, func.max(beside.c.part)).where(
                    beside.c.stage == self.stage, beside.c.shard.in_(added)).group_by(beside.c.shard))}
                connection.execute(insert(beside), [{"stage": self.stage, "shard": s, "part": last.get(s, 0) + 1, "bytes": b}
                                                    for s, b in added.items()])
            return True


class StateStore(Generic[W]):
    """Where a stage keeps its state: `make` builds its work (`Judging`, `Combining`) from what was kept."""

    def __init__(self, make: Callable[[Place, Taken, Library, Settings, Metrics], W], snapshots: Snapshots, library: Library,
                 settings: Settings, metrics: Metrics) -> None:
        self.make, self.snapshots, self.library, self.settings, self.metrics = make, snapshots, library, settings, metrics

    def open(self, place: Place) -> tuple[Taken, W]:
        """Become the owner and build the state."""
        taken = self.snapshots.take(place)
        return taken, self.make(place, taken, self.library, self.settings, self.metrics)

    def write(self, place: Place, epoch: int, applied: int, page: Page) -> bool:
        """One snapshot."""
        written = self.snapshots.write(place, epoch, applied, page)
        if written:
            self.metrics.snapshot.set(clock.now() / 1e6, place.partition, owner=place)
        return written
