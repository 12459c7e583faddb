"""The topic `alerts`: what happens to alerts, for programs that read on. One record an audit row, each exactly once.

The audit is the outbox: a row of the chain is written in the transaction of its deed, and its number `seq` is the record's. How
far they were written is known to the database (`offset` of topic `alerts`), whose row is locked meanwhile, so no two desks write
at once; after a start or a fault the end of the topic is read first, so what got there before a crash is not written again.

Record: key = alert id, value = JSON, described in deploy/ALERTS.md. One partition, so their order is that of the chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from detectors.level import Level
from streams import clock
from streams.clock import iso
from streams.desk.exercise.mark import hidden
from streams.desk.messages import subject
from streams.desk.names import Names
from streams.desk.publish.feeds import VERSION
from streams.desk.store import Store
from streams.desk.tables import Alert, Audit, Offset

log = structlog.get_logger(__name__)
TOPIC = "alerts"
BATCH = 200
QUIET = ("delivery", "receipt", "folded")
"""Acts of the calling itself: posts and channels are nobody else's business."""
FACTS = (
    "id",
    "state",
    "open",
    "pack",
    "indicator",
    "detector",
    "rule",
    "site",
    "area",
    "scope",
    "direction",
    "confidence",
    "value",
    "members",
    "covered_by",
    "disposition",
    "withdrawn",
    "rev",
)
WHAT = (
    "from",
    "to",
    "says",
    "detector",
    "value",
    "limit",
    "revision",
    "event",
    "disposition",
    "publication",
    "kind",
    "until",
    "order",
    "unit",
    "silence",
)
"""Of an audit row's details those that leave: no reasons, no accounts, no posts."""


def record(row: Audit, alert: Alert, names: Names) -> bytes:
    """The value of a record."""
    said: dict[str, Any] = {name: getattr(alert, name) for name in FACTS}
    said |= {
        "level": Level(alert.level).word,
        "shown": Level(alert.shown).word,
        "limit": alert.bound,
        "onset": iso(alert.onset),
        "opened": iso(alert.opened),
        "title": {x: subject(alert, names, x) for x in ("zh", "en")},
        "place": {x: names.place(alert.site, alert.area, x) for x in ("zh", "en")},
    }
    what = {
        k: Level(v).word if k in ("from", "to", "says") else iso(v) if k == "until" else v
        for k, v in row.what.items()
        if k in WHAT
    }
    body = {"version": VERSION, "seq": row.seq, "at": iso(row.at), "act": row.act, "what": what, "alert": said}
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def waiting(s: Session, after: int, names: Names, limit: int = BATCH) -> tuple[list[tuple[str, bytes]], int]:
    """Records after audit row `after`, and the number up to which the audit was read."""
    rows = s.execute(
        select(Audit, Alert).outerjoin(Alert, Alert.id == Audit.alert).where(Audit.seq > after).order_by(Audit.seq).limit(limit)
    ).all()
    told = [(row, alert) for row, alert in rows if alert is not None and row.act not in QUIET and not hidden(alert)]
    out = [(alert.id, record(row, alert, names)) for row, alert in told]
    return out, rows[-1][0].seq if rows else after


def newest(values: Iterable[bytes]) -> int:
    """The highest seq among records that are there; 0 = none."""
    return max((int(json.loads(v).get("seq", 0)) for v in values if v), default=0)


def _place(s: Session) -> Offset:
    """How far the topic is written, locked where the database can."""
    place = s.get(Offset, (TOPIC, 0), with_for_update=True)
    if place is None:
        place = Offset(topic=TOPIC, partition=0, offset=0, arrived=0)
        s.add(place)
    return place


class Writer:
    """Writes on while this desk leads. `connect` gives what sends, `tail` the last records of the topic.

    After a fault it rests for `rest` seconds.
    """

    def __init__(
        self,
        store: Store,
        names: Callable[[], Names],
        connect: Callable[[], Any],
        tail: Callable[[], Iterable[bytes]],
        rest: float = 0.0,
    ) -> None:
        self.store, self.names, self.connect, self.tail = store, names, connect, tail
        self.rest, self.failed = rest, 0.0
        self.producer: Any = None
        self.fault = ""

    def pump(self) -> int:
        """One round; how many records are safe in the topic now. A broker that is away is tried again, and said once.

        SQLite has one desk and one writer for all: nothing is locked there while the broker is waited for.
        """
        from kafka.errors import KafkaError

        if self.fault and clock.monotonic() - self.failed < self.rest:
            return 0
        try:
            if self.store.engine.dialect.name == "postgresql":
                with self.store.begin(turn=False) as s:
                    written, end = self._write(s)
                    _place(s).offset = end
            else:
                with self.store.read() as s, s.no_autoflush:      # the place that is not there yet must not lock the file
                    before = _place(s).offset
                    written, end = self._write(s)
                if end != before:
                    with self.store.begin() as s:
                        _place(s).offset = end
            return written
        except (KafkaError, OSError, SQLAlchemyError) as error:
            if str(error) != self.fault:
                log.warning("topic alerts is not written", error=str(error))
            self.fault, self.failed = str(error), clock.monotonic()
            self.close()
            return 0

    def _write(self, s: Session) -> tuple[int, int]:
        """How many records were written, and up to which number all are there now."""
        done = _place(s).offset
        if waiting(s, done, self.names(), 1)[1] == done:
            return 0, done
        if self.producer is None:
            done = max(done, newest(self.tail()))
            self.producer = self.connect()
        records, end = waiting(s, done, self.names())
        for sent in [self.producer(key.encode(), value) for key, value in records]:
            sent.get(10)
        self.fault = ""
        return len(records), end

    def close(self) -> None:
        """Let the connection go; the next round begins with a look at the topic's end."""
        close = getattr(self.producer, "close", None)
        self.producer = None
        if close:
            close()


class Kafka:
    """Both ends over kafka-python. Idempotent, so the client's own retries write nothing twice."""

    def __init__(self, broker: str, topic: str) -> None:
        self.servers, self.topic = broker.split(","), topic

    def connect(self) -> Any:
        """A callable (key, value) -> future, with `close`."""
        from kafka import KafkaProducer

        producer = KafkaProducer(
            bootstrap_servers=self.servers,
            acks="all",
            enable_idempotence=True,
            delivery_timeout_ms=8_000,
            request_timeout_ms=4_000,
        )

        class Send:
            """One connection."""

            def __call__(self, key: bytes, value: bytes) -> Any:
                return producer.send(topic, value, key=key, partition=0)

            def close(self) -> None:
                producer.close(5)

        topic = self.topic
        return Send()

    def tail(self) -> list[bytes]:
        """The last records of the topic, more than one round writes."""
        from kafka import KafkaConsumer, TopicPartition

        consumer: Any = KafkaConsumer(bootstrap_servers=self.servers, group_id=None, enable_auto_commit=False)
        try:
            part = TopicPartition(self.topic, 0)
            consumer.assign([part])
            first, end = consumer.beginning_offsets([part])[part], consumer.end_offsets([part])[part]
            if first >= end:
                return []
            consumer.seek(part, max(first, end - BATCH - 10))
            out: list[bytes] = []
            for _ in range(50):
                out += [r.value for records in consumer.poll(timeout_ms=200).values() for r in records]
                if consumer.position(part) >= end:
                    return out
            raise OSError(f"the end of {self.topic} could not be read")
        finally:
            consumer.close()
