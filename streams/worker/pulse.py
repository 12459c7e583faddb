"""The judge's clock in the log: a tick into each owned partition every second; and what follows when nothing is read (R8)."""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from typing import Any

import structlog

from detectors.reading import Tick
from streams import clock
from streams.codec import encode
from streams.worker.ledger import Log, Out, Place
from streams.worker.ledgers import Ledgers

say = structlog.get_logger("wanglou.pulse")
STUCK = 8.0             # seconds without a record although there are some: go back
DEAD = 60.0             # then the process ends, and its supervisor starts it again


class Pulse:
    """Ticks keep snapshots going in silence and show a hole within a second. `unread`: where the log has more than was read."""

    def __init__(self, ledgers: Ledgers, log: Log, end: Callable[[str], None], ticks: bool = True,
                 unread: Container[Place] = ()) -> None:
        self.ledgers, self.log, self.end, self.ticks, self.unread = ledgers, log, end, ticks, unread
        self.waiting: dict[Place, asyncio.Future[Any]] = {}
        self.written: dict[Place, float] = {}           # when Kafka last acknowledged a tick
        self.nudged: dict[Place, float] = {}

    async def beat(self, now: int) -> None:
        """Once a second; `now` in µs UTC."""
        for place, ledger in list(self.ledgers.owned.items()):
            if self.ticks:
                await self._tick(place, now)
            known = clock.monotonic() if place in self.unread else self.written.get(place, 0.0)
            silent = known - ledger.seen
            if silent > DEAD:
                self.end(f"{place}: there are records, nothing has been read for {DEAD:.0f} s")
            elif silent > STUCK and clock.monotonic() - self.nudged.get(place, 0.0) > STUCK:
                self.nudged[place] = clock.monotonic()
                say.warning("stuck: there are records, none is read", place=str(place), seconds=round(silent, 1))
                self.ledgers.go_back(ledger)

    async def _tick(self, place: Place, now: int) -> None:
        before = self.waiting.get(place)
        if before is not None and not before.done():
            return                                      # the broker is away: one tick waits, not a hundred
        sent = await self.log.send(Out(place.topic, encode(Tick(now, place.partition)), place.partition))
        self.waiting[place] = future = asyncio.ensure_future(sent)
        future.add_done_callback(lambda done: self._written(place, done))

    def _written(self, place: Place, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.written[place] = clock.monotonic()
