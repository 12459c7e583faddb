"""The whole way of a foreign topic: single JSON messages → relay → judge → events, by `wanglou bench job`, seen from outside."""
from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from streams import clock
from streams.bench.tools.frame import Bench, Figure, thousands
from streams.bench.tools.stage import cpu_of
from streams.errors import Unavailable
from streams.settings import settings

__all__ = ["stream"]

PARTS, SERIES, START, EVERY = 4, 2000, 1_782_238_640_000, 60_000        # ms
SIZES = {True: 40_000, False: 1_000_000}
LIMIT = 180.0


def stream(bench: Bench) -> Iterator[Figure]:
    """Readings per CPU second of all its processes, from the first reading of each partition to the last; state is kept."""
    name, folder = "stream", bench.work / "stream"
    (folder / "state").mkdir(parents=True)
    readings = SIZES[bench.quick]
    names = [f"river_level@st{n}" for n in range(SERIES)]
    names += [f"river_level@{mark}{p}" for mark in ("begin", "end") for p in range(PARTS)]
    limits = folder / "limits.csv"
    limits.write_text("series,blue,yellow,orange,red\n" + "".join(f"{s},12,13,14,15\n" for s in names))
    _topics(bench.broker, name)
    asyncio.run(_fill(bench.broker, f"{name}-in", readings))
    environment = {**os.environ, "BOOTSTRAP": bench.broker, "IN": f"{name}-in", "OUT": f"{name}-out", "GROUP": name,
                   "STATE": str(folder / "state"), "LIMITS": str(limits)}
    with (folder / "log").open("wb") as log:
        job = subprocess.Popen([sys.executable, "-m", "streams", "bench", "job"], cwd=folder, env=environment, stdout=log,
                               stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        seconds, cpu, events = _watched(bench.broker, f"{name}-out", job, folder / "log")
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    yield Figure("JSON messages to events", f"{thousands(readings / cpu)} k readings/s of CPU (relay and judge together), "
                 f"{thousands(readings / seconds)} k readings/s, {events} events of {readings} readings",
                 {"cpu_rate": readings / cpu, "rate": readings / seconds, "events": events})


def _topics(broker: str, name: str) -> None:
    from kafka.admin import NewTopic

    from streams.topics import admin

    with admin(settings(broker=broker)) as client:
        client.create_topics([NewTopic(f"{name}-in", PARTS, 1), NewTopic(f"{name}-out", 1, 1)], wait_for_metadata=True)


async def _fill(broker: str, topic: str, readings: int) -> None:
    """Each partition: its first mark, its series in rounds, its last mark. A mark is two readings that differ by a rise."""
    from aiokafka import AIOKafkaProducer

    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", enable_idempotence=True, max_batch_size=1 << 19)
    await producer.start()
    rounds, mine, chance = readings // SERIES, SERIES // PARTS, np.random.default_rng(7)
    for p in range(PARTS):
        x = np.round(11.0 + np.cumsum(chance.normal(0.0, 0.06, (rounds, mine)), axis=0), 3).tolist()
        names = [f"river_level@st{p + PARTS * n}" for n in range(mine)]
        rows = [_mark("begin", p, 0, 0.0), _mark("begin", p, 1, 2.0)]
        rows += [b'{"s":"%s","t":%d,"x":%.3f}' % (s.encode(), START + EVERY * r, v) for r in range(rounds)
                 for s, v in zip(names, x[r], strict=True)]
        rows += [_mark("end", p, 0, 0.0), _mark("end", p, 1, 2.0)]
        at = 0
        while at < len(rows):
            batch = producer.create_batch()
            while at < len(rows) and batch.append(key=None, value=rows[at], timestamp=None) is not None:
                at += 1
            await producer.send_batch(batch, topic, partition=p)
    await producer.flush()
    await producer.stop()


def _mark(which: str, p: int, n: int, x: float) -> bytes:
    return json.dumps({"s": f"river_level@{which}{p}", "t": START + EVERY * n, "x": x}).encode()


def _watched(broker: str, topic: str, job: subprocess.Popen[bytes], log: Path) -> tuple[float, float, int]:
    """Seconds and CPU seconds between the first event of a first mark and the last of a last mark; events in all."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, fetch_max_wait_ms=20)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    end, begun, ended, events = clock.monotonic() + LIMIT, (0.0, 0.0), set[str](), 0
    try:
        while len(ended) < PARTS:
            if job.poll() is not None or clock.monotonic() > end:
                raise Unavailable(f"the job {'ended' if job.poll() is not None else 'is not done'}: {log.read_text()[-600:]}")
            for record in (r for rows in consumer.poll(timeout_ms=20).values() for r in rows):
                said: dict[str, Any] = json.loads(record.value)
                events += 1
                if "@begin" in said["s"] and not begun[0]:
                    begun = clock.monotonic(), _cpu(job.pid)
                elif "@end" in said["s"]:
                    ended.add(said["s"])
        return clock.monotonic() - begun[0], max(0.01, _cpu(job.pid) - begun[1]), events
    finally:
        consumer.close()


def _cpu(pid: int) -> float:
    """Of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return cpu_of(pid) + sum(map(cpu_of, map(int, children)))
