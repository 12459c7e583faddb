"""Faust's consumer and producer as the `Log` that the ledgers ask for: names of `ConsumerT` only, nothing patched."""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

from faust import App
from faust.types import TP

from streams import clock
from streams.metrics import Metrics
from streams.settings import plain
from streams.worker.ledger import Out, Place

RAW: dict[str, Any] = {"key_type": bytes, "key_serializer": "raw", "value_type": bytes, "value_serializer": "raw"}


class FaustRecord:
    """An event of a Faust stream. Until it is acknowledged Faust keeps it, and thousands may wait: so its bytes are taken out."""

    __slots__ = ("ack", "at", "offset", "place", "value")

    def __init__(self, event: Any) -> None:
        message = event.message
        self.offset, self.value, self.ack = message.offset, message.value or b"", event.ack
        self.place, self.at = Place(message.topic, message.partition), message.timestamp      # the broker's clock, seconds
        message.value = event.value = None


class FaustLog:
    """One app's side of the broker."""

    def __init__(self, app: App, metrics: Metrics, prefix: str = "") -> None:
        self.app, self.metrics, self.prefix = app, metrics, prefix
        self.topics: dict[str, Any] = {}
        self.at: dict[Place, float] = {}            # the stamp of the record that each partition works on
        self.ends: dict[Place, int] = {}            # what the broker last said
        self.all_read: dict[Place, float] = {}      # when nothing was unread the last time we looked
        self.since: dict[Place, float] = {}         # when we first reported of it
        self.unread: set[Place] = set()
        self.asked: asyncio.Future[Mapping[Any, int]] | None = None

    def pause(self, place: Place) -> None:
        """Fetch nothing from this partition."""
        self.app.consumer.pause_partitions({TP(*place)})

    def resume(self, place: Place) -> None:
        """Fetch again."""
        self.app.consumer.resume_partitions({TP(*place)})

    async def seek(self, place: Place, offset: int) -> None:
        """The next fetch begins at `offset`."""
        await self.app.consumer.seek_wait({TP(*place): offset})

    async def earliest(self, place: Place) -> int:
        """The first offset that the log still has."""
        found = await self.app.consumer.earliest_offsets(TP(*place))
        return int(found[TP(*place)])

    async def send(self, out: Out) -> Awaitable[Any]:
        """Hand a record to the producer."""
        topic = self.topics.get(out.topic)
        if topic is None:
            topic = self.topics[out.topic] = self.app.topic(out.topic, **RAW)
        sent: Awaitable[Any] = await topic.send(value=out.value, partition=out.partition, force=True)
        return sent

    def incoming(self, event: Any) -> FaustRecord:
        """A record, remembered for the lag."""
        record = FaustRecord(event)
        self.at[record.place] = record.at
        return record

    def look(self) -> None:
        """Ask the broker for the ends, one question at a time: where nothing is fetched, nobody says that there is more."""
        if self.since and (self.asked is None or self.asked.done()):
            self.asked = asyncio.ensure_future(self.app.consumer.highwaters(*[TP(*place) for place in list(self.since)]))
            self.asked.add_done_callback(self._told)

    def _told(self, asked: asyncio.Future[Mapping[Any, int]]) -> None:
        if not asked.cancelled() and asked.exception() is None:     # else the broker is away: others say so
            self.ends = {Place(*tp): end for tp, end in asked.result().items()}

    def report(self, expected: Mapping[Place, int]) -> None:
        """How old the oldest record is that each partition has not read; 0 at the log's end. `expected`: the next offset.

        It was written after the one that is worked on, and after we last saw that there was nothing more.
        """
        now = clock.now() / 1e6
        for place, offset in expected.items():
            begun, end = self.since.setdefault(place, now), self._end(place)
            if end > offset:
                self.unread.add(place)
            else:
                self.unread.discard(place)
                if end >= 0:
                    self.all_read[place] = now
            written = max(self.at.get(place, 0.0), self.all_read.get(place, 0.0)) or begun
            late = max(0.0, now - written) if end > offset else 0.0
            self.metrics.lag.set(late, plain(place.topic).removeprefix(self.prefix), place.partition, owner=place)

    def _end(self, place: Place) -> int:
        """The log's end as far as it is known; -1 when nobody has said."""
        fetched = self.app.consumer.highwater(TP(*place))
        return max(-1 if fetched is None else fetched, self.ends.get(place, -1))

    def leave(self) -> None:
        """The partitions are gone, and what was said of them."""
        for place in self.since:
            self.metrics.leave(place)
        for known in (self.at, self.ends, self.all_read, self.since, self.unread):
            known.clear()
