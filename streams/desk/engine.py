"""What the leading desk does by itself: reads events, walks ladders, sends. One desk leads, all serve pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import Event, Thread

import structlog
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from streams import clock
from streams.desk.calling import calls
from streams.desk.calling.deliver import Deliverer
from streams.desk.duty import watch
from streams.desk.folding.consume import Consumer
from streams.desk.folding.fold import Moment
from streams.desk.meter import Meter
from streams.desk.publish import muting
from streams.desk.store import LOCK, Store

log = structlog.get_logger(__name__)
ROSTER = 60_000_000
"""Microseconds between two looks at the roster."""
BEAT = 0.2
"""Seconds between two looks for what is due."""
LOST = 6
"""Seconds after which the database lets go of a leader that has said nothing (frozen, cut off), so that another one leads."""
GUARD = {"idle_session_timeout": f"{LOST}s", "tcp_keepalives_idle": "2", "tcp_keepalives_interval": "1",
         "tcp_keepalives_count": "3", "tcp_user_timeout": f"{LOST}s"}
"""Settings of PostgreSQL for the leader's connection; a server that does not know one goes without."""
ATTENTIVE = 15.0
"""Seconds after its last good look for which a leader may call itself one."""


class Leader:
    """Leadership: an advisory lock on PostgreSQL, held by one connection; on SQLite there is one desk, which leads.

    A leader that was killed loses it with its connection, at once; one that is frozen or cut off after `LOST` seconds.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine, self.kept = engine, None if engine.dialect.name == "postgresql" else True
        self.connection: Connection | None = None
        self.held = False

    def hold(self) -> bool:
        """Take it, or see whether it is still ours. A lost connection is a lost lock."""
        if self.kept:
            return True
        try:
            if self.connection is None:
                self.connection = self._connected()
            look = "SELECT true" if self.held else f"SELECT pg_try_advisory_lock({LOCK + 1})"
            self.held = bool(self.connection.scalar(text(look)))
        except DBAPIError:
            self.release()
        return self.held

    def _connected(self) -> Connection:
        made = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for name, value in GUARD.items():
            made.execute(text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name"),
                         {"name": name, "value": value})
        return made

    def release(self) -> None:
        """Let another desk lead."""
        self.held = False
        if self.connection is not None:
            self.connection.invalidate()
            self.connection.close()
        self.connection = None


class Work:
    """The threads of one desk. `start` and `close`; `leading` and `live` are what pages and metrics say."""

    def __init__(
        self, store: Store, consumer: Consumer | None, deliverer: Deliverer, meter: Meter, moment: Callable[[], Moment],
        more: Mapping[str, Callable[[], object]] | None = None,
    ) -> None:
        self.store, self.consumer, self.deliverer, self.meter, self.moment = store, consumer, deliverer, meter, moment
        self.leader = Leader(store.engine)
        self.stop = Event()
        self._led, self._seen, self._looked = False, float("-inf"), -ROSTER
        jobs = [("walk", self._walk), ("send", self._send)]
        if consumer is not None:
            jobs.append(("events", lambda: consumer.run(self.stop, lambda: self._led)))
        jobs += [(name, partial(self._again, name, pump)) for name, pump in (more or {}).items()]
        self.threads = [Thread(target=job, name=name, daemon=True) for name, job in jobs]

    @property
    def leading(self) -> bool:
        """Whether this desk leads, and its database answered lately."""
        return self._led and clock.monotonic() - self._seen < ATTENTIVE

    @property
    def live(self) -> bool:
        """The log is read up to its end."""
        return self.consumer is None or self.consumer.live

    def start(self) -> None:
        """Begin."""
        for thread in self.threads:
            thread.start()

    def close(self) -> None:
        """End within two seconds; what was under way is done again by whoever starts next."""
        self.stop.set()
        end = clock.monotonic() + 2.0
        for thread in self.threads:
            thread.join(max(0.0, end - clock.monotonic()))
        self.deliverer.close()
        self.leader.release()

    def _walk(self) -> None:
        while not self.stop.wait(BEAT):
            try:
                self._led = self.leader.hold()
                if self._led:
                    with self.store.begin() as s:
                        m = self.moment()
                        calls.walk(s, m)
                        muting.walk(s, m)
                    self._roster(m)
                    self.meter.catch_up()
                    self._seen = clock.monotonic()
            except Exception:
                log.exception("the walk of ladders failed; it is tried again")
                self.stop.wait(1.0)

    def _roster(self, m: Moment) -> None:
        """Once a minute: who is missing on the roster. A fault here must not stop a ladder."""
        if m.now - self._looked >= ROSTER:
            self._looked = m.now
            try:
                with self.store.begin() as s:
                    watch.watch(s, m)
            except Exception:
                log.exception("the roster could not be looked at")

    def _again(self, name: str, pump: Callable[[], object]) -> None:
        """What else a leading desk does, in a thread of its own so that a slow other side delays no call."""
        while not self.stop.wait(2 * BEAT):
            try:
                if self._led:
                    pump()
            except Exception:
                log.exception("outward work failed; it is tried again", job=name)
                self.stop.wait(1.0)

    def _send(self) -> None:
        while not self.stop.wait(BEAT):
            try:
                if self._led:
                    self.deliverer.start()
            except Exception:
                log.exception("deliveries failed; they are tried again")
                self.stop.wait(1.0)
