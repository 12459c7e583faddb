"""The way out of a feed: to Kafka, in order; to the disk while Kafka is away; and then it refuses.

`Outlet.put` gives a future that says where the record is safe: "kafka" once all replicas in sync have it, "buffer"
once it is synced on this machine's disk. What was under way when Kafka fell silent is written to the disk too; the
producer keeps trying, and what it still gets through is not sent again. Order within a partition is kept throughout.
"""
from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from streams.errors import Unavailable
from streams.feeds.buffer import Buffer, Full, Kept
from streams.feeds.link import DOWN, Link

log = logging.getLogger(__name__)
KAFKA, DISK = "kafka", "buffer"
FRAME = 100
"""Bytes, at most, that a record's frame adds on disk."""
Record = tuple[str, int, bytes]
"""Topic, partition, value."""


@dataclass(eq=False, slots=True)
class _Item:
    """One record on its way."""

    record: Record
    done: asyncio.Future[str]
    put: float                                      # loop time
    sent: asyncio.Future[Any] | None = None

    def got(self) -> bool:
        """Kafka has acknowledged it."""
        return self.sent is not None and _took(self.sent)

    def tell(self, where: str) -> None:
        if not self.done.done():
            self.done.set_result(where)


def _took(sent: asyncio.Future[Any]) -> bool:
    """Kafka has acknowledged this."""
    return sent.done() and not sent.cancelled() and sent.exception() is None


async def _all(sent: list[asyncio.Future[Any]]) -> None:
    """Wait for every one, then fail as the first that did."""
    if sent:
        await asyncio.wait(sent)
    for one in sent:
        one.result()


