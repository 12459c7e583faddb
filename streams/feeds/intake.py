"""The middle of a feed: what a decoder found goes into blocks and rejects, and is answered for once it is safe."""
from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from detectors.pack import City
from detectors.reading import Source, Tick
from streams import clock, rejects
from streams.codec import encode
from streams.feeds.blocks import Blocker, Closed
from streams.feeds.buffer import Full
from streams.feeds.guests import guests
from streams.feeds.producer import DISK, KAFKA, Outlet
from streams.feeds.sources import Sources
from streams.feeds.words import Reading, Refused
from streams.metrics import Metrics

BREATH = 256
"""Rows between two looks at the other tasks: a big push must not hold up the small ones."""


class Names(NamedTuple):
    """What a feed is called, and the full names of its topics."""

    feed: str
    readings: str
    rejects: str


@dataclass
class Receipt:
    """What became of a push. `where` = "kafka" (all replicas have it), "buffer" (some of it is on this machine's disk only)."""

    accepted: int = 0
    rejected: list[Refused] = field(default_factory=list)
    where: str = KAFKA


class Intake:
    """One feed's blocks, rejects, sources and counts over one Outlet."""

    def __init__(self, names: Names, outlet: Outlet, blocker: Blocker, metrics: Metrics, city: City | None = None) -> None:
        self.names, self.outlet, self.blocker, self.metrics = names, outlet, blocker, metrics
        self.sources = Sources()
        self.city = city
        self._waiting: dict[int, asyncio.Future[str]] = {}      # serial of an open block -> where it got to
        self._timer: asyncio.TimerHandle | None = None
        metrics.feed_buffer.watch(lambda: {(names.feed,): len(outlet.buffer)})
        for pack in city.packs if city else ():
            metrics.readings.labels(pack.id, names.feed)
        if city:
            self.guide(city)

    async def push(self, found: Iterable[Reading | Refused], source: str, decoder: str) -> Receipt:
        """Take everything in and wait until it is safe. Full if not all of it could be: then it is to be sent again, whole."""
        receipt, packs, kept = Receipt(), Counter[str](), dict[int, asyncio.Future[str]]()
        try:
            for n, one in enumerate(found, 1):
                if isinstance(one, Reading):
                    for serial in self.blocker.add(one, source, clock.now()):
                        kept[serial] = self._future(serial)
                    packs[one.pack] += 1
                else:
                    receipt.rejected.append(one)
                    kept[-n] = self.refuse(one, source, decoder)
                if not n % BREATH:
                    self._send(self.blocker.close(clock.now()))
                    await asyncio.sleep(0)
        finally:                                    # also of a push that is given up, what is in a block must go
            self._send(self.blocker.close(clock.now()))
            self._later()
        if kept:
            await asyncio.wait(kept.values())       # never gather: a block is shared with pushes that go on if we are cancelled
        where = {future.result() for future in kept.values()}
        for pack, count in packs.items():
            self.metrics.readings.labels(pack, self.names.feed).inc(count)
        receipt.accepted = packs.total()
        receipt.where = DISK if DISK in where else KAFKA
        return receipt

    def refuse(self, one: Refused, source: str, decoder: str) -> asyncio.Future[str]:
        """Keep a refused input; the future says where. Full when it cannot be kept."""
        self.metrics.rejects.labels(self.names.feed, one.reason).inc()
        row = rejects.reject(clock.now(), self.names.feed, source, decoder, one.reason, one.place, one.what, one.raw)
        return self.outlet.put(self.names.rejects, 0, rejects.encode(row))

    def say(self, records: Iterable[Source | Tick]) -> list[asyncio.Future[str]]:
        """Control records, each to every partition. Full when there is no room."""
        every = range(self.blocker.partitions)
        return [self.outlet.put(self.names.readings, p, encode(replace(r, partition=p) if isinstance(r, Tick) else r))
                for r in records for p in every]

    def flush(self) -> list[asyncio.Future[str]]:
        """Send every open block now, for a feed that cuts its own steps."""
        closed = self.blocker.close()
        kept = [self._future(c.serial) for c in closed]
        self._send(closed)
        return kept

    def move(self, readings: str, partitions: int) -> None:
        """Another topic from now on, with more partitions; what is in an open block still goes to the old one."""
        self._send(self.blocker.close())
        self.names = self.names._replace(readings=readings)
        self.blocker.spread(partitions, guests(self.city, partitions) if self.city else None)

    def guide(self, city: City) -> None:
        """The plan in force: which readings are guests where."""
        self.city = city
        self.blocker.guests = guests(city, self.blocker.partitions)

    def gauge_sources(self, now: int) -> None:
        """The sources' metrics as of `now` (µs UTC)."""
        state = self.sources.state(now)
        self.metrics.source_up.put({(self.names.feed, name): float(up) for name, up, _ in state}, self.names.feed)
        self.metrics.source_last.put({(self.names.feed, name): seen / 1e6 for name, _, seen in state}, self.names.feed)

    def _future(self, serial: int) -> asyncio.Future[str]:
        return self._waiting.setdefault(serial, asyncio.get_running_loop().create_future())

    def _send(self, closed: list[Closed]) -> None:
        for serial, partition, block in closed:
            waiting = self._future(serial)
            del self._waiting[serial]
            try:
                sent = self.outlet.put(self.names.readings, partition, encode(replace(block, sent=clock.now())))
            except Full as full:
                _fail(waiting, full)
            else:
                sent.add_done_callback(partial(_pass_on, waiting))

    def _later(self) -> None:
        """Look again when the oldest open block is due."""
        due = self.blocker.due()
        if due is None or self._timer is not None:
            return
        wait = max(0.001, (due - clock.now()) / 1e6)
        self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self._send(self.blocker.close(clock.now()))
        self._later()


def _pass_on(waiting: asyncio.Future[str], sent: asyncio.Future[str]) -> None:
    if waiting.done():
        return
    if sent.cancelled():
        waiting.cancel()
    elif (error := sent.exception()) is not None:
        _fail(waiting, error)
    else:
        waiting.set_result(sent.result())


def _fail(waiting: asyncio.Future[str], error: BaseException) -> None:
    if not waiting.done():
        waiting.set_exception(error)
        waiting.exception()                         # whoever waited may have gone away: not worth a traceback
