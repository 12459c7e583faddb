"""The judge's clock in the log: a tick into each owned partition every second, and what follows if none comes back (R8)."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from detectors.reading import Tick
from streams import clock
from streams.codec import encode
from streams.ledger import Log, Out, Place
from streams.ledgers import Ledgers

say = structlog.get_logger("wanglou.pulse")
STUCK = 8.0             # seconds without a record although ticks were written: go back
DEAD = 60.0             # then the process ends, and its supervisor starts it again


class Pulse:
    """Ticks keep snapshots going in silence and show a hole within a second."""

    def __init__(self, ledgers: Ledgers, log: Log, end: Callable[[str], None], ticks: bool = True) -> None:
        self.ledgers, self.log, self.end, self.ticks = ledgers, log, end, ticks
        self.waiting: dict[Place, asyncio.Future[Any]] = {}
        self.written: dict[Place, float] = {}           # when Kafka last acknowledged a tick
        self.nudged: dict[Place, float] = {}

    async def beat(self, now: int) -> None:
        """Once a second; `now` in µs UTC."""
        for place, ledger in list(self.ledgers.owned.items()):
            if not self.ticks:
                continue
            await self._tick(place, now)
            silent = self.written.get(place, 0.0) - ledger.seen
            if silent > DEAD:
                self.end(f"{place}: ticks are written, nothing has been read for {DEAD:.0f} s")
            elif silent > STUCK and clock.monotonic() - self.nudged.get(place, 0.0) > STUCK:
                self.nudged[place] = clock.monotonic()
                say.warning("stuck: ticks are written, nothing is read", place=str(place))
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
