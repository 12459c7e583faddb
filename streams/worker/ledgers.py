"""All partitions that a process owns: what an assignment, a hole, a refused snapshot or a failure does to them."""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import structlog

from streams import clock
from streams.worker.ledger import Hole, Incoming, Ledger, Log, Place, Poison, Refused, Store

say = structlog.get_logger("wanglou.ledger")


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
                ledger.seen = clock.monotonic()     # it waits, and is not stuck
        except Hole as hole:
            if not ledger.going_back:
                self.counts["holes"] += 1
                say.warning("hole", place=str(record.place), what=str(hole))
                self.go_back(ledger)
        except Exception as error:
            await self.retake(ledger, error)

    def expected(self) -> dict[Place, int]:
        """The next offset of each partition that is ours; -1 where there is no state for it yet."""
        return {place: self.owned[place].next if place in self.owned else -1 for place in self.mine}

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
