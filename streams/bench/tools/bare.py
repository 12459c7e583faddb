"""The floor for `blocks`: aiokafka's getmany, decode, judge, encode the changes. No guard, no snapshot, no commit, no Faust.

`python -m streams.bench.tools.bare` reads the settings of the judge beside it, from the first record on, until SIGTERM.
"""
from __future__ import annotations

import asyncio
import signal

from detectors.judge import State, judge
from detectors.plan import Plan
from detectors.reading import Block, PlanRecord
from streams.codec import Changes, decode, encode
from streams.plans import Plans, city_of
from streams.settings import Settings, settings
from streams.shards import by_shard
from streams.sql import engine


async def run(ours: Settings) -> None:
    """Judge all partitions of `readings`."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

    consumer = AIOKafkaConsumer(bootstrap_servers=ours.broker, enable_auto_commit=False, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=ours.broker, acks="all")
    await consumer.start()
    await producer.start()
    consumer.assign([TopicPartition(ours.topic("readings"), p) for p in range(ours.partitions)])
    plans, states = {}, {}
    database, levels = Plans(engine(ours.state_url)), ours.topic("levels")
    while True:
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            for one in records:
                record = decode(one.value)
                if isinstance(record, PlanRecord):
                    if record.hash not in plans:
                        plans[record.hash] = Plan(city_of(database.get(record.hash) or b""), record.hash)
                    plan = plans[record.hash]
                    here = by_shard(plan.sites, place.partition, ours.partitions)
                    states[place] = State(plan, [site for sites in here.values() for site in sites])
                elif isinstance(record, Block):
                    changes = judge(plan, states[place], record)
                    if changes:
                        await producer.send(levels, encode(Changes(tuple(changes), place.partition, one.offset)), partition=0)


if __name__ == "__main__":
    import uvloop

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(settings()))
