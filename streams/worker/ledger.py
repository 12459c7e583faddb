"""Exactly-once effect over a client that may skip, repeat and reorder: the book of one partition (`ledgers`: of all).

The rules are those of `blocks.md` (R1-R12), each found by a run that failed:

* the offset guard: below the expected offset a record is old news, at it the record is applied, above it there is a hole;
  then nothing is applied or acknowledged, and the partition goes back to what is expected (R4, R5);
* what was said is acknowledged by Kafka, then the snapshot is written, then the records are acknowledged, in order (R1);
* a snapshot of an older owner is refused by the store; then, and after any failure, the state is loaded again (R2, R6).

Nothing here knows of Faust or SQL: a `Log` brings records and takes them, a `Store` keeps snapshots, a `Work` is the state.
"""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import structlog

from streams import clock

say = structlog.get_logger("wanglou.ledger")


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Out:
    """A record to be produced."""

    topic: str
    value: bytes
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """What the store knows of a partition when somebody becomes its owner. `applied` is the last offset that is in `pages`."""

    epoch: int
    applied: int = -1
    plan: str = ""
    now: int = 0
    pages: tuple[bytes, ...] = ()


class Incoming(Protocol):
    """A record from the log, with the way to acknowledge it."""

    @property
    def place(self) -> Place: ...
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes: ...
    def ack(self) -> object: ...


class Log(Protocol):
    """The little of a Kafka client that is needed."""

    def pause(self, place: Place) -> None: ...
    def resume(self, place: Place) -> None: ...
    async def seek(self, place: Place, offset: int) -> None: ...
    async def earliest(self, place: Place) -> int: ...
    async def send(self, out: Out) -> Awaitable[Any]:
        """Hand a record to the producer; what is returned is done when Kafka has acknowledged it."""


class Work(Protocol):
    """The state of a stage for one partition. `apply` is plain code, so no other record comes between (R7)."""

    async def ready(self, value: bytes) -> None:
        """Fetch from SQL what `apply` will need for this record."""
    def apply(self, offset: int, value: bytes) -> list[Out]: ...
    def refuse(self, offset: int, value: bytes, why: str) -> list[Out]:
        """Applied as nothing, told to `rejects`."""
    def take(self) -> Any:
        """A copy of what changed since the last one."""
    def give_back(self, page: Any) -> None:
        """What was taken could not be written: it counts as changed again."""
    def report(self) -> None:
        """Say to the metrics what there is, once a second."""


class Store(Protocol):
    """Where snapshots are kept. Both calls block and are made in a thread (R9)."""

    def open(self, place: Place) -> tuple[Taken, Work]:
        """Become the owner (a new epoch) and load, in one transaction."""
    def write(self, place: Place, epoch: int, applied: int, page: Any) -> bool:
        """Keep a snapshot; False when the epoch is not the newest, or newer offsets are in it already."""


class Hole(Exception):
    """Records are missing before this one."""


class Refused(Exception):
    """The snapshot belongs to an epoch that is over."""


class Poison(Exception):
    """The state itself failed on a record."""

    def __init__(self, offset: int, error: Exception) -> None:
        self.offset = offset
        super().__init__(f"offset {offset}: {error!r}")


class Ledger:
    """The book of one partition, from an assignment to the next: what is expected, what waits for Kafka, what for a snapshot."""

    def __init__(self, place: Place, taken: Taken, work: Work, log: Log, store: Store,
                 reach: Callable[[str], None] = lambda point: None) -> None:
        self.place, self.epoch, self.next, self.work = place, taken.epoch, taken.applied + 1, work
        self.log, self.store, self.reach = log, store, reach
        self.pending: list[Callable[[], object]] = []   # acknowledgements that wait for the next snapshot
        self.sent: list[Awaitable[Any]] = []        # acknowledgements of Kafka that the next snapshot waits for
        self.turn, self.saving = asyncio.Lock(), asyncio.Lock()
        self.current, self.going_back = True, False
        self.skip = -1                              # an offset that the state cannot bear
        self.saved = self.seen = clock.monotonic()

    async def record(self, record: Incoming) -> None:
        """Apply a record if it is the expected one. Raises Hole, Poison, or what sending raises."""
        self.seen = clock.monotonic()
        if record.offset == self.next:
            await self.work.ready(record.value)
        async with self.turn:
            if not self.current:
                return
            if record.offset > self.next:
                raise Hole(f"expected {self.next}, got {record.offset}")
            self.pending.append(record.ack)
            if record.offset < self.next:
                return                              # a repetition: only to be acknowledged in its turn
            self.reach("after_consume")
            outs = self._apply(record)
            self.next = record.offset + 1
            self.reach("after_judge")
            for out in outs:
                self.sent.append(await self.log.send(out))
        self.seen = clock.monotonic()

    def _apply(self, record: Incoming) -> list[Out]:
        if record.offset == self.skip:
            return self.work.refuse(record.offset, record.value, "the state failed on it three times")
        try:
            return self.work.apply(record.offset, record.value)
        except Exception as error:
            raise Poison(record.offset, error) from error

    async def save(self) -> bool:
        """One snapshot; False when it could not be written now. Raises Refused, or what Kafka refused to take."""
        async with self.saving:
            self.saved = clock.monotonic()
            async with self.turn:                   # between two records: nothing is half said
                if not self.pending:
                    return True
                acks, self.pending = self.pending, []
                sent, self.sent = self.sent, []
                applied, page = self.next - 1, self.work.take()
            for acknowledgement in sent:
                await acknowledgement
            self.reach("after_produce")
            if not self.current:
                return True
            try:
                written = await asyncio.to_thread(self.store.write, self.place, self.epoch, applied, page)
            except Exception as error:              # the database is away: judging goes on, snapshot and acks wait (R9)
                self.pending[:0] = acks
                self.work.give_back(page)
                say.warning("snapshot waits", place=str(self.place), unsaved=len(self.pending), error=repr(error)[:200])
                return False
            if not written:
                raise Refused(f"epoch {self.epoch}, offset {applied}")
            self.reach("after_snapshot")
            for ack in acks if self.current else ():
                ack()
            self.reach("after_ack")
            return True
