"""Ticks in the log, and what follows when they do not come back."""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from detectors.reading import Tick
from streams import clock
from streams.codec import decode
from streams.worker.ledger import Out, Place
from streams.worker.pulse import DEAD, STUCK, Pulse

PLACE = Place("w.readings", 3)


class Book:
    def __init__(self) -> None:
        self.seen, self.going_back = clock.monotonic(), False


class Books:
    def __init__(self) -> None:
        self.book = Book()
        self.owned = {PLACE: self.book}
        self.back: list[Book] = []

    def go_back(self, book: Book) -> None:
        self.back.append(book)


class Log:
    def __init__(self) -> None:
        self.outs: list[Out] = []
        self.answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def send(self, out: Out) -> Awaitable[Any]:
        self.outs.append(out)
        return self.answer


async def test_a_tick_into_each_owned_partition() -> None:
    """The tick says its partition and lies in it; the next waits until Kafka has the one before."""
    books, log = Books(), Log()
    pulse = Pulse(books, log, pytest.fail)      # type: ignore[arg-type]
    await pulse.beat(7_000_000)
    await pulse.beat(8_000_000)
    (out,) = log.outs
    assert (out.topic, out.partition, decode(out.value)) == ("w.readings", 3, Tick(7_000_000, 3))
    log.answer.set_result(None)
    await pulse.beat(9_000_000)
    assert len(log.outs) == 2


async def test_a_played_log_brings_its_own_ticks() -> None:
    """With ticks in the log the judge writes none."""
    books, log = Books(), Log()
    await Pulse(books, log, pytest.fail, ticks=False).beat(7_000_000)   # type: ignore[arg-type]
    assert log.outs == []


@pytest.mark.parametrize(("silent", "backs", "ends"), [(1.0, 0, 0), (STUCK + 1, 1, 0), (DEAD + 1, 0, 1)])
async def test_ticks_that_do_not_come_back(silent: float, backs: int, ends: int) -> None:
    """Written but not read for 8 s: go back, once in 8 s; for 60 s: end, so that the supervisor starts it again."""
    books, log, ended = Books(), Log(), list[str]()
    log.answer.set_result(None)
    books.book.seen -= silent
    pulse = Pulse(books, log, ended.append)     # type: ignore[arg-type]
    for now in range(4):
        await pulse.beat(now)
        await asyncio.sleep(0)
    assert (len(books.back), bool(ended)) == (backs, bool(ends))


async def test_an_absent_broker_is_no_stuck_partition() -> None:
    """When Kafka takes no tick either there is nothing to go back for, and a failed tick raises nothing."""
    books, log = Books(), Log()
    books.book.seen -= 1000
    pulse = Pulse(books, log, pytest.fail)      # type: ignore[arg-type]
    await pulse.beat(1)
    log.answer.set_exception(TimeoutError())
    await asyncio.sleep(0)
    await pulse.beat(2)
    assert books.back == []


@pytest.mark.parametrize(("silent", "backs", "ends"), [(1.0, 0, 0), (STUCK + 1, 1, 0), (DEAD + 1, 0, 1)])
async def test_records_that_are_not_read_by_a_stage_without_ticks(silent: float, backs: int, ends: int) -> None:
    """The broker has more than was read, and nothing is read: the same; with nothing unread, silence is no fault."""
    books, log, ended = Books(), Log(), list[str]()
    books.book.seen -= silent
    await Pulse(books, log, ended.append, ticks=False).beat(1)              # type: ignore[arg-type]
    assert (books.back, ended) == ([], [])
    pulse = Pulse(books, log, ended.append, ticks=False, unread={PLACE})    # type: ignore[arg-type]
    for now in range(3):
        await pulse.beat(now)
    assert (len(books.back), bool(ended)) == (backs, bool(ends))
