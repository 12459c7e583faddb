"""What a demo sees of itself from outside: the `events` log, the desk's tables, history, the metrics of each process."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from detectors.event import Change
from streams.codec import BadRecord, Changes, decode
from streams.demo.story import Called, Card, Seen
from streams.errors import Unavailable
from streams.settings import Settings
from streams.sql import engine

if TYPE_CHECKING:
    from kafka import KafkaConsumer

RAIN = "rain@lanxi"


class Watch:
    """Reads only. One topic reader for `events`; everything else is asked anew each time."""

    def __init__(self, settings: Settings, desk_metrics: str) -> None:
        self.settings, self.desk_metrics = settings, desk_metrics
        self.events: list[Change] = []
        self.delays: list[float] = []       # ms from the feed's hand to the event in the log
        self._events = self._reader("events")
        self._desk, self._history = engine(settings.desk_url), engine(settings.history_url)

    def close(self) -> None:
        """Let go of the broker and the databases."""
        self._events.close()
        self._desk.dispose()
        self._history.dispose()

    def seen(self) -> Seen:
        """Everything up to now."""
        for stamp, change in self._read(self._events):
            self.events.append(change)
            if change.sent and change.kind == "level":
                self.delays.append(stamp - change.sent / 1000)
        cards, steps = self.desk()
        return Seen(self.rain(), self.events, cards, steps, self.open_by_metrics())

    def desk(self) -> tuple[list[Card], list[Called]]:
        """Alerts and rungs as the desk's tables have them."""
        from sqlalchemy import select
        from sqlalchemy.orm import Session

        from streams.desk.tables import Alert, Rung

        with Session(self._desk) as s:
            cards = [Card(a.id, a.site, a.indicator, a.level, a.open, a.silent_since is not None, a.answered_by)
                     for a in s.scalars(select(Alert).where(Alert.scope == "real"))]
            return cards, [Called(r.alert, r.run, r.n, r.post, r.state) for r in s.scalars(select(Rung))]

    def deliveries(self) -> int:
        """Messages that a channel took."""
        from sqlalchemy import func, select
        from sqlalchemy.orm import Session

        from streams.desk.tables import Delivery

        with Session(self._desk) as s:
            return int(s.scalar(select(func.count()).where(Delivery.state == "sent")) or 0)

    def rain(self) -> list[float]:
        """What history holds of the first gauge, in order of event time."""
        from sqlalchemy import select

        from streams.history.tables import reading

        with self._history.connect() as c:
            rows = c.execute(select(reading.c.value).where(reading.c.series == RAIN).order_by(reading.c.t))
            return [float(v) for (v,) in rows if v is not None]

    def open_by_metrics(self) -> dict[str, int]:
        """Open real alerts by level word, as Prometheus would see them; levels above normal."""
        found: dict[str, int] = {}
        for labels, value in sample(self.desk_metrics, "wanglou_alerts_open"):
            if labels.get("scope") == "real" and value and labels["level"] not in ("0", "normal"):
                found[labels["level"]] = found.get(labels["level"], 0) + int(value)
        return found

    def count(self, topic: str) -> int:
        """Changes (or, in other topics, records) that a topic holds."""
        reader = self._reader(topic)
        try:
            return sum(1 for _ in self._read(reader))
        finally:
            reader.close()

    def _reader(self, topic: str) -> KafkaConsumer:
        from kafka import KafkaConsumer, TopicPartition

        reader = KafkaConsumer(bootstrap_servers=self.settings.broker.split(","), enable_auto_commit=False)
        place = TopicPartition(self.settings.topic(topic), 0)
        reader.assign([place])
        reader.seek(place, 0)
        return reader

    def _read(self, reader: KafkaConsumer) -> Iterator[tuple[int, Any]]:
        """Up to the end of the log as it is now; on the embedded broker "latest" may lie, so an empty poll ends it too."""
        (place,) = reader.assignment()
        end, idle = reader.end_offsets([place])[place], 0
        while reader.position(place) < end and idle < 10:
            polled = reader.poll(timeout_ms=200, max_records=2000)
            idle = 0 if polled else idle + 1
            for records in polled.values():
                for record in records:
                    try:
                        said = decode(record.value)
                    except BadRecord:
                        yield record.timestamp, None
                        continue
                    if isinstance(said, Changes):
                        yield from ((record.timestamp, change) for change in said.changes)


def sample(address: str, name: str) -> list[tuple[dict[str, str], float]]:
    """The samples of one metric at an address; none if nobody answers yet."""
    from prometheus_client.parser import text_string_to_metric_families

    try:
        text = get(address)
    except Unavailable:
        return []
    return [(s.labels, s.value) for family in text_string_to_metric_families(text) for s in family.samples if s.name == name]


def get(address: str) -> str:
    """The body of a page on this machine. Unavailable unless it answers 200."""
    import httpx2

    try:
        answer = httpx2.get(address, timeout=5)
    except httpx2.HTTPError as error:
        raise Unavailable(f"{address}: {error}") from error
    if answer.status_code != 200:
        raise Unavailable(f"{address}: {answer.status_code} {answer.text[:200]}")
    return answer.text
