"""The way out: nothing that was called safe is lost, order is kept, and nothing is sent twice without need."""
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from streams.feeds.buffer import Buffer, Full
from streams.feeds.producer import Outlet


@asynccontextmanager
async def outlet(kafka, path: Path, cap: int = 1 << 20, patience: float = 0.1) -> AsyncIterator[Outlet]:
    """An outlet on a fake Kafka."""
    made = Outlet(kafka.connect, Buffer(path / "x.buffer", cap), patience=patience, retry=0.02)
    made.start()
    try:
        yield made
    finally:
        await made.close()


async def until(true, seconds: float = 5.0) -> None:
    """Wait for a state; fails when it does not come."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def value(i: int) -> bytes:
    """The i-th record."""
    return b"%03d" % i


async def test_with_kafka_there_it_says_kafka(kafka, tmp_path: Path) -> None:
    """Acknowledged, in order, nothing on the disk."""
    async with outlet(kafka, tmp_path) as out:
        await until(lambda: out.online)
        told = await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(50)])
        assert set(told) == {"kafka"} and len(out.buffer) == 0
    assert kafka.records("t") == [value(i) for i in range(50)]


async def test_with_kafka_away_the_disk_takes_over_and_gives_back_in_order(kafka, tmp_path: Path) -> None:
    """Down from the start, then up: all of it, once, and what comes meanwhile behind it."""
    kafka.up = False
    async with outlet(kafka, tmp_path) as out:
        told = await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(20)])
        assert set(told) == {"buffer"} and len(out.buffer) > 0
        kafka.up = True
        more = [out.put("t", 0, value(i)) for i in range(20, 40)]
        await asyncio.gather(*more)
        await asyncio.wait_for(out.ready(), 5)
        assert out.online and len(out.buffer) == 0
        assert await out.put("t", 0, value(40)) == "kafka"
    assert kafka.records("t") == [value(i) for i in range(41)]


async def test_a_kafka_that_falls_silent_is_written_to_the_disk_and_not_sent_twice(kafka, tmp_path: Path) -> None:
    """What the producer still gets through counts; the rest comes from the disk."""
    async with outlet(kafka, tmp_path) as out:
        await until(lambda: out.online)
        await out.put("t", 0, value(0))
        kafka.silent = True
        told = await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(1, 6)])
        assert set(told) == {"buffer"} and not out.online
        later = await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(6, 9)])
        assert set(later) == {"buffer"}
        assert len(kafka.held) == 5
        kafka.answer()
        await until(lambda: out.online and len(out.buffer) == 0)
    assert kafka.records("t") == [value(i) for i in range(9)]


async def test_a_link_that_breaks_under_way_loses_nothing(kafka, tmp_path: Path) -> None:
    """The connection ends with records in it: they come from the disk over a new one."""
    async with outlet(kafka, tmp_path) as out:
        await until(lambda: out.online)
        kafka.silent = True
        told = [out.put("t", 0, value(i)) for i in range(5)]
        await until(lambda: len(kafka.held) == 5)
        kafka.silent = False
        for future, _ in kafka.held:
            future.set_exception(ConnectionError("reset"))
        assert set(await asyncio.gather(*told)) == {"buffer"}
        await until(lambda: out.online and len(out.buffer) == 0)
        assert kafka.connects == 2
    assert kafka.records("t") == [value(i) for i in range(5)]


async def test_over_the_cap_it_refuses_and_takes_again_later(kafka, tmp_path: Path) -> None:
    """Visibly: Full; what was called safe before is still delivered."""
    kafka.up = False
    async with outlet(kafka, tmp_path, cap=2000) as out:
        safe = []
        with pytest.raises(Full):
            for i in range(1000):
                await out.put("t", 0, value(i) * 20)
                safe.append(value(i) * 20)
        assert safe and out.full, "it must say so, not only refuse"
        with suppress(Full):
            await out.put("t", 0, b"small")             # that a small one may still find room says nothing
            safe.append(b"small")
        assert out.full
        kafka.up = True
        await until(lambda: out.online and len(out.buffer) == 0)
        assert await out.put("t", 0, b"after") == "kafka" and not out.full
    assert kafka.records("t") == [*safe, b"after"]


async def test_what_an_earlier_process_left_goes_first(kafka, tmp_path: Path) -> None:
    """Also what was under way when it was stopped."""
    kafka.up = False
    async with outlet(kafka, tmp_path) as out:
        await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(5)])
    kafka.up = True
    async with outlet(kafka, tmp_path) as out:
        assert len(out.buffer) > 0
        await asyncio.gather(*[out.put("t", 0, value(i)) for i in range(5, 8)])
        await until(lambda: out.online)
    assert kafka.records("t") == [value(i) for i in range(8)]


async def test_stopped_while_kafka_is_silent_what_is_under_way_is_on_the_disk(kafka, tmp_path: Path) -> None:
    """Nobody was told that it is safe, but it is not thrown away either."""
    made = Outlet(kafka.connect, Buffer(tmp_path / "x.buffer"), patience=60, retry=0.02)
    made.start()
    await until(lambda: made.online)
    kafka.silent = True
    waiting = [made.put("t", 0, value(i)) for i in range(3)]
    await until(lambda: len(kafka.held) == 3)
    await made.close(limit=0.05)
    assert {w.result() for w in waiting} == {"buffer"}
    left = Buffer(tmp_path / "x.buffer")
    assert [k.value for k in left.read()] == [value(i) for i in range(3)]
    left.close()


async def test_flapping_keeps_order_in_each_partition(kafka, tmp_path: Path) -> None:
    """Up and down again and again while records come: each partition has all of its own, in order."""
    async with outlet(kafka, tmp_path, patience=0.03) as out:
        told = []
        for i in range(200):
            told.append(out.put("t", i % 3, value(i)))
            if i % 20 == 0:
                kafka.up = not kafka.up
                await asyncio.sleep(0.01)
            elif i % 7 == 0:
                await asyncio.sleep(0)
        kafka.up = True
        await asyncio.gather(*told)
        await until(lambda: out.online and len(out.buffer) == 0)
    for p in range(3):
        assert kafka.records("t", p) == [value(i) for i in range(200) if i % 3 == p]
