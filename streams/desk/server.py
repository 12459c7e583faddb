"""`wanglou desk` as a process: waits for its database and its broker, leads or follows, serves pages, ends in order."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from types import FrameType

import structlog
import uvicorn

from streams import clock, logs
from streams.desk import channels, names
from streams.desk.api.app import make_app
from streams.desk.calling.deliver import Deliverer
from streams.desk.catalogue.versions import Versions
from streams.desk.engine import Work
from streams.desk.exercise import mark
from streams.desk.exercise.canary import Canary, http
from streams.desk.exercise.drill import Drills
from streams.desk.exercise.into_log import Levels
from streams.desk.folding.consume import Consumer
from streams.desk.folding.fold import Moment
from streams.desk.meter import Meter
from streams.desk.people.links import links
from streams.desk.people.rules import rules_of
from streams.desk.publish import hand
from streams.desk.publish import log as publish_log
from streams.desk.publish.courier import Courier
from streams.desk.series import Readings
from streams.desk.site import Site
from streams.desk.store import Store
from streams.metrics import Metrics
from streams.settings import Settings
from streams.skill import Scores
from streams.sql import wait_for_database

log = structlog.get_logger("wanglou.desk")


class Desk:
    """All parts of one desk, joined; `serve` runs until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.metrics = settings, Metrics()
        wait_for_database(settings.desk_url, lambda said: log.warning(str(said))).dispose()
        self.store = Store(settings.desk_url)
        rules = rules_of(settings, self.store)
        self.names = names.Plan(names.from_state(settings.state_url))
        self.played = settings.scenario or ("▶" if settings.ticks == "log" else "")
        url = settings.desk_public or f"http://{settings.desk_host}:{settings.desk_port}"
        lines = {**channels.load(settings.data, self.options), mark.CHANNEL: mark.Line()}
        self.deliverer = Deliverer(self.store, lines, self.moment, url, self.metrics)
        if settings.desk_public:
            self.deliverer.link = links(self.store, settings.desk_public)
        self.consumer = Consumer(self.store, settings.broker, settings.topic("events"), self.moment, self.metrics)
        meter = Meter(self.store, self.metrics, self.names, clock.now)
        scores = Scores(settings.state_url)
        self.metrics.skill.watch(scores.shares)
        self.metrics.skill_lead.watch(scores.leads)
        kafka = publish_log.Kafka(settings.broker, settings.topic(publish_log.TOPIC))
        writer = publish_log.Writer(self.store, self.names, kafka.connect, kafka.tail, 5.0)
        by_hand = hand.sender(settings, clock.now, lambda: self.names().city)
        courier = Courier(self.store, self.deliverer.channels, self.moment, url, by_hand)
        door = settings.canary_feed or f"http://127.0.0.1:{settings.feed_port}/readings"
        canary = Canary(self.store, self.moment, http(door), settings.canary_seconds, self.metrics)
        drills = Drills(self.store, self.moment, Levels(settings))
        self.work = Work(self.store, self.consumer, self.deliverer, meter, self.moment,
                         {"courier": courier.pump, "alerts": writer.pump, "canary": canary.pump, "drills": drills.pump})
        self.site = Site(
            self.store,
            self.names,
            Readings(settings.history_url),
            self.metrics,
            self.played,
            leading=lambda: self.work.leading,
            live=lambda: self.work.live,
            ready=self.fault,
            hosts=rules.hosts(settings.desk_host),
            rules=rules,
            versions=Versions(settings.state_url),
        )

    def options(self, channel: str) -> Mapping[str, str]:
        """What the plan in force says of a channel."""
        return self.names().city.channels.get(channel, {})

    def moment(self) -> Moment:
        """Now."""
        return Moment(clock.now(), self.names(), bool(self.played))

    def fault(self) -> str:
        """Why the desk is not ready; "" when it is."""
        if self.consumer.fault:
            return f"events: {self.consumer.fault}"
        if not self.work.leading:
            return "another desk leads" if self.work.leader.kept is None else "not begun"
        return "" if self.work.live else "reading the log up to now"

    def serve(self) -> None:
        """Pages and ladders under way at once, the log as soon as the broker answers. Ends within five seconds of SIGTERM."""
        config = uvicorn.Config(
            make_app(self.site),
            host=self.settings.desk_host,
            port=self.settings.desk_port,
            ssl_certfile=self.settings.desk_cert,
            ssl_keyfile=self.settings.desk_key,
            proxy_headers=False,
            server_header=False,
            log_level="warning",
            log_config=None,
            timeout_graceful_shutdown=1,
            lifespan="off",
        )
        server = Server(config, self.site)
        self.work.start()
        log.info("desk", at=f"http://{self.settings.desk_host}:{self.settings.desk_port}")
        try:
            server.run()
        finally:
            self.site.closing = True
            self.work.close()
            self.store.close()
            log.info("desk ended")


class Server(uvicorn.Server):
    """Tells the open streams to end at the first signal: they would hold the process for ever."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self.site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM or SIGINT; not raised again at the end, so that the desk closes in order and exits with 0."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.site.closing = self.should_exit = True


def run(settings: Settings) -> None:
    """Run one desk until it is told to end. Its log shows where a fault was, never the values there: they may be people's."""
    logs.configure()
    Desk(settings).serve()
