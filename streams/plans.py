"""Plans as bytes, and where they are kept: the log carries a plan's hash, SQL its bytes.

A plan is the whole configs folder, resolved. The same folder gives the same bytes, so the same hash.
"""
from __future__ import annotations

import asyncio
from contextlib import suppress
from hashlib import blake2b
from threading import Lock

import msgspec
from sqlalchemy import BigInteger, Column, Engine, LargeBinary, MetaData, String, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from detectors.pack import City
from detectors.plan import Plan
from detectors.reading import PlanRecord
from streams import clock
from streams.codec import BadRecord, decode
from streams.shards import by_shard
from streams.sql import create

tables = MetaData()
plan = Table("plan", tables,
             Column("hash", String(16), primary_key=True),
             Column("bytes", LargeBinary, nullable=False),
             Column("by", String, nullable=False),
             Column("at", BigInteger, nullable=False))       # µs UTC

_city = msgspec.msgpack.Decoder(City)


def plan_bytes(city: City) -> bytes:
    """The canonical bytes of a configs folder."""
    return msgspec.msgpack.encode(city, order="deterministic")


def plan_hash(data: bytes) -> str:
    """What a plan is called in the log: 16 hexadecimal digits."""
    return blake2b(data, digest_size=8).hexdigest()


def city_of(data: bytes) -> City:
    """The way back. ValueError when the bytes are no plan, or of another grammar."""
    try:
        return _city.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a plan: {error}") from error


class Plans:
    """The table `plan` of state.db; no row ever goes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create(engine, tables)

    def put(self, data: bytes, by: str = "") -> str:
        """Keep a plan and say its hash. One that is there already becomes the newest again."""
        name = plan_hash(data)
        said = {"by": by, "at": clock.now()}
        try:
            with self.engine.begin() as connection:
                if not connection.execute(update(plan).where(plan.c.hash == name).values(**said)).rowcount:
                    connection.execute(insert(plan).values(hash=name, bytes=data, **said))
        except IntegrityError:
            pass                                     # another process was quicker with the same bytes
        return name

    def get(self, name: str) -> bytes | None:
        """The bytes of a plan by its hash."""
        with self.engine.connect() as connection:
            return connection.execute(select(plan.c.bytes).where(plan.c.hash == name)).scalar()

    def newest_name(self) -> str | None:
        """The hash of the plan that was put last."""
        with self.engine.connect() as connection:
            return connection.execute(select(plan.c.hash).order_by(plan.c.at.desc()).limit(1)).scalar()

    def newest(self) -> tuple[str, bytes] | None:
        """The plan that was put last, for those who start. (What is in force where, the log says.)"""
        with self.engine.connect() as connection:
            row = connection.execute(select(plan.c.hash, plan.c.bytes).order_by(plan.c.at.desc()).limit(1)).first()
            return (row[0], row[1]) if row else None


class Newest:
    """The newest plan for those who ask every few seconds: decoded only when it is another one (200 000 sites: 30 MB)."""

    def __init__(self, plans: Plans) -> None:
        self.plans = plans
        self._kept: tuple[str, City] | None = None

    def __call__(self) -> tuple[str, City] | None:
        """Hash and city; None while there is none. Blocks; raises what SQL raises, ValueError when the bytes are no plan."""
        name = self.plans.newest_name()
        if name and (self._kept is None or self._kept[0] != name) and (found := self.plans.newest()):
            self._kept = found[0], city_of(found[1])
        return self._kept


class Library:
    """Plans in memory, by hash: made once a process and shared by its partitions. Safe to use from several threads."""

    def __init__(self, plans: Plans) -> None:
        self.plans = plans
        self._made: dict[str, Plan] = {}
        self._sharded: tuple[Plan | None, dict[int, list[str]]] = None, {}
        self._lock = Lock()

    def known(self, name: str) -> Plan | None:
        """A plan that was fetched before."""
        return self._made.get(name)

    def fetch(self, name: str) -> Plan | None:
        """A plan by its hash; None when SQL has no such bytes. Blocks; raises what SQL raises."""
        with self._lock:
            if name not in self._made and (data := self.plans.get(name)) is not None:
                self._made[name] = Plan(city_of(data), name)
            return self._made.get(name)

    def shards(self, plan: Plan, of: int, partitions: int) -> dict[int, list[str]]:
        """The sites of one partition, by shard; worked out once for all partitions."""
        made, found = self._sharded
        if made is not plan:
            found = by_shard(plan.sites, 0, 1)
            self._sharded = plan, found
        return {number: sites for number, sites in found.items() if number % partitions == of}

    async def ready(self, value: bytes) -> None:
        """Fetch the plan that a record names, if it is a plan record."""
        if value[:2] != b"\x01p":
            return
        with suppress(BadRecord):
            record = decode(value)
            if isinstance(record, PlanRecord) and self.known(record.hash) is None:
                await asyncio.to_thread(self.fetch, record.hash)
