"""`wanglou bench job`: one fixed job with the product's own stages, for comparison with other stream processors.

Single JSON readings on one topic (IN) → relay → blocks → `wanglou judge` (its own process, state kept in SQLite) → levels → one
JSON event a message on another topic (OUT). The environment says where: BOOTSTRAP, IN, OUT, GROUP, STATE (a folder), LIMITS (CSV:
series and four limits). Detectors: the limits, each held for ten minutes and cleared 0.2 below; more than six deviations from a
moving mean; a rise of more than 1.5 within an hour. It runs until it is killed, and goes on from there when started again.
"""
from __future__ import annotations

import asyncio
import csv
import os
import subprocess
import sys
from math import inf, nextafter
from pathlib import Path
from typing import Any

from detectors.pack import City, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.reading import Tick
from streams.codec import decode, told
from streams.errors import UsageError
from streams.settings import Settings, settings

CLEAR, HOLD, DEVIATIONS, RISE, WINDOW = 0.2, 600.0, 6.0, 1.5, 3600.0
NAMES = ("BOOTSTRAP", "IN", "OUT", "GROUP", "STATE", "LIMITS")
FIELDS = {"series": "s", "time": "t", "unit": "ms", "value": "x"}


def job() -> None:
    """Run until killed. UsageError when the environment does not say where."""
    missing = [name for name in NAMES if name not in os.environ]
    if missing:
        raise UsageError(f"not in the environment: {', '.join(missing)}")
    boot, source, out, group, state, limits = (os.environ[name] for name in NAMES)
    ours = settings(broker=boot, prefix=f"{group}.", data=Path(state), partitions=4)
    prepare(ours, city(Path(limits)))
    with subprocess.Popen([sys.executable, "-m", "streams", "judge"], stdin=subprocess.DEVNULL, env={
            **os.environ, "WANGLOU_BROKER": boot, "WANGLOU_PREFIX": ours.prefix, "WANGLOU_DATA": state,
            "WANGLOU_PARTITIONS": str(ours.partitions)}) as judge:
        try:
            asyncio.run(_both(ours, source, out))
        finally:
            judge.terminate()


def city(limits: Path) -> City:
    """Three detectors on every series of the table."""
    with limits.open() as file:
        rows = {name.partition("@")[2]: [float(v) for v in at] for name, *at in list(csv.reader(file))[1:]}
    level = Indicator("river_level", "job", Text("水位"), "m", tuple(rows), oldest=inf)
    stage = tuple(Limit(j + 1, {s: at[j] for s, at in rows.items()}, clear={s: at[j] - CLEAR for s, at in rows.items()},
                        hold=HOLD) for j in range(4))
    far = nextafter(DEVIATIONS, inf)
    detectors = (
        Detector("threshold", "job", "river_level", Use("threshold"), stage),
        Detector("ewma", "job", "river_level", Use("ewma", {"alpha": 0.02, "warm": 21.0, "young": 0.0}),
                 (Limit(1, far), Limit(1, -far, above=False))),
        Detector("rate", "job", "river_level", Use("rise", {"over": WINDOW}), (Limit(1, nextafter(RISE, inf)),)))
    return City((Pack("job", Text("比"), (level,), detectors),), {s: Site(s, Text(s)) for s in rows})


def prepare(ours: Settings, plan: City) -> None:
    """Topics and plan, where they are not there yet."""
    from streams.plans import Plans, plan_bytes
    from streams.sql import engine
    from streams.topics import announce_plan, create_topics

    ours.data.mkdir(parents=True, exist_ok=True)
    create_topics(ours)
    database = engine(ours.state_url)
    announce_plan(ours, Plans(database).put(plan_bytes(plan), "bench"), only_empty=True)
    database.dispose()


async def _both(ours: Settings, source: str, out: str) -> None:
    """Relay and the way out, in this process."""
    from dataclasses import replace

    from streams.cli.feed import say
    from streams.feeds.link import KafkaLink
    from streams.feeds.run import beside, opened
    from streams.feeds.transports.kafka import Foreign, Relay

    async with opened(ours, "relay", say) as feed:
        await feed.plan.wait(say)
        from_there = replace(feed.plan.source("relay"), transport="kafka", options=FIELDS)
        relay = Relay(Foreign(ours.broker, source, f"{ours.prefix}relay"), feed.intake, lambda: feed.plan.rules(from_there),
                      lambda: KafkaLink.open(ours.broker, compression=None))
        beat = feed.beat(lambda: [from_there])
        judging = asyncio.Event()

        async def relayed() -> None:
            await judging.wait()                # else the relay's work is over before anybody begins to measure
            await relay.run()

        await beside(*map(asyncio.ensure_future, (relayed(), feed.plan.run(), beat, _out(ours, out, judging))))


async def _out(ours: Settings, out: str, judging: asyncio.Event) -> None:
    """`levels` → one JSON event a message; offsets are committed once Kafka has them. A tick says that the judge is there."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    consumer = AIOKafkaConsumer(ours.topic("levels"), bootstrap_servers=ours.broker, group_id=f"{ours.prefix}out",
                                auto_offset_reset="earliest", enable_auto_commit=False)
    producer = AIOKafkaProducer(bootstrap_servers=ours.broker, acks="all", enable_idempotence=True, max_batch_size=1 << 19)
    await producer.start()
    await consumer.start()
    there: set[int] = set()
    while True:
        said = [r.value or b"" for records in (await consumer.getmany(timeout_ms=500)).values() for r in records]
        if not judging.is_set():
            there.update(one.partition for one in map(decode, said) if isinstance(one, Tick))
            if len(there) == ours.partitions:
                judging.set()
        events = [_json(c) for one in said for c in told(one)
                  if c.get("kind", "level") == "level" and c.get("before", 0) != c.get("to", 0)]
        sent = []
        while events:
            batch, n = producer.create_batch(), 0
            while n < len(events) and batch.append(key=None, value=events[n], timestamp=None) is not None:
                n += 1
            events = events[n:]
            sent.append(await producer.send_batch(batch, out, partition=0))
        for one in sent:
            await one
        if sent:
            await consumer.commit()


def _json(c: dict[str, Any]) -> bytes:
    return b'{"s":"%s@%s","d":"%s","from":%d,"to":%d,"t":%d,"x":%s}' % (
        c["indicator"].encode(), c["site"].encode(), c["detector"].partition("/")[2].encode(), c.get("before", 0), c.get("to", 0),
        c["time"] // 1000, repr(c["value"]).encode())
