"""Generations of the wide topics, in state.db: `readings` is the first, `readings.2` the next with more partitions (design 9.11).

A row is written when a growth begins and opened when it is done; until then the generation before is in force. `ending` says
where each closed log ends, so that who still reads it knows when he has all of it.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from sqlalchemy import BigInteger, Column, Engine, Integer, MetaData, String, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from streams import clock
from streams.settings import WIDE, Settings
from streams.sql import create, engine
from streams.worker import snapshots
from streams.worker.ledger import Place
from streams.worker.snapshots import position

tables = MetaData()
generation = Table("generation", tables,
                   Column("number", Integer, primary_key=True, autoincrement=False),
                   Column("partitions", Integer, nullable=False),
                   Column("begun", BigInteger, nullable=False),         # µs UTC
                   Column("opened", BigInteger, nullable=False))        # µs UTC; 0 = not yet
ending = Table("ending", tables,
               Column("topic", String, primary_key=True), Column("partition", Integer, primary_key=True),
               Column("last", BigInteger, nullable=False))              # offset of the last record; -1 = there is none


@dataclass(frozen=True)
class Generation:
    """One row. `opened` = 0 while the growth to it is under way."""

    number: int
    partitions: int
    begun: int = 0
    opened: int = 1


class Generations:
    """All generations of one installation; none before the first growth. Every call blocks and raises what SQL raises."""

    def __init__(self, database: Engine) -> None:
        self.engine = database
        for of in (snapshots.tables, tables):
            create(database, of)

    def all(self) -> list[Generation]:
        """In order."""
        with self.engine.connect().execution_options(reading=True) as connection:
            return [Generation(*row) for row in connection.execute(select(generation).order_by(generation.c.number))]

    def current(self, settings: Settings) -> Settings:
        """The settings for the generation in force."""
        rows = [row for row in self.all() if row.opened]
        return settings.of(rows[-1].number, rows[-1].partitions) if rows else settings

    def unopened(self) -> Generation | None:
        """That which a growth under way leads to."""
        return next((row for row in self.all() if not row.opened), None)

    def begin(self, before: Settings, partitions: int) -> Generation:
        """Write down what is to come, and the first generation if nothing was written yet. Again: what is under way."""
        rows, now = self.all(), clock.now()
        new = [] if rows else [{"number": 1, "partitions": before.partitions, "begun": now, "opened": now}]
        new += [] if self.unopened() else [{"number": before.generation + 1, "partitions": partitions, "begun": now, "opened": 0}]
        if new:
            try:
                with self.engine.begin() as connection:
                    connection.execute(insert(generation), new)
            except IntegrityError:
                pass                            # another was quicker: his it is
        found = self.unopened()
        assert found is not None
        return found

    def ended(self, places: Iterable[tuple[Place, int]]) -> None:
        """Where closed logs end; said once, it stays."""
        with self.engine.begin() as connection:
            known = {(row.topic, row.partition) for row in connection.execute(select(ending))}
            rows = [{"topic": p.topic, "partition": p.partition, "last": last} for p, last in places if p not in known]
            if rows:
                connection.execute(insert(ending), rows)

    def endings(self) -> dict[Place, int]:
        """The last offset of each closed log."""
        with self.engine.connect().execution_options(reading=True) as connection:
            return {Place(row.topic, row.partition): row.last for row in connection.execute(select(ending))}

    def open(self, old: Settings, new: Settings, stage: str = "judge", topic: str = "readings") -> None:
        """The new generation is in force, all in one transaction: its places begin with the plan and the clock of those that
        they come from, and who owned these can write no more. Done already: nothing.
        """
        with self.engine.begin() as connection:
            if not connection.execute(update(generation).where(generation.c.number == new.generation, generation.c.opened == 0)
                                      .values(opened=clock.now())).rowcount:
                return
            here = (position.c.stage == stage, position.c.topic == old.topic(topic))
            rows = {row.partition: row for row in connection.execute(select(position).where(*here))}
            connection.execute(update(position).where(*here).values(epoch=position.c.epoch + 1))
            begins = [
                {"stage": stage, "topic": new.topic(topic), "partition": p, "epoch": 0, "applied": -1, "plan": row.plan,
                 "now": row.now, "saved": row.saved}
                for p in range(new.partitions) if (row := rows.get(p % old.partitions)) is not None]
            if begins:
                connection.execute(insert(position), begins)


@dataclass(frozen=True)
class Before:
    """What of older generations a reader has still to read: its topics, and which place must be read to which offset first."""

    topics: tuple[str, ...] = ()
    until: dict[Place, tuple[Place, int]] | None = None

    def waits(self, place: Place) -> tuple[Place, int] | None:
        """What must have been read before this place is begun."""
        return (self.until or {}).get(place)


def unfinished(settings: Settings, generations: Generations, applied: dict[Place, int], names: Iterable[str] = WIDE) -> Before:
    """What a stage that stands at `applied` has not read of the generations before that of `settings`."""
    rows, endings, topics = generations.all(), generations.endings(), list[str]()
    until: dict[Place, tuple[Place, int]] = {}
    for row, after in pairwise(rows):
        if after.number > settings.generation:
            break
        old, new = settings.of(row.number, row.partitions), settings.of(after.number, after.partitions)
        for name in names:
            ends = {p: endings.get(Place(old.topic(name), p), -1) for p in range(old.partitions)}
            if any(applied.get(Place(old.topic(name), p), -1) < last for p, last in ends.items()):
                topics.append(old.topic(name))
            until |= {Place(new.topic(name), q): (Place(old.topic(name), q % old.partitions), ends[q % old.partitions])
                      for q in range(new.partitions)}
    return Before(tuple(topics), until)


def current(settings: Settings) -> Settings:
    """The settings for the generation in force, for a command that runs once."""
    database = engine(settings.state_url)
    try:
        return Generations(database).current(settings)
    finally:
        database.dispose()
