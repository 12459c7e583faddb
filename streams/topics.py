"""The topics: made, checked and given their first plan by kafka-python.

Times of records are the broker's (LogAppendTime): with event times as Kafka's own, retention would eat a back-fill at once.
"""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detectors.reading import PlanRecord
from streams.codec import Record, encode
from streams.errors import Unavailable, WanglouError
from streams.settings import WIDE, Settings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

DAY = 86_400_000


@dataclass(frozen=True)
class Topic:
    """What a topic must be. `days` is its retention; one partition unless it is `wide`."""

    name: str
    days: int
    wide: bool = False

    def partitions(self, settings: Settings) -> int:
        """P for readings and judged, else 1."""
        return settings.partitions if self.wide else 1

    def configs(self, settings: Settings) -> dict[str, str]:
        """The settings that are not left to the broker."""
        return {"message.timestamp.type": "LogAppendTime", "retention.ms": str(self.days * DAY), "cleanup.policy": "delete",
                "min.insync.replicas": str(max(1, settings.replication - 1))}


TOPICS = (*(Topic(name, 7, wide=True) for name in WIDE), Topic("levels", 30), Topic("events", 30), Topic("rejects", 30),
          Topic("alerts", 30))


@contextmanager
def admin(settings: Settings) -> Iterator[KafkaAdminClient]:
    """A client for administration. Unavailable when no broker answers, WanglouError when it refuses."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError, KafkaTimeoutError

    try:
        client = KafkaAdminClient(bootstrap_servers=settings.broker.split(","), bootstrap_timeout_ms=10_000)
    except KafkaError as error:
        raise Unavailable(f"no broker at {settings.broker}: {error}") from error
    try:
        yield client
    except KafkaTimeoutError as error:
        raise Unavailable(f"the broker at {settings.broker} does not answer: {error}") from error
    except KafkaError as error:
        raise WanglouError(f"the broker at {settings.broker} says: {error}") from error
    finally:
        client.close()


def partition_counts(client: KafkaAdminClient, settings: Settings) -> dict[str, int]:
    """The partitions of those of our topics that are there, by full name."""
    ours = {settings.topic(t.name) for t in TOPICS}
    return {t["name"]: len(t["partitions"]) for t in client.describe_topics() if t["name"] in ours}


def create_topics(settings: Settings) -> list[str]:
    """Make the topics that are missing; their names. Run again, it makes nothing."""
    from kafka.admin import NewTopic

    with admin(settings) as client:
        there = partition_counts(client, settings)
        new = [NewTopic(name, topic.partitions(settings), settings.replication, topic_configs=topic.configs(settings))
               for topic in TOPICS if (name := settings.topic(topic.name)) not in there]
        if new:
            client.create_topics(new, wait_for_metadata=True)
        return [topic.name for topic in new]


def check_topics(settings: Settings) -> list[str]:
    """What is wrong with the topics, one line each; none = fine."""
    from kafka.admin import ConfigResource

    faults = []
    with admin(settings) as client:
        there = partition_counts(client, settings)
        for topic in TOPICS:
            name, wanted = settings.topic(topic.name), topic.partitions(settings)
            if name not in there:
                faults.append(f"{name}: is not there; run `wanglou topics create`")
                continue
            if there[name] != wanted:
                faults.append(f"{name}: has {there[name]} partitions, the settings say {wanted}"
                              + (f"; `wanglou topics grow --partitions {wanted}` makes more" if wanted > there[name] else ""))
            found = client.describe_configs([ConfigResource("TOPIC", name)], config_filter="all")
            values = {key: said["value"] for key, said in found["topic"][name].items()}
            faults += [f"{name}: {key} is {values.get(key)}, should be {value}"
                       for key, value in topic.configs(settings).items() if values.get(key) != value]
    return faults


def lengths(settings: Settings) -> dict[tuple[str, int], tuple[int, int]]:
    """First and next offset of each partition of our topics of these settings' generation, by the plain name (`readings`)."""
    from kafka import TopicPartition
    from kafka.admin import OffsetSpec

    with admin(settings) as client:
        there = partition_counts(client, settings)
        places = [TopicPartition(name, p) for name, count in there.items() for p in range(count)]
        first = client.list_partition_offsets({p: OffsetSpec.EARLIEST for p in places})
        last = client.list_partition_offsets({p: OffsetSpec.LATEST for p in places})
        plain = {settings.topic(topic.name): topic.name for topic in TOPICS}
        return {(plain[p.topic], p.partition): (first[p].offset, last[p].offset) for p in places}


def send_all(settings: Settings, records: list[tuple[str, int, Record]]) -> None:
    """Write records (topic without prefix, partition, record), each once Kafka has the one before. Unavailable if it has not."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    try:
        producer = KafkaProducer(bootstrap_servers=settings.broker.split(","), acks="all", delivery_timeout_ms=60_000)
        try:
            for topic, partition, record in records:
                producer.send(settings.topic(topic), encode(record), partition=partition).get(60)
        finally:
            producer.close()
    except KafkaError as error:
        raise Unavailable(f"the broker at {settings.broker} did not take a record: {error}") from error


def announce_plan(settings: Settings, name: str, only_empty: bool = False) -> int:
    """Write the plan's hash to each partition of `readings`, then to `levels`; how many records.

    `only_empty`: only where the log begins, so that the first plan is offset 0 (`topics create`).
    """
    places = [("readings", p) for p in range(settings.partitions)] + [("levels", 0)]
    if only_empty:
        there = lengths(settings)
        places = [place for place in places if there[place][1] == 0]
    send_all(settings, [(topic, p, PlanRecord(name)) for topic, p in places])
    return len(places)
