"""The topic `events`, folded exactly once: a record's rows and the next offset are one transaction.

`assign` and `seek`, no consumer group: what was folded is known to the database alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from threading import Event
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from detectors.event import Change
from streams import clock
from streams.broker import wait_for_broker
from streams.codec import BadRecord, Changes, decode
from streams.desk.calling import calls
from streams.desk.calling.backlog import Backlog, late
from streams.desk.folding.fold import Moment, fold
from streams.desk.store import Store, audit
from streams.desk.tables import Offset
from streams.metrics import Metrics

log = structlog.get_logger(__name__)
PARTITION = 0
POLL_MS = 200
BATCH = 25


def apply(store: Store, topic: str, offset: int, changes: Iterable[Change], m: Moment, live: bool) -> bool:
    """Fold one record; False when it was folded before. `live` = past the log's end known at start: ladders begin."""
    return apply_all(store, topic, [(offset, changes)], m, live) == 1


def apply_all(store: Store, topic: str, records: Iterable[tuple[int, Iterable[Change]]], m: Moment, live: bool) -> int:
    """Fold several records in one transaction; how many were new."""
    new = 0
    with store.begin() as s:
        place = _place(s, topic)
        for offset, changes in records:
            if offset >= place.offset:
                _fold(s, place, changes, m, live)
                place.offset, new = offset + 1, new + 1
    return new


def _fold(s: Session, place: Offset, changes: Iterable[Change], m: Moment, live: bool) -> None:
    moved = {}
    for change in changes:
        place.arrived = max(place.arrived, change.arrived)
        alert = fold(s, change, m)
        if alert is not None:
            moved[alert.id] = alert
    if live:
        for alert in sorted(moved.values(), key=lambda a: not a.covers):  # what covers comes first
            calls.settle(s, alert, m)


def position(store: Store, topic: str) -> int:
    """The next offset to read."""
    with store.read() as s:
        found = s.get(Offset, (topic, PARTITION))
        return found.offset if found else 0


def _changes(value: bytes | None) -> tuple[Change, ...]:
    """What a record holds for the desk; BadRecord when it is none of ours."""
    record = decode(value or b"")
    return record.changes if isinstance(record, Changes) else ()


def _place(s: Session, topic: str) -> Offset:
    found = s.get(Offset, (topic, PARTITION), with_for_update=True)
    if found is None:
        found = Offset(topic=topic, partition=PARTITION, offset=0, arrived=0)
        s.add(found)
    return found


class Consumer:
    """Reads on while this desk leads. `moment` gives wall clock and words; `live` = past the log's end known at start."""

    def __init__(
        self, store: Store, broker: str, topic: str, moment: Callable[[], Moment], metrics: Metrics | None = None
    ) -> None:
        self.store, self.broker, self.topic, self.moment, self.metrics = store, broker, topic, moment, metrics or Metrics()
        self.live = False
        self.backlog = Backlog(store)
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
            bootstrap_servers=self.broker,
            group_id=None,
            enable_auto_commit=False,
            client_id="wanglou-desk",
            reconnect_backoff_max_ms=1000,  # its own 30 s would hold up a red after an outage of the broker
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
                    for n in range(0, len(records), BATCH):
                        self._take_all([(r.offset, r.value) for r in records[n : n + BATCH]])
                        for r in records[n : n + BATCH]:
                            self.metrics.taken_seconds.observe(max(0.0, clock.now() / 1e6 - r.timestamp / 1000))
                if self.live:
                    self.backlog.settle(self.moment())
                else:                               # in the middle of the log nobody knows what still stands
                    self._caught_up(consumer.position(part) >= end)
        finally:
            consumer.close()

    def _take_all(self, records: list[tuple[int, bytes | None]]) -> None:
        """Many in one transaction, which is much quicker; where that fails, one by one, so that the one at fault is found."""
        m = self.moment()
        try:
            found = [(offset, _changes(value)) for offset, value in records]
            for old, group in groupby(found, lambda record: late(record[1], m)):
                apply_all(self.store, self.topic, group, m, self._calls(old))
        except OperationalError:
            raise
        except Exception:
            for offset, value in records:
                self._take(offset, value)

    def _take(self, offset: int, value: bytes | None) -> None:
        m = self.moment()
        try:
            changes = _changes(value)
            apply(self.store, self.topic, offset, changes, m, self._calls(late(changes, m)))
        except OperationalError:
            raise  # the database is away: the same record again
        except Exception as error:  # one record that cannot be folded must not hide those behind it
            kind = "unreadable" if isinstance(error, BadRecord) else "unfolded"
            log.exception("event left out", offset=offset)
            with self.store.begin() as s:
                audit(s, m.now, kind, topic=self.topic, offset=offset, error=str(error)[:500])
                _place(s, self.topic).offset = offset + 1

    def _calls(self, old: bool) -> bool:
        """Whether ladders begin with this record; what is late is waited out."""
        if self.live and old:
            self.backlog.came()
        return self.live and not old

    def _caught_up(self, there: bool) -> None:
        if there and not self.live:
            self.backlog.came()
            log.info("caught up with the log", ladders=self.backlog.settle(self.moment()))
            self.live = True
