"""Faust's consumer and producer as the `Log` that the ledgers ask for: names of `ConsumerT` only, nothing patched."""
from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from faust import App
from faust.types import TP

from streams import clock
from streams.ledger import Out, Place
from streams.metrics import Metrics

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
        self.last: dict[Place, Any] = {}

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
        self.last[record.place] = event.message
        return record

    def report(self) -> None:
        """How old the record is that each partition works on; 0 at the log's end."""
        for place, message in self.last.items():
            end = self.app.consumer.highwater(TP(*place)) or 0
            late = max(0.0, clock.now() / 1e6 - message.timestamp) if end > message.offset + 1 else 0.0
            self.metrics.lag.set(late, place.topic.removeprefix(self.prefix), place.partition, owner=place)

    def leave(self) -> None:
        """The partitions are gone, and what was said of them."""
        for place in self.last:
            self.metrics.leave(place)
        self.last.clear()
