"""A feed put together: settings, plan, buffer, producer, blocks, metrics; and what runs beside it."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from detectors.pack import City, FeedSource
from streams import clock, rejects
from streams.errors import Unavailable
from streams.feeds.blocks import Blocker
from streams.feeds.buffer import Buffer, Full
from streams.feeds.intake import Intake, Names
from streams.feeds.link import KafkaLink, Link
from streams.feeds.plan import PlanWatch
from streams.feeds.producer import Outlet
from streams.feeds.regroup import regroup
from streams.metrics import Metrics, serve
from streams.plans import Newest, Plans
from streams.settings import Settings
from streams.sql import wait_for_database
from streams.worker.generations import Generations

log = logging.getLogger(__name__)
Say = Callable[[str], object]


@dataclass
class Feed:
    """One running feed."""

    settings: Settings
    intake: Intake
    plan: PlanWatch

    async def beat(self, sources: Callable[[], Iterable[FeedSource]], every: float = 1.0) -> None:
        """Say for ever how the sources are: every change, and each of them every 30 s."""
        while True:
            now = clock.now()
            self.intake.sources.know(sources(), now)
            with suppress(Full):                    # then readings are refused as well, and that is said louder
                self.intake.say(self.intake.sources.due(now))
            self.intake.gauge_sources(now)
            await asyncio.sleep(every)


def newest(settings: Settings, say: Say) -> Callable[[], tuple[str, City] | None]:
    """Asks the database for the newest plan; while the database is away it says so, and is Unavailable."""
    plans: list[Newest] = []
    said = _Seldom(say)

    def ask() -> tuple[str, City] | None:
        if not plans:
            plans.append(Newest(Plans(wait_for_database(settings.state_url, said.tell, limit=1))))
        return plans[0]()

    return ask


@asynccontextmanager
async def opened(settings: Settings, name: str, say: Say, played: bool = False, idempotent: bool = True
                 ) -> AsyncIterator[Feed]:
    """A feed called `name`, until the block ends: then what is under way is brought to safety first."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)        # 50 lines a second while a broker is away
    names = Names(name, settings.topic("readings"), settings.topic(rejects.TOPIC))

    async def connect() -> Link:
        try:
            return await KafkaLink.open(settings.broker, idempotent)
        except Unavailable:
            said.tell(f"waiting for the broker {settings.broker}: what comes goes to {outlet.buffer.path}")
            raise

    said = _Seldom(say)
    outlet = Outlet(connect, Buffer(settings.data / "feeds" / f"{name}.buffer", settings.feed_buffer))
    metrics = Metrics()
    feed = Feed(settings, Intake(names, outlet, Blocker(settings.partitions, played), metrics),
                PlanWatch(newest(settings, say)))
    feed.plan.listeners.append(feed.intake.guide)
    server = serve(settings.metrics_port, metrics.registry) if settings.metrics_port else None
    outlet.start()
    growing = asyncio.create_task(_grow(feed))
    try:
        yield feed
    finally:
        growing.cancel()
        await asyncio.gather(growing, return_exceptions=True)
        await outlet.close()
        if server:
            server.close()


async def _grow(feed: Feed, every: float = 1.0) -> None:
    """Ask the database for ever which generation of `readings` is in force, and go over to it. A wrong belief does no harm:
    a topic that is closed takes nothing, and what was meant for it waits on the disk.
    """
    kept: list[Generations] = []

    def ask() -> tuple[Settings, dict[str, int]]:
        if not kept:
            kept.append(Generations(wait_for_database(feed.settings.state_url, lambda text: None, limit=1)))
        now, rows = kept[0].current(feed.settings), kept[0].all()
        return now, {feed.settings.of(r.number, r.partitions).topic("readings"): r.partitions
                     for r in rows if r.number < now.generation}

    while True:
        with suppress(SQLAlchemyError, Unavailable):
            now, older = await asyncio.to_thread(ask)
            topic = now.topic("readings")
            if topic != feed.intake.names.readings:
                log.warning("from now on to %s, %d partitions", topic, now.partitions)
                feed.intake.move(topic, now.partitions)
                feed.intake.outlet.route = partial(regroup, older=older, topic=topic, partitions=now.partitions)
        await asyncio.sleep(every)


class _Seldom:
    """Says a thing at once and then every 30 s."""

    def __init__(self, say: Say) -> None:
        self.say, self._last = say, float("-inf")

    def tell(self, text: str) -> None:
        now = clock.monotonic()
        if now - self._last >= 30:
            self._last = now
            self.say(text)


async def beside(main: asyncio.Future[None], *others: asyncio.Future[None]) -> None:
    """Run until `main` ends, or one of the others fails."""
    try:
        done, _ = await asyncio.wait({main, *others}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (main, *others):
            task.cancel()
        await asyncio.gather(main, *others, return_exceptions=True)
