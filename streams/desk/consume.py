"""The topic `events`, folded exactly once: a record's rows and the next offset are one transaction.

`assign` and `seek`, no consumer group: what was folded is known to the database alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Event
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from detectors.event import Change
from streams.broker import wait_for_broker
from streams.codec import BadRecord, Changes, decode
from streams.desk import calls
from streams.desk.fold import Moment, fold
from streams.desk.store import Store, audit
from streams.desk.tables import Offset

log = structlog.get_logger(__name__)
PARTITION = 0
POLL_MS = 200


def apply(store: Store, topic: str, offset: int, changes: Iterable[Change], m: Moment, live: bool) -> bool:
    """Fold one record; False when it was folded before. `live` = past the log's end known at start: ladders begin."""
    with store.begin() as s:
        place = _place(s, topic)
        if offset < place.offset:
            return False
        moved = {}
        for change in changes:
            place.arrived = max(place.arrived, change.arrived)
            alert = fold(s, change, m)
            if alert is not None:
                moved[alert.id] = alert
        if live:
            for alert in sorted(moved.values(), key=lambda a: not a.covers):  # what covers comes first
                calls.settle(s, alert, m)
        place.offset = offset + 1
    return True


def position(store: Store, topic: str) -> int:
    """The next offset to read."""
    with store.read() as s:
        found = s.get(Offset, (topic, PARTITION))
        return found.offset if found else 0


def _place(s: Session, topic: str) -> Offset:
    found = s.get(Offset, (topic, PARTITION), with_for_update=True)
    if found is None:
        found = Offset(topic=topic, partition=PARTITION, offset=0, arrived=0)
        s.add(found)
    return found


class Consumer:
    """Reads on while this desk leads. `moment` gives wall clock and words; `live` = past the log's end known at start."""

    def __init__(self, store: Store, broker: str, topic: str, moment: Callable[[], Moment]) -> None:
        self.store, self.broker, self.topic, self.moment = store, broker, topic, moment
        self.live = False
        self.fault = ""

    def run(self, stop: Event, leading: Callable[[], bool]) -> None:
        """Until `stop`. A broker or a database that is away is waited for; it is said once."""
        while not stop.is_set():
            if not leading():
                stop.wait(0.2)
                continue
            try:
                self._read(stop, leading)
            except Exception as error:
                if str(error) != self.fault and not stop.is_set():
                    log.warning("events cannot be read", error=str(error))
                self.fault = str(error)
                stop.wait(1.0)
            self.live = False

    def _read(self, stop: Event, leading: Callable[[], bool]) -> None:
        from kafka import KafkaConsumer, TopicPartition

        wait_for_broker(self.broker, lambda said: log.warning(str(said)), alive=lambda: not stop.is_set())
        consumer: Any = KafkaConsumer(
            bootstrap_servers=self.broker, group_id=None, enable_auto_commit=False, client_id="wanglou-desk"
        )
        try:
            part = TopicPartition(self.topic, PARTITION)
            consumer.assign([part])
            start, first = position(self.store, self.topic), consumer.beginning_offsets([part])[part]
            if start < first:
                log.warning("events were deleted before the desk read them", start=start, first=first)
            consumer.seek(part, max(start, first))
            end, self.fault = consumer.end_offsets([part])[part], ""
            self._caught_up(consumer.position(part) >= end)
            while not stop.is_set() and leading():
                for records in consumer.poll(timeout_ms=POLL_MS).values():
                    for record in records:
                        self._take(record.offset, record.value)
                if not self.live:
                    self._caught_up(consumer.position(part) >= end)
        finally:
            consumer.close()

    def _take(self, offset: int, value: bytes | None) -> None:
        try:
            record = decode(value or b"")
            apply(self.store, self.topic, offset, record.changes if isinstance(record, Changes) else (), self.moment(), self.live)
        except OperationalError:
            raise  # the database is away: the same record again
        except Exception as error:  # one record that cannot be folded must not hide those behind it
            kind = "unreadable" if isinstance(error, BadRecord) else "unfolded"
            log.exception("event left out", offset=offset)
            with self.store.begin() as s:
                audit(s, self.moment().now, kind, topic=self.topic, offset=offset, error=str(error)[:500])
                _place(s, self.topic).offset = offset + 1

    def _caught_up(self, there: bool) -> None:
        if there and not self.live:
            with self.store.begin() as s:
                begun = calls.settle_all(s, self.moment())
            log.info("caught up with the log", ladders=begun)
            self.live = True
