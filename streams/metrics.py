"""Every metric of Wanglou, declared once: the attributes of `Metrics` are the whole list.

    metrics = Metrics()                                   # one a process, made where the process is built
    server = serve(9101, metrics.registry)                # http://127.0.0.1:9101/metrics, in a thread; server.close() at the end

    flags = metrics.flags.labels("basin", "range", "suspect")   # keep the child where it is used often: 0.3 µs an inc
    flags.inc(12)
    metrics.judge_seconds.observe(0.003)                  # no labels: the metric itself

    metrics.lag.set(1.5, "readings", 3, owner=3)          # a gauge: value, labels in order, who owns it
    metrics.series.put({("basin", "admin:lanxi", "fresh"): 12}, owner=3)   # all rows of one owner at once
    metrics.leave(3)                                      # partition 3 went elsewhere: its gauges vanish
    metrics.alerts_open.watch(count_open)                 # or: asked at each scrape, in the scraping thread

Gauges are rows by owner (any hashable: a partition, a shard, a feed); rows of several owners with the same labels are
added, or the largest or smallest counts, as declared. Touch a counter's child with `.labels(…)` at the start and it
is exposed as 0, so that `increase()` sees its first step. A metric that a process never touches is not exposed by it.
Labels come from configs only: never a person, a warning id or a sensor's serial number. Levels, scopes, states and flags are
the words of `detectors.level` (`red`, `real`). Times are unix seconds; durations seconds.
"""
from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from threading import Lock, Thread
from typing import Any, Generic, TypeVar, cast, overload

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from streams.errors import WanglouError
from streams.spread import Spread

log = logging.getLogger(__name__)
Labels = tuple[str, ...]
Rows = Mapping[Labels, float]
MERGES: dict[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min}
SERIES_BUDGET = 10_000
"""Series a process may expose; the scrape config cuts at twice this."""

FAST = (.0001, .0003, .001, .003, .01, .03, .1, .3, 1, 3)
WAY = (.003, .01, .03, .1, .3, 1, 3, 10, 30, 100, 300, 1000)
LATE = (.1, .3, 1, 3, 10, 30, 60, 300, 900, 3600, 3 * 3600, 12 * 3600, 86_400)
DELIVERY = (.1, .3, 1, 3, 10, 30, 60, 120, 300)
ANSWER = (15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)

disable_created_metrics()  # type: ignore[no-untyped-call]


class Gauge:
    """Now-values as rows of labels, kept by owner. Safe to read from the scraping thread while others write."""

    def __init__(self, name: str, labels: Labels, merge: str = "sum") -> None:
        self.name, self.labels, self.merge = name, labels, MERGES[merge]
        self._rows: dict[Hashable, dict[Labels, float]] = {}
        self._watch: Callable[[], Rows] | None = None

    def set(self, value: float, *labels: object, owner: Hashable = "") -> None:
        """One row. ValueError when the number of labels is wrong."""
        self._rows.setdefault(owner, {})[self._key(labels)] = float(value)

    def put(self, rows: Mapping[tuple[object, ...], float], owner: Hashable = "") -> None:
        """All rows of one owner, instead of those it had. ValueError when the number of labels is wrong."""
        self._rows[owner] = {self._key(labels): float(value) for labels, value in rows.items()}

    def remove(self, *labels: object, owner: Hashable = "") -> None:
        """One row goes, if it is there."""
        self._rows.get(owner, {}).pop(self._key(labels), None)

    def leave(self, owner: Hashable) -> None:
        """All rows of one owner go."""
        self._rows.pop(owner, None)

    def watch(self, ask: Callable[[], Rows] | None) -> None:
        """Rows are asked for at each scrape, beside those that were set. It runs in the scraping thread."""
        self._watch = ask

    def rows(self) -> dict[Labels, float]:
        """What a scrape sees now. What `watch` raises comes through."""
        found: dict[Labels, list[float]] = {}
        for rows in list(self._rows.values()):
            for labels, value in rows.copy().items():       # copy(): one C call, so no writer comes between
                found.setdefault(labels, []).append(value)
        if self._watch:
            for labels, value in self._watch().items():
                found.setdefault(self._key(labels), []).append(float(value))
        return {labels: self.merge(values) for labels, values in found.items()}

    def _key(self, labels: tuple[object, ...]) -> Labels:
        if len(labels) != len(self.labels):
            raise ValueError(f"{self.name} has the labels {self.labels}, not {labels}")
        return tuple(map(str, labels))


M = TypeVar("M", Counter, Histogram, Gauge, Spread)


