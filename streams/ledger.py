"""Exactly-once effect over a client that may skip, repeat and reorder: the book of one partition, and of all that are owned.

The rules are those of `blocks.md` (R1-R12), each found by a run that failed:

* the offset guard: below the expected offset a record is old news, at it the record is applied, above it there is a hole;
  then nothing is applied or acknowledged, and the partition goes back to what is expected (R4, R5);
* what was said is acknowledged by Kafka, then the snapshot is written, then the records are acknowledged, in order (R1);
* a snapshot of an older owner is refused by the store; then, and after any failure, the state is loaded again (R2, R6).

Nothing here knows of Faust or SQL: a `Log` brings records and takes them, a `Store` keeps snapshots, a `Work` is the state.
"""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
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


class Ledgers:
    """The books of all partitions that this process owns, and the ways back to a good state. No method raises."""

    SEEK_WAIT = 1.2         # seconds; longer than the client's fetch (1 s), which would overwrite the seek
    LAST_SAVE = 3.0         # seconds for a snapshot when a partition goes away

    def __init__(self, log: Log, store: Store, unsaved: int = 20_000, reach: Callable[[str], None] = lambda point: None) -> None:
        self.log, self.store, self.unsaved, self.reach = log, store, unsaved, reach
        self.owned: dict[Place, Ledger] = {}
        self.mine: set[Place] = set()
        self.failures: dict[Place, tuple[int, int]] = {}    # offset that the state failed on, how often
        self.counts = {"holes": 0, "retakes": 0, "refused": 0, "gaps": 0}
        self._opening: dict[Place, asyncio.Future[Ledger | None]] = {}
        self._generation = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def assigned(self, places: Iterable[Place]) -> None:
        """A new assignment: nothing is kept, each partition is loaded with a new epoch, those that stay too (R2)."""
        self._forget()
        self.mine = set(places)
        await asyncio.gather(*[self._open(place) for place in sorted(self.mine)])

    async def revoked(self) -> None:
        """The partitions go away: one last save, which correctness does not need (R3), then all is forgotten."""
        ledgers = list(self.owned.values())
        saves = [asyncio.wait_for(ledger.save(), self.LAST_SAVE) for ledger in ledgers]
        for ledger, result in zip(ledgers, await asyncio.gather(*saves, return_exceptions=True), strict=True):
            if isinstance(result, BaseException):
                say.warning("last save failed", place=str(ledger.place), error=repr(result)[:200])
        self._forget()

    def _forget(self) -> None:
        for ledger in self.owned.values():
            ledger.current = False
        self.owned, self.mine, self._opening = {}, set(), {}
        self._generation += 1

    async def record(self, record: Incoming) -> None:
        """One record. It waits for a state that is being loaded; without one it is passed over: the guard will see the hole."""
        if opening := self._opening.get(record.place):
            await asyncio.wait((opening,))
        ledger = self.owned.get(record.place)
        if ledger is None:
            return
        try:
            await ledger.record(record)
            while ledger.current and len(ledger.pending) > self.unsaved:
                say.error("too far ahead of the snapshot: waiting for the database", place=str(record.place))
                if not await ledger.save():
                    await asyncio.sleep(1)
        except Hole as hole:
            if not ledger.going_back:
                self.counts["holes"] += 1
                say.warning("hole", place=str(record.place), what=str(hole))
                self.go_back(ledger)
        except Exception as error:
            await self.retake(ledger, error)

    def save_due(self, every: float) -> None:
        """Begin a save of each partition whose last one is older than `every` seconds; load what could not be loaded before."""
        for place in self.mine - self.owned.keys() - self._opening.keys():
            self._begin(self._open_late(place))
        for ledger in list(self.owned.values()):
            if not ledger.saving.locked() and clock.monotonic() - ledger.saved >= every:
                self._begin(self.save(ledger))

    async def save(self, ledger: Ledger) -> None:
        """One snapshot, and the way back when it was refused or an event could not be produced."""
        try:
            await ledger.save()
        except Exception as error:
            await self.retake(ledger, error)

    async def retake(self, ledger: Ledger, error: Exception) -> None:
        """Forget this state, load the last snapshot with a new epoch, go back to it (R6)."""
        if self.owned.get(ledger.place) is not ledger:
            return
        self.counts["refused" if isinstance(error, Refused) else "retakes"] += 1
        say.warning("taking the partition again", place=str(ledger.place), error=repr(error)[:300])
        if isinstance(error, Poison):
            offset, times = self.failures.get(ledger.place, (-1, 0))
            self.failures[ledger.place] = (error.offset, times + 1 if offset == error.offset else 1)
        ledger.current = False
        del self.owned[ledger.place]
        await self._open_late(ledger.place)

    async def _open_late(self, place: Place) -> None:
        if ledger := await self._open(place):
            self.go_back(ledger)                # records have passed by meanwhile

    def _open(self, place: Place) -> asyncio.Future[Ledger | None]:
        """Begin to load a partition. From now on its records wait: Faust may open its flow before the load is done."""
        opening = self._opening[place] = asyncio.ensure_future(self._load(place, self._generation))
        opening.add_done_callback(lambda done: self._opening.get(place) is done and self._opening.pop(place))
        return opening

    async def _load(self, place: Place, generation: int) -> Ledger | None:
        try:
            taken, work = await asyncio.to_thread(self.store.open, place)
        except Exception as error:              # `save_due` tries again
            say.warning("no state for the partition yet", place=str(place), error=repr(error)[:300])
            return None
        if generation != self._generation:
            return None                         # it belongs to another by now
        ledger = self.owned[place] = Ledger(place, taken, work, self.log, self.store, self.reach)
        offset, times = self.failures.get(place, (-1, 0))
        ledger.skip = offset if times >= 3 else -1
        say.info("partition taken", place=str(place), epoch=taken.epoch, next=ledger.next)
        return ledger

    def go_back(self, ledger: Ledger) -> None:
        """Begin to read again from the expected offset, one at a time a partition."""
        if ledger.current and not ledger.going_back:
            ledger.going_back = True
            self._begin(self._go_back(ledger))

    async def _go_back(self, ledger: Ledger) -> None:
        """A plain seek from inside an agent is overwritten by the fetch under way: pause, let it end, seek, resume (R5)."""
        place = ledger.place
        try:
            self.log.pause(place)
            await asyncio.sleep(self.SEEK_WAIT)
            if ledger.current:
                await self._accept_loss(ledger)
                await self.log.seek(place, ledger.next)
        except Exception as error:
            say.warning("could not go back", place=str(place), error=repr(error)[:200])
        finally:
            ledger.going_back = False
            if ledger.current:
                self.log.resume(place)

    async def _accept_loss(self, ledger: Ledger) -> None:
        """Retention has eaten what is expected: go on behind it, loudly (R12)."""
        earliest = await self.log.earliest(ledger.place)
        if earliest > ledger.next:
            self.counts["gaps"] += 1
            say.error("the log no longer has what is expected", place=str(ledger.place), expected=ledger.next, earliest=earliest)
            ledger.next = earliest

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