class Outlet:
    """The one way out of a feed. `start` before the first `put`, `close` at the end.

    `connect` gives a new Link or raises Unavailable; `patience` = seconds without an acknowledgement until the disk takes over.
    `route` says where a record goes when it leaves: after a growth, what waited for the old topic is several for the new one.
    """

    def __init__(self, connect: Callable[[], Awaitable[Link]], buffer: Buffer, patience: float = 2.0, retry: float = 1.0) -> None:
        self.connect, self.buffer, self.patience, self.retry = connect, buffer, patience, retry
        self.route: Callable[[Record], list[Record]] = lambda record: [record]
        self.online = False                         # else everything goes to the disk, and `_drain` works on coming back
        self._queue: deque[_Item] = deque()
        self._queued = 0
        self._flight: deque[_Item] = deque()        # handed to the link, not acknowledged; in order
        self._doubt: dict[int, asyncio.Future[Any]] = {}    # in the file and with a link: whichever comes first
        self._link: Link | None = None
        self._broken = self.failed = False
        self._refused, self._unwritten = 0, False   # size of what found no room; whether the disk failed to take the last one
        self._wake, self._there, self._disk = asyncio.Event(), asyncio.Event(), asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work; what an earlier process left on the disk goes first."""
        self._go(self._run())
        self._go(self._come_back())

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks = [t for t in self._tasks if not t.done()] + [task]

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.critical("the way out of this feed has failed", exc_info=task.exception())
            self.failed = True

    async def ready(self) -> None:
        """Until Kafka is there and has everything that lay on the disk."""
        await self._there.wait()

    @property
    def full(self) -> bool:
        """Whether a put would be refused now."""
        return self.failed or (self._unwritten and not self.online) or not self.buffer.room(self._queued + self._refused)

    def put(self, topic: str, partition: int, value: bytes) -> asyncio.Future[str]:
        """Take a record; the future says where it is safe (Full when it is nowhere). Full at once when there is no room."""
        if self.failed or not self.buffer.room(self._queued + len(value)):
            self._refused = len(value)
            raise Full("too much is under way to Kafka" if self.online else "Kafka is away and the buffer on disk is full")
        loop = asyncio.get_running_loop()
        item = _Item((topic, partition, value), loop.create_future(), loop.time())
        self._queue.append(item)
        self._queued += len(value)
        self._refused = 0 if len(value) >= self._refused else self._refused     # a small one may still find room
        self._wake.set()
        return item.done

    async def close(self, limit: float = 5.0) -> None:
        """Bring what is under way to safety (Kafka, else the disk), then let go."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit
        while (self._queue or self._flight or self._disk.locked()) and loop.time() < end:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = [i for i in (*self._flight, *self._queue) if not i.got()]
        await self._store(left)
        if self._link:
            await self._link.close()
        self.buffer.close()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            if not self._queue and not self._flight:
                await self._wake.wait()
            elif not self._queue:
                await self._woken(max(0.005, self._flight[0].put + self.patience - loop.time()))
            self._wake.clear()
            while self._flight and self._flight[0].got():
                self._flight.popleft()
            if not self.online:
                await self._to_disk()
            elif self._broken or (self._flight and loop.time() - self._flight[0].put >= self.patience):
                await self._fall()
            else:
                await self._to_kafka()

    async def _woken(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)

    async def _to_kafka(self) -> None:
        while self._queue and self._link and not self._broken:
            item = self._queue[0]
            try:
                item.sent = await asyncio.wait_for(self._hand(self._link, item.record), self.patience)
            except DOWN as error:
                log.warning("Kafka does not take records: %r", error)
                self._broken = True
                return
            self._pop()
            self._flight.append(item)
            item.sent.add_done_callback(partial(self._acknowledged, item))

    async def _hand(self, link: Link, record: Record) -> asyncio.Future[Any]:
        """One record to the link; the future is done when all that became of it is decided."""
        sent = [await link.send(*one) for one in self.route(record)]
        return sent[0] if len(sent) == 1 else asyncio.ensure_future(_all(sent))

    def _pop(self) -> _Item:
        item = self._queue.popleft()
        self._queued -= len(item.record[2])
        return item

    def _acknowledged(self, item: _Item, sent: asyncio.Future[Any]) -> None:
        if item.got():
            item.tell(KAFKA)
        elif not sent.cancelled():
            log.warning("Kafka did not take a record: %r", sent.exception())
        if self.online and not item.got():
            self._broken = True
        self._wake.set()

    async def _fall(self) -> None:
        """Kafka is silent: everything that it has not acknowledged goes to the disk, in order, and so does what follows."""
        log.warning("Kafka is away: readings go to %s", self.buffer.path)
        self.online = False
        self._there.clear()
        under_way = [i for i in self._flight if not i.got()]
        self._flight.clear()
        async with self._disk:
            for item, start in zip(under_way, await self._store(under_way), strict=False):
                assert item.sent is not None
                self._doubt[start] = item.sent
        await self._to_disk()
        self._go(self._come_back())

    async def _to_disk(self) -> None:
        async with self._disk:
            if not self.online:                     # it may have come back while we waited for the file
                await self._store([self._pop() for _ in range(len(self._queue))])

    async def _store(self, items: list[_Item]) -> list[int]:
        """Sync records to the file; where each lies. When that fails, those who wait are told. Needs the file's lock."""
        if not items:
            return []
        try:
            starts = await asyncio.to_thread(self.buffer.append, [i.record for i in items])
        except Full as error:
            self._unwritten = True
            self._refused = max(self._refused, sum(len(i.record[2]) + FRAME for i in items))
            for item in items:
                if not item.done.done():
                    item.done.set_exception(error)
                    item.done.exception()           # somebody may have gone away: not worth a traceback
            return []
        self._unwritten = False
        for item in items:
            item.tell(DISK)
        return starts

    async def _come_back(self) -> None:
        """Until Kafka has everything that lies on the disk: connect, wait for what is in doubt, drain, go online."""
        while not self.online:
            try:
                if self._link is None or self._broken:
                    await self._reconnect()
                await self._settled()
                await self._drain()
            except DOWN as error:
                log.info("Kafka is still away: %s", error or "no answer")
                await asyncio.sleep(self.retry)

    async def _reconnect(self) -> None:
        if self._link:
            await self._link.close()
            self._link = None
        self._link, self._broken = await self.connect(), False

    async def _settled(self) -> None:
        """Wait until the link has decided on all it holds; a link that cannot in a minute is given up (and may send twice)."""
        waiting = [sent for sent in self._doubt.values() if not sent.done()]
        if waiting and (await asyncio.wait(waiting, timeout=60))[1]:
            self._broken = True
            raise TimeoutError

    async def _drain(self) -> None:
        while True:
            async with self._disk:
                kept = await asyncio.to_thread(self.buffer.read)
                if not kept:
                    self._refused = 0
                    self.online = True              # nothing can slip in between: what is queued now goes to Kafka
                    self._there.set()
                    self._doubt.clear()
                    self._wake.set()
                    log.info("Kafka is there, nothing waits on the disk")
                    return
            await self._deliver([k for k in kept if k.start not in self._doubt or not _took(self._doubt[k.start])])
            async with self._disk:
                await asyncio.to_thread(self.buffer.advance, kept[-1].end)
                self._doubt = {start: sent for start, sent in self._doubt.items() if start >= kept[-1].end}

    async def _deliver(self, kept: list[Kept]) -> None:
        """Send records of the file and wait for all; of a chunk that fails half-way, what was taken is not sent again."""
        assert self._link is not None
        try:
            for k in kept:
                record = k.topic, k.partition, k.value
                self._doubt[k.start] = await asyncio.wait_for(self._hand(self._link, record), self.patience)
        except DOWN as error:
            self._broken = True
            raise Unavailable(f"Kafka does not take what lies on the disk: {error!r}") from error
        sent = [self._doubt[k.start] for k in kept]
        if sent:
            await asyncio.wait(sent, timeout=30)
        if not all(map(_took, sent)):
            self._broken = True
            raise Unavailable("Kafka did not take what lies on the disk")
