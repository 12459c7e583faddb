"""The topic `alerts`: one record an audit row, in order, each exactly once, whatever fails in between."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from streams.broker import missing_kafka, start_kafka
from streams.desk.publish import log
from streams.desk.tables import Audit


class Topic:
    """A log that may fail before or after it took a record."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []
        self.fails: list[str] = []

    def connect(self) -> Any:
        return self

    def __call__(self, key: bytes, value: bytes) -> Any:
        what = self.fails.pop(0) if self.fails else ""
        if what != "before":
            self.records.append((key, value))
        if what:
            raise OSError(f"{what} it was taken")
        return self

    def get(self, seconds: float) -> None:
        """Taken."""

    def tail(self) -> list[bytes]:
        return [value for _, value in self.records[-20:]]

    @property
    def seqs(self) -> list[int]:
        """Numbers of the records."""
        return [json.loads(value)["seq"] for _, value in self.records]


def wanted(bench: Any) -> list[int]:
    """Audit rows that must be in the topic."""
    with bench.store.read() as s:
        return list(s.scalars(select(Audit.seq).where(Audit.alert != "", Audit.act.not_in(log.QUIET)).order_by(Audit.seq)))


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["", "", "before", "after", "restart"]), max_size=12))
def test_exactly_once(tmp_path_factory: pytest.TempPathFactory, bench_at: Any, city: Any, change: Any, rule: Any, faults: list[str]) -> None:
    """Faults before and after the broker took a record, and new desks: every row of the chain is there once and in order."""
    bench = bench_at(f"sqlite:///{tmp_path_factory.mktemp('alerts')}/desk.db", city)
    topic = Topic()

    def writer() -> log.Writer:
        return log.Writer(bench.store, lambda: bench.names, topic.connect, topic.tail)

    try:
        at = writer()
        bench.put(one := change("rain", "houzhai", 2), change("rain", "fotang", 2))
        bench.put(rule(3))
        topic.fails = [f for f in faults if f not in ("", "restart")]
        for fault in faults:
            at = writer() if fault == "restart" else at
            at.pump()
            bench.now += 1_000_000
            bench.put(change("rain", "houzhai", 1 if fault else 2, 2, len(bench.acts(one.alert)), bench.now, one.onset))
        topic.fails = []
        for _ in range(3):
            at.pump()
        assert topic.seqs == wanted(bench) and at.pump() == 0
    finally:
        bench.store.close()


def test_what_a_record_says(bench: Any, change: Any) -> None:
    """Key = alert id; act, levels as words, titles in two languages; no post, no reason, no address leaves."""
    bench.put(one := change("river_level", "lanxi", 3))
    bench.do(one.alert, "answer", "lanxi-water")
    bench.do(one.alert, "news", "lanxi-water", "秘密的进展内容")
    bench.pass_time(1)
    bench.deliver()
    topic = Topic()
    log.Writer(bench.store, lambda: bench.names, topic.connect, topic.tail).pump()
    said = [json.loads(v) for _, v in topic.records]

    assert {k for k, _ in topic.records} == {one.alert.encode()}
    first = said[0]
    assert (first["version"], first["act"], first["what"]["to"], first["alert"]["level"]) == (1, "opened", "orange", "orange")
    assert first["alert"]["title"] == {"zh": "河道水位", "en": "River level"} and first["at"].endswith("Z")
    assert [x["act"] for x in said] == ["opened", "ladder", "called", "answered", "news"]
    text = b"".join(v for _, v in topic.records).decode()
    assert "秘密" not in text and "lanxi-water" not in text and "1380000" not in text


@pytest.mark.broker
@pytest.mark.skipif(bool(missing_kafka()), reason=f"no Apache Kafka: {missing_kafka()}")
def test_on_a_real_broker(tmp_path: Any, bench: Any, change: Any) -> None:
    """Apache Kafka: what the last desk wrote but could not note is seen at the topic's end and not written again.

    Readings by hand lie in the log of readings, from source `manual`.
    """
    from kafka import KafkaConsumer, TopicPartition

    from detectors.reading import Block
    from streams.codec import decode
    from streams.desk.publish import hand
    from streams.settings import Settings
    from streams.topics import create_topics

    broker = start_kafka(tmp_path / "kafka")
    try:
        settings_ = Settings(broker=broker.address, data=tmp_path)
        create_topics(settings_)
        kafka = log.Kafka(broker.address, settings_.topic(log.TOPIC))
        bench.put(change("river_level", "lanxi", 3))
        first = log.Writer(bench.store, lambda: bench.names, kafka.connect, kafka.tail)
        assert first.pump() == len(wanted(bench))
        first.close()
        with bench.store.begin() as s:
            from streams.desk.tables import Offset

            s.get(Offset, (log.TOPIC, 0)).offset = 0      # as if it had died before its note
        bench.put(change("rain", "houzhai", 2))
        second = log.Writer(bench.store, lambda: bench.names, kafka.connect, kafka.tail)
        assert second.pump() and second.pump() == 0 and second.fault == ""
        second.close()

        assert [json.loads(v)["seq"] for v in kafka.tail()] == wanted(bench)
        hand.sender(settings_, lambda: bench.now)([["rain@houzhai", "houzhai", "basin", bench.now, 12.0, 0]])
        consumer = KafkaConsumer(bootstrap_servers=[broker.address], group_id=None, auto_offset_reset="earliest")
        consumer.assign([TopicPartition(settings_.topic("readings"), p) for p in range(settings_.partitions)])
        got = [decode(r.value) for _ in range(5) for rows in consumer.poll(timeout_ms=500).values() for r in rows]
        consumer.close()
        assert [(b.sources, b.series, b.x.tolist()) for b in got if isinstance(b, Block)] == [(("manual",), ("rain@houzhai",), [12.0])]
    finally:
        broker.stop()
