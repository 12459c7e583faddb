"""A connection to Kafka, as the way out of a feed and the relay need it: hand over in order, be told what was acknowledged."""
from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Protocol

from streams.errors import Unavailable

DOWN = (OSError, RuntimeError, Unavailable)
"""How a link fails: sockets and time limits (OSError), Kafka's own errors (aiokafka's are RuntimeErrors)."""


class Link(Protocol):
    """A connection to Kafka."""

    async def send(self, topic: str, partition: int, value: bytes) -> asyncio.Future[Any]:
        """Hand over; the future is done when it is acknowledged. Cancelled before it returns, nothing was handed over.

        Both fail with one of DOWN.
        """
        ...

    async def close(self) -> None:
        """Let go; what was not acknowledged fails."""
        ...


class KafkaLink:
    """aiokafka, acks=all. gzip: the one compression that kafka-python, which other tools read the log with, has built in."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer

    @classmethod
    async def open(cls, broker: str, idempotent: bool = True, compression: str | None = "gzip") -> KafkaLink:
        """Connect, or Unavailable. `idempotent=False` for Tansu, which knows no such producer."""
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaError

        producer = AIOKafkaProducer(bootstrap_servers=await answering(broker), acks="all", enable_idempotence=idempotent,
                                    compression_type=compression, max_request_size=8 << 20, max_batch_size=1 << 20,
                                    request_timeout_ms=10_000, retry_backoff_ms=200)
        link = cls(producer)
        try:
            await asyncio.wait_for(producer.start(), 10)
        except (KafkaError, OSError) as error:
            await link.close()
            raise Unavailable(f"no broker at {broker}: {error}") from error
        return link

    async def send(self, topic: str, partition: int, value: bytes) -> asyncio.Future[Any]:
        """Hand over to aiokafka's accumulator."""
        future: asyncio.Future[Any] = await self._producer.send(topic, value, partition=partition)
        return future

    async def close(self) -> None:
        """Stop; a broker that is away does not hold us up."""
        with suppress(*DOWN):
            await asyncio.wait_for(self._producer.stop(), 3)


async def answering(broker: str, limit: float = 5.0) -> str:
    """The first of several addresses (`host:port,…`) that answers; it names the others. A client asks one after the other, so
    one that is frozen would hold it up for half a minute. Unavailable when none answers within `limit` seconds.
    """
    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    async def ask(one: str) -> str:
        client = AIOKafkaClient(bootstrap_servers=one, request_timeout_ms=int(limit * 1000))
        try:
            await client.bootstrap()
            return one
        finally:
            await client.close()

    every = [one.strip() for one in broker.split(",") if one.strip()]
    asked = [asyncio.ensure_future(ask(one)) for one in every]
    try:
        for first in asyncio.as_completed(asked, timeout=limit):
            with suppress(KafkaError, OSError):
                return await first
    except TimeoutError:
        pass
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    raise Unavailable(f"no broker at {broker}")