class Declared(Generic[M]):
    """One metric of the table; on an instance of `Metrics` it is the metric itself, made at its first use."""

    kind: type[M]
    attribute: str

    def __init__(self, kind: type[M], name: str, labels: str, help_: str, **more: Any) -> None:
        self.kind, self.name, self.labels, self.help, self.more = kind, name, tuple(labels.split()), help_, more

    def __set_name__(self, owner: type[Metrics], attribute: str) -> None:
        self.attribute = attribute

    @overload
    def __get__(self, metrics: None, owner: type[Metrics]) -> Declared[M]: ...
    @overload
    def __get__(self, metrics: Metrics, owner: type[Metrics]) -> M: ...
    def __get__(self, metrics: Metrics | None, owner: type[Metrics]) -> Declared[M] | M:
        if metrics is None:
            return self
        with metrics.making:                 # two threads may touch it first
            if self.attribute not in vars(metrics):
                vars(metrics)[self.attribute] = self._made(metrics.registry)
        return cast(M, vars(metrics)[self.attribute])

    def _made(self, registry: CollectorRegistry) -> Counter | Histogram | Gauge | Spread:
        if self.kind is Gauge:
            return Gauge(self.name, self.labels, **self.more)
        return cast(Any, self.kind)(self.name, self.help, self.labels, registry=registry, **self.more)  # type: ignore[no-any-return]

    def exposed(self) -> dict[str, Labels]:
        """Names as Prometheus stores them, with their labels."""
        if self.kind not in (Histogram, Spread):
            return {self.name: self.labels}
        return {f"{self.name}_bucket": (*self.labels, "le"), f"{self.name}_sum": self.labels, f"{self.name}_count": self.labels}


def _counter(name: str, labels: str, help_: str) -> Declared[Counter]:
    return Declared(Counter, name, labels, help_)


def _histogram(name: str, labels: str, help_: str, buckets: tuple[float, ...]) -> Declared[Histogram]:
    return Declared(Histogram, name, labels, help_, buckets=buckets)


def _gauge(name: str, labels: str, help_: str, merge: str = "sum") -> Declared[Gauge]:
    return Declared(Gauge, name, labels, help_, merge=merge)


