"""The lag that is shown: the age of the oldest record that a partition has not read."""
from __future__ import annotations

import asyncio
from typing import Any

import pytest
from faust.types import TP

from streams.metrics import Metrics
from streams.worker import faustlog
from streams.worker.faustlog import FaustLog
from streams.worker.ledger import Place

PLACE = Place("w.readings", 1)


class Consumer:
    """What was fetched says how far the log goes; the broker knows better."""

    def __init__(self) -> None:
        self.fetched: int | None = None
        self.there = 0

    def highwater(self, tp: TP) -> int | None:
        return self.fetched

    async def highwaters(self, *places: TP) -> dict[TP, int]:
        return dict.fromkeys(places, self.there)


class Bench:
    """A log beside a consumer, on a clock that the test moves."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.consumer, self.metrics, self.next = 1e6, Consumer(), Metrics(), 0
        self.log = FaustLog(type("App", (), {"consumer": self.consumer})(), self.metrics, "w.")     # type: ignore[arg-type]
        patch.setattr(faustlog.clock, "now", lambda: round(self.now * 1e6))

    def read(self, offset: int, stamp: float) -> None:
        """A record comes."""
        message: Any = type("M", (), {"offset": offset, "value": b"", "topic": PLACE[0], "partition": PLACE[1], "timestamp": stamp})()
        self.log.incoming(type("E", (), {"message": message, "ack": None, "value": b""})())
        self.next, self.consumer.fetched = offset + 1, max(self.consumer.fetched or 0, offset + 1)

    async def lag(self, after: float = 1.0) -> float:
        """What is shown a little later."""
        self.now += after
        self.log.look()
        await asyncio.sleep(0.001)
        self.log.report({PLACE: self.next})
        return self.metrics.lag.rows()["readings", "1"]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    """One."""
    return Bench(monkeypatch)


async def test_at_the_end_of_the_log_there_is_none(bench: Bench) -> None:
    """However long ago the last record came."""
    bench.consumer.there = 1
    bench.read(0, 10.0)
    assert [await bench.lag(), await bench.lag(3600)] == [0, 0]


async def test_a_partition_that_is_not_fetched_from_grows_old(bench: Bench) -> None:
    """It was read to its end and stands still; the client knows of nothing more, the broker does."""
    bench.consumer.there = 1
    bench.read(0, 10.0)
    await bench.lag()
    bench.consumer.there = 5
    assert [round(await bench.lag()) for _ in range(3)] == [1, 2, 3] and PLACE in bench.log.unread


async def test_a_backlog_is_as_old_as_what_is_worked_on(bench: Bench) -> None:
    """Two hours behind from the start."""
    bench.consumer.there = 900
    assert await bench.lag() == 0
    bench.read(0, bench.now - 7200)
    assert 7200 <= await bench.lag() <= 7202


async def test_a_partition_without_a_state_is_not_forgotten(bench: Bench) -> None:
    """Its database is away: it ages from the assignment on, and its row goes with it."""
    bench.next, bench.consumer.there = -1, 9
    assert await bench.lag() == 0
    assert await bench.lag(30) == 30
    bench.log.leave()
    assert not bench.metrics.lag.rows() and not bench.log.unread
