"""A small plan, and a Kafka that lives in a list."""
from __future__ import annotations

import asyncio

import pytest

from detectors.pack import City, Derive, FeedSource, Indicator, Pack, Site, Text, Use
from streams.errors import Unavailable
from streams.feeds.rules import Rules

NOW = 1_781_831_100_000_000        # 2026-06-19T01:05:00Z


def make_city(*feeds: FeedSource) -> City:
    """Two gauges, an air station, one derived indicator."""
    sites = {s: Site(s, Text(s)) for s in ("lanxi", "yiwu", "古婺", "square")}
    river = Indicator("river_level", "basin", Text("河道水位"), "m", ("lanxi", "yiwu", "古婺"))
    rain = Indicator("rain", "basin", Text("雨量"), "mm", ("lanxi",), every=3600.0)
    rain12 = Indicator("rain_12h", "basin", Text("雨量"), "mm", ("lanxi",), derive=Derive(Use("sum"), ("rain",)))
    co = Indicator("co", "air", Text("一氧化碳"), "mg/m3", ("square",))
    return City((Pack("basin", Text("b"), (river, rain, rain12)), Pack("air", Text("a"), (co,))), sites, feeds=feeds)


@pytest.fixture
def city() -> City:
    """The plan."""
    return make_city()


@pytest.fixture
def rules(city: City) -> Rules:
    """Of a plain source."""
    return Rules(city)


class FakeKafka:
    """A log in memory: `up`, and `silent` = takes records and never answers."""

    def __init__(self) -> None:
        self.log: list[tuple[str, int, bytes]] = []
        self.up, self.silent = True, False
        self.connects = 0
        self.held: list[tuple[asyncio.Future[None], tuple[str, int, bytes]]] = []

    async def connect(self) -> FakeLink:
        """A link, when it is up."""
        if not self.up:
            raise Unavailable("no broker")
        self.connects += 1
        return FakeLink(self)

    def answer(self) -> None:
        """Take what was held, as an idempotent producer does that got through at last."""
        self.silent = False
        held, self.held = self.held, []
        for future, record in held:
            if not future.done():
                self.log.append(record)
                future.set_result(None)

    def records(self, topic: str, partition: int | None = None) -> list[bytes]:
        """What lies in a topic."""
        return [v for t, p, v in self.log if t == topic and partition in (None, p)]


class FakeLink:
    """One connection to FakeKafka."""

    def __init__(self, kafka: FakeKafka) -> None:
        self.kafka, self.mine = kafka, []

    async def send(self, topic: str, partition: int, value: bytes) -> asyncio.Future[None]:
        """Append and acknowledge, or hold."""
        if not self.kafka.up:
            raise ConnectionError("down")
        future = asyncio.get_running_loop().create_future()
        if self.kafka.silent:
            self.kafka.held.append((future, (topic, partition, value)))
            self.mine.append(future)
        else:
            self.kafka.log.append((topic, partition, value))
            future.set_result(None)
        return future

    async def close(self) -> None:
        """What is held fails."""
        for future in self.mine:
            if not future.done():
                future.set_exception(ConnectionError("closed"))
                future.exception()


@pytest.fixture
def kafka() -> FakeKafka:
    """A broker that is up."""
    return FakeKafka()


@pytest.fixture
def make_plan():
    """A plan with sources."""
    return make_city