class Metrics:
    """The metrics of one process, and the registry that exposes them."""

    # feed
    readings = _counter("wanglou_readings_total", "pack feed", "Readings that Kafka has acknowledged")
    rejects = _counter("wanglou_rejects_total", "feed reason", "Inputs refused, by reason")
    source_up = _gauge("wanglou_source_up", "feed source", "1 while the source is heard, else 0", "max")
    source_last = _gauge("wanglou_source_last_timestamp_seconds", "feed source", "When the source was last heard", "max")
    feed_buffer = _gauge("wanglou_feed_buffer_bytes", "feed", "Bytes on disk that Kafka does not have yet")
    # judge, combine (area metrics: combine alone), history (lag)
    area_level = _gauge("wanglou_area_level", "area pack", "Worst level of scope real, 0 normal to 4 red", "max")
    area_fresh = _gauge("wanglou_area_fresh_ratio", "area pack", "Share of the area's series that are fresh", "min")
    series = _gauge("wanglou_series", "pack area fresh", "Series by freshness")
    series_level = _gauge("wanglou_series_level", "pack area level", "Series by level")
    flags = _counter("wanglou_flags_total", "pack check flag", "Readings that got a flag other than good")
    judge_seconds = _histogram("wanglou_judge_seconds", "", "Time to judge one block", FAST)
    # the way of a reading. The first is a difference of two times of the readings' own clock (of the scenario, where one is
    # played); the others are of wall clocks alone: `sent` of the feed, the broker's stamp, ours. Never one of each.
    arrival_seconds = Declared(Spread, "wanglou_arrival_seconds", "pack", "From event time to arrival, of each reading",
                               buckets=LATE)
    judged_seconds = _histogram("wanglou_judged_seconds", "", "From the feed's hand to judged, of each block", WAY)
    event_seconds = _histogram("wanglou_event_seconds", "", "From judged (in the log) to events, of each record of changes", WAY)
    lag = _gauge("wanglou_lag_seconds", "topic partition", "Age of the oldest record not yet read; 0 at the log's end", "max")
    snapshot = _gauge("wanglou_snapshot_timestamp_seconds", "shard", "When the shard's state was last stored", "max")
    plan_info = _gauge("wanglou_plan_info", "hash version", "1 for each plan in force", "max")
    # judge, only series of indicators with `wall: true`
    key_value = _gauge("wanglou_key_value", "series", "Newest value of a key series, in its own unit", "max")
    key_limit = _gauge("wanglou_key_limit", "series level", "Limit of a key series, in its own unit", "max")
    key_info = _gauge("wanglou_key_info", "series title area lat lon", "1; words and place of a key series", "max")
    # desk
    taken_seconds = _histogram("wanglou_taken_seconds", "", "From events in the log to alerts of the desk, of each record", WAY)
    delivered_seconds = _histogram("wanglou_delivered_seconds", "channel",
                                   "From alert to the first call accepted by the channel", DELIVERY)
    alerts_open = _gauge("wanglou_alerts_open", "pack area level state scope", "Open warnings")
    alerts = _counter("wanglou_alerts_total", "pack detector level scope", "Warnings opened, and rises of level")
    unanswered_since = _gauge("wanglou_unanswered_since_timestamp_seconds", "level",
                              "Since when the oldest unanswered warning of scope real waits; absent when none does", "min")
    answer_seconds = _histogram("wanglou_answer_seconds", "level agency", "From call to answer", ANSWER)
    outcomes = _counter("wanglou_outcomes_total", "pack detector outcome", "Warnings closed, by outcome")
    deliveries = _counter("wanglou_deliveries_total", "channel result", "Attempts to deliver a call")
    delivery_seconds = _histogram("wanglou_delivery_seconds", "channel", "From due to accepted by the channel", DELIVERY)
    outbox_pending = _gauge("wanglou_outbox_pending", "channel", "Deliveries that wait")
    outbox_parked = _gauge("wanglou_outbox_parked", "channel", "Deliveries given up: a person must look")
    alerts_idle = _gauge("wanglou_alerts_idle", "", "Answered warnings without news for too long")
    duty_gaps = _gauge("wanglou_duty_gaps", "post", "Stretches of the next seven days in which nobody is on shift")
    alerts_chattering = _gauge("wanglou_alerts_chattering", "", "Warnings that went on and off three times in 30 minutes")
    desk_leader = _gauge("wanglou_desk_leader", "", "1 on the desk that leads, else 0", "max")
    desk_clients = _gauge("wanglou_desk_clients", "", "Pages that listen")
    canary_seconds = _gauge("wanglou_canary_seconds", "", "Last end-to-end time of the canary", "max")
    skill = _gauge("wanglou_skill", "pack detector version score", "Of the newest stored backtest: pod, far, csi", "max")
    skill_lead = _gauge("wanglou_skill_lead_seconds", "pack detector version", "And its median lead time", "max")
    canary_success = _gauge("wanglou_canary_last_success_timestamp_seconds", "", "When the canary last came through", "max")

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.making = Lock()
        self.registry = registry or CollectorRegistry()
        self.registry.register(Gauges(self))

    def gauges(self) -> Iterator[tuple[Declared[Gauge], Gauge]]:
        """The gauges that this process has touched, in the table's order."""
        for declared in TABLE:
            metric = vars(self).get(declared.attribute)
            if isinstance(metric, Gauge):
                yield declared, metric

    def leave(self, owner: Hashable) -> None:
        """All gauge rows of one owner vanish (a partition, shard or source went elsewhere)."""
        for _, gauge in self.gauges():
            gauge.leave(owner)


class Gauges(Collector):
    """The one custom collector: all gauges of a process, from its own rows."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """A gauge whose `watch` fails is left out and logged: absent reads as no data, never as fine."""
        for declared, gauge in self.metrics.gauges():
            family = GaugeMetricFamily(declared.name, declared.help, labels=declared.labels)
            try:
                rows = gauge.rows()
            except Exception:
                log.exception("metric %s could not be asked for", declared.name)
                continue
            for labels, value in rows.items():
                family.add_metric(labels, value)
            yield family

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is known before the first scrape."""
        return []


TABLE: tuple[Declared[Any], ...] = tuple(m for m in vars(Metrics).values() if isinstance(m, Declared))
"""All declarations, in order."""
CATALOGUE: dict[str, Labels] = {name: labels for m in TABLE for name, labels in m.exposed().items()}
"""Every name that Prometheus may see from Wanglou -> its labels (without job and instance)."""


class Server:
    """A running /metrics page. `port` is the one it got."""

    def __init__(self, port: int, registry: CollectorRegistry) -> None:
        self._http, self._thread = cast("tuple[Any, Thread]", start_http_server(port, "127.0.0.1", registry))
        self.port = int(self._http.server_port)

    def close(self) -> None:
        """Stop; the port is free afterwards."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


def serve(port: int, registry: CollectorRegistry) -> Server:
    """Expose a registry at http://127.0.0.1:PORT/metrics in a thread of its own (0 = any free port). WanglouError when taken."""
    try:
        return Server(port, registry)
    except OSError as error:
        raise WanglouError(f"metrics: cannot listen on 127.0.0.1:{port}: {error.strerror}; "
                           "WANGLOU_METRICS_PORT names another") from None
