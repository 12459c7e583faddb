"""The three agents: each hands the records of its topics to its ledgers, one by one, and never raises.

`noack`: a record is acknowledged by the ledger, after the snapshot that holds it.
"""
from __future__ import annotations

from typing import Any

import structlog

from streams import clock
from streams.codec import CHANGES
from streams.metrics import Metrics
from streams.plans import Library, Plans
from streams.settings import WIDE, Settings
from streams.sql import wait_for_database
from streams.worker.app import Stage
from streams.worker.combining import Combining
from streams.worker.generations import Generations, unfinished
from streams.worker.judging import Judging
from streams.worker.ledgers import Ledgers
from streams.worker.snapshots import Snapshots, StateStore

say = structlog.get_logger("wanglou.agents")


def judge_agent(app: Any, topic: Any, log: Any, ledgers: Ledgers) -> None:
    """`readings` → `levels`, `judged`."""
    async def judge(stream: Any) -> None:
        async for event in stream.noack().events():
            await ledgers.record(log.incoming(event))

    app.agent(topic, name="judge")(judge)


def combine_agent(app: Any, topic: Any, log: Any, ledgers: Ledgers) -> None:
    """`levels` → `events`."""
    async def combine(stream: Any) -> None:
        async for event in stream.noack().events():
            record = log.incoming(event)
            changes = record.value[:2] == CHANGES
            await ledgers.record(record)
            if changes:
                log.metrics.event_seconds.observe(max(0.0, clock.now() / 1e6 - record.at))

    app.agent(topic, name="combine")(combine)


def history_agent(app: Any, topic: Any, log: Any, ledgers: Ledgers) -> None:
    """`readings`, `judged` → history.db."""
    async def history(stream: Any) -> None:
        async for event in stream.noack().events():
            await ledgers.record(log.incoming(event))

    app.agent(topic, name="history")(history)


def judge_stage(settings: Settings, metrics: Metrics) -> Stage:
    """The judge over state.db."""
    engine = wait_for_database(settings.state_url, say.warning)
    store = StateStore(Judging, Snapshots(engine, "judge", settings.partitions), Library(Plans(engine)), settings, metrics)
    group = f"judge.{settings.generation}" if settings.generation > 1 else "judge"     # who reads the old topic is no member
    return Stage("judge", (settings.topic("readings"),), store, settings.ticks == "own", settings.snapshot_seconds, judge_agent,
                 group=group)


def combine_stage(settings: Settings, metrics: Metrics) -> Stage:
    """Combine over state.db."""
    engine = wait_for_database(settings.state_url, say.warning)
    store = StateStore(Combining, Snapshots(engine, "combine", 1), Library(Plans(engine)), settings, metrics)
    return Stage("combine", (settings.topic("levels"),), store, False, settings.snapshot_seconds, combine_agent)


def history_stage(settings: Settings, metrics: Metrics) -> Stage:
    """History over history.db; the plan (what is kept, how long) from state.db. Older topics are read to their end first."""
    from streams.history.store import HistoryStore

    engine, state = (wait_for_database(url, say.warning) for url in (settings.history_url, settings.state_url))
    store = HistoryStore(engine, Plans(state))
    store.before = unfinished(settings, Generations(state), store.positions.all())
    every = min(2.0, settings.snapshot_seconds)
    topics = (*store.before.topics, *map(settings.topic, WIDE))
    return Stage("history", topics, store, False, every, history_agent, store.thin)
