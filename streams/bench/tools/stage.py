"""A product of one run's own: topics, a plan, stages as real processes, and what is seen of them from outside."""
from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from detectors.event import Change
from detectors.pack import City
from streams import clock
from streams.bench.tools.frame import Bench
from streams.codec import Changes, Record, decode, encode
from streams.demo.processes import Processes
from streams.errors import Unavailable
from streams.plans import Plans, plan_bytes
from streams.settings import Settings, settings
from streams.sql import engine
from streams.topics import announce_plan, create_topics

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Product:
    """Topics with a prefix of their own on the run's broker, and a plan in them."""

    settings: Settings
    processes: Processes

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """`wanglou ARGUMENTS…` as a process called `name`."""
        self.processes.start(name, *arguments, **environment)
        return self.processes.running[name]

    def module(self, name: str, module: str) -> subprocess.Popen[bytes]:
        """`python -m MODULE` as a process called `name`."""
        environment = {**os.environ, **self.processes.environment}
        with (self.processes.logs / f"{name}.log").open("ab") as log:
            self.processes.running[name] = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.DEVNULL, stdout=log,
                                                            stderr=log, env=environment, start_new_session=True)
        return self.processes.running[name]

    def fill(self, records: Iterable[tuple[int, Record]]) -> None:
        """Records into partitions of `readings`, compressed as a feed does."""
        from kafka import KafkaProducer

        producer = KafkaProducer(bootstrap_servers=self.settings.broker, acks="all", compression_type="gzip", linger_ms=20,
                                 batch_size=1 << 19, max_request_size=8 << 20)
        name = self.settings.topic("readings")
        sent = [producer.send(name, encode(record), partition=partition) for partition, record in records]
        producer.flush()
        for one in sent:
            one.get(30)
        producer.close()

    def watch(self, topic: str) -> Watch:
        """The changes of `levels` or `events`, from here on."""
        return Watch(self.settings, topic)

    def until(self, holds: Callable[[], Any], what: str, limit: float = 120.0) -> Any:
        """What `holds` says once it says something. Unavailable after `limit` seconds, or when a process has ended."""
        end = clock.monotonic() + limit
        while not (said := holds()):
            self.processes.check()
            if clock.monotonic() > end:
                last = "\n".join(f"{n}: {self.processes.last_words(n, 400)}" for n in self.processes.running)
                raise Unavailable(f"not within {limit:.0f} s: {what}\n{last}")
            sleep(0.02)
        return said


@contextmanager
def product(bench: Bench, city: City, name: str, partitions: int = 4, **environment: str) -> Iterator[Product]:
    """Topics and a plan; at the end every process that was started is ended, by pid."""
    data = bench.work / name
    ours = settings(broker=bench.broker, prefix=f"{name}.", data=data, partitions=partitions)
    (data / "logs").mkdir(parents=True)
    create_topics(ours)
    database = engine(ours.state_url)
    announce_plan(ours, Plans(database).put(plan_bytes(city), "bench"))
    database.dispose()
    given = {"WANGLOU_BROKER": ours.broker, "WANGLOU_PREFIX": ours.prefix, "WANGLOU_DATA": str(data),
             "WANGLOU_PARTITIONS": str(partitions)}
    made = Product(ours, Processes(data / "logs", {**given, **environment}))
    try:
        yield made
    finally:
        for process in made.processes.running.values():         # some sleep, and nothing of what they hold is needed
            process.kill()
            process.wait()


@dataclass
class Watch:
    """A reader of one topic of changes."""

    settings: Settings
    topic: str
    reader: KafkaConsumer = field(init=False)

    def __post_init__(self) -> None:
        from kafka import KafkaConsumer, TopicPartition

        self.reader = KafkaConsumer(bootstrap_servers=self.settings.broker, enable_auto_commit=False, fetch_max_wait_ms=20)
        place = TopicPartition(self.settings.topic(self.topic), 0)
        self.reader.assign([place])
        self.reader.seek_to_end(place)
        self.reader.position(place)

    def changes(self) -> list[Change]:
        """What has come since."""
        found: list[Change] = []
        for records in self.reader.poll(timeout_ms=10).values():
            for record in records:
                said = decode(record.value)
                found += said.changes if isinstance(said, Changes) else ()
        return found

    def close(self) -> None:
        """Let go."""
        self.reader.close()


def cpu_of(pid: int) -> float:
    """CPU seconds that a process has used, as Linux counts them (in hundredths)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK
