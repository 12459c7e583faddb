"""A stage as a Faust app, built by a function, and how its process starts and ends.

The settings are law (`blocks.md` section 5): `stream_wait_empty=False`, or a rebalance waits for acknowledgements that
can never come; no Table, no window, no take, one agent with concurrency 1.
"""
from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any

import structlog

from streams import clock, logs
from streams.broker import wait_for_broker
from streams.errors import WanglouError
from streams.faults import fault
from streams.metrics import Metrics, serve
from streams.settings import Settings
from streams.sql import wait_for_database
from streams.topics import TOPICS, admin, partition_counts
from streams.worker.generations import Generations
from streams.worker.ledger import Place, Store
from streams.worker.ledgers import Ledgers

if TYPE_CHECKING:
    from faust import App

say = structlog.get_logger("wanglou.app")
LAST = 4.0              # seconds for an orderly end


@dataclass(frozen=True)
class Stage:
    """What makes one process: its name (also its consumer group), what it reads, where its state is kept."""

    name: str
    topics: tuple[str, ...]                     # full names
    store: Store
    ticks: bool = False                         # writes ticks into the partitions it owns
    every: float = 10.0                         # seconds between snapshots
    agent: Callable[..., Any] = lambda *args: None
    hourly: Callable[[], None] | None = None    # house-keeping, in a thread
    group: str = ""                             # where it is not the name


class Running:
    """An app with its ledgers. `why` is set when the process gave up, `grown` when it is to begin anew for more partitions."""

    def __init__(self, stage: Stage, settings: Settings, metrics: Metrics, generations: Generations) -> None:
        from streams.worker.faustlog import FaustLog
        from streams.worker.pulse import Pulse

        self.stage, self.settings, self.metrics, self.why = stage, settings, metrics, ""
        self.generations, self.grown = generations, False
        self.app = faust_app(stage.group or stage.name, settings)
        self.log = FaustLog(self.app, metrics, settings.prefix)
        self.ledgers = Ledgers(self.log, stage.store, settings.unsaved, fault(settings.fault))
        self.pulse = Pulse(self.ledgers, self.log, self.end, stage.ticks, self.log.unread)
        stage.agent(self.app, self.app.topic(*stage.topics, **_raw()), self.log, self.ledgers)
        self._connect()

    def _connect(self) -> None:
        """Assignments, the clock and the end reach the ledgers."""
        app, ours = self.app, set(self.stage.topics)

        @app.on_partitions_assigned.connect(weak=False)
        async def assigned(app: App, assigned: Any, **_: Any) -> None:
            self.log.leave()
            await self.ledgers.assigned(Place(tp.topic, tp.partition) for tp in assigned if tp.topic in ours)

        @app.on_partitions_revoked.connect(weak=False)
        async def revoked(app: App, revoked: Any, **_: Any) -> None:
            await self.ledgers.revoked()

        @app.on_before_shutdown.connect(weak=False)
        async def ending(app: App, **_: Any) -> None:
            await self.ledgers.revoked()

        async def saves() -> None:
            self.ledgers.save_due(self.stage.every)

        async def seconds() -> None:
            try:
                await self.pulse.beat(clock.now())
                self.log.look()
                self.log.report(self.ledgers.expected())
                for ledger in list(self.ledgers.owned.values()):
                    ledger.work.report()
            except Exception as error:          # a timer that raises would end the app
                say.warning("the clock stumbled", error=repr(error)[:200])

        async def growth() -> None:
            try:
                now = await asyncio.to_thread(self.generations.current, self.settings)
            except Exception:                   # the database is away: others say so
                return
            if now.generation != self.settings.generation and not self.grown:
                say.warning("more partitions: beginning anew", partitions=now.partitions, generation=now.generation)
                self.grown = True
                os.kill(os.getpid(), signal.SIGTERM)

        async def hours() -> None:
            try:
                await asyncio.to_thread(self.stage.hourly or (lambda: None))
            except Exception as error:
                say.warning("house-keeping failed", error=repr(error)[:200])

        app.timer(3600.0)(hours)
        app.timer(1.0)(growth)
        app.timer(min(1.0, self.stage.every))(saves)
        app.timer(1.0)(seconds)

    def end(self, why: str) -> None:
        """Give up; the supervisor starts the process again."""
        say.critical("ending", why=why)
        self.why = why
        os.kill(os.getpid(), signal.SIGTERM)


def _raw() -> dict[str, Any]:
    from streams.worker.faustlog import RAW

    return RAW


def faust_app(name: str, settings: Settings) -> App:
    """The Faust app of one stage, with nothing in it yet."""
    import mode.loop

    mode.loop.use("uvloop")                     # before faust is imported
    import faust

    settings.data.mkdir(parents=True, exist_ok=True)
    return faust.App(
        settings.prefix + name, broker=";".join(f"kafka://{one}" for one in settings.broker.split(",")), store="memory://",
        datadir=settings.data / f"faust-{name}", web_enabled=False, topic_allow_declare=False, topic_disable_leader=True,
        table_standby_replicas=0, consumer_auto_offset_reset="earliest", stream_wait_empty=False, stream_buffer_maxsize=64,
        broker_session_timeout=settings.session_timeout, broker_heartbeat_interval=min(3.0, settings.session_timeout / 6),
        broker_commit_interval=1.0)


def tune() -> None:
    """How a stage's interpreter works."""
    gc.set_threshold(20_000, 20, 20)            # a block makes thousands of objects and no circle: not to be looked for every 700
    sys.setswitchinterval(0.001)                # the thread that writes snapshots gives way after 1 ms, not 5


def run(make: Callable[[Settings, Metrics], Stage], name: str, settings: Settings) -> None:
    """Run one stage until SIGTERM or SIGINT. It waits for its broker, its topics and its database, and says so (R11)."""
    logs.configure()
    tune()
    structlog.contextvars.bind_contextvars(process=name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    wait_for_broker(settings.broker, say.warning)
    generations = Generations(wait_for_database(settings.state_url, say.warning))
    settings = generations.current(settings)
    wait_for_topics(settings)
    metrics = Metrics()
    server = serve(settings.metrics_port, metrics.registry) if settings.metrics_port else None
    stage = make(settings, metrics)
    running = Running(stage, settings, metrics, generations)
    say.info("starting", broker=settings.broker, group=running.app.conf.id)
    import faust

    worker = faust.Worker(running.app, loglevel="WARN", quiet=True, redirect_stdouts=False, override_logging=False)
    worker.spinner = None
    Thread(target=_hurry, args=(worker, running), daemon=True).start()
    status = 0
    try:
        worker.execute_from_commandline()
    except SystemExit as end:                   # how it always ends
        status = int(end.code or 0)
    finally:
        if server is not None:
            server.close()
        say.info("ended", why=running.why)
        if running.grown:
            again()
        if running.why:
            raise WanglouError(running.why)
    leave(status)


def leave(status: int) -> None:
    """Be gone, now that all is saved: a library's thread that wakes while the interpreter is taken down crashes it (seen)."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _hurry(worker: Any, running: Running) -> None:
    """With the broker away Faust's own end waits for minutes. Being killed is safe at any moment, so the end has a limit."""
    while not worker.should_stop:
        sleep(0.2)
    sleep(LAST)
    say.warning("the end took too long: leaving", why=running.why)
    if running.grown:
        again()
    os._exit(1 if running.why else 0)


def again() -> None:
    """Begin this process anew, as it was called: its supervisor sees the same one."""
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def wait_for_topics(settings: Settings) -> None:
    """Return once all topics are there; says what is missing, every 30 s."""
    said = float("-inf")
    while True:
        with admin(settings) as client:
            there = partition_counts(client, settings)
        missing = [t.name for t in TOPICS if there.get(settings.topic(t.name)) != t.partitions(settings)]
        if not missing:
            return
        if clock.monotonic() - said >= 30:
            said = clock.monotonic()
            say.warning("waiting for topics (`wanglou topics create`)", missing=missing, prefix=settings.prefix)
        sleep(0.5)

