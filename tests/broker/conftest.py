"""One real Apache Kafka a session, a topic prefix a test, and stages as real processes."""
from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from types import ModuleType
from uuid import uuid4

import pytest

from detectors.pack import Area, City, Detector, Indicator, Limit, Pack, Rule, Site, Text, Use
from detectors.reading import Block
from streams import broker, clock
from streams.codec import BadRecord, Record, decode, encode
from streams.errors import Unavailable
from streams.plans import Plans, plan_bytes
from streams.settings import Settings
from streams.shards import partition
from streams.sql import engine
from streams.topics import announce_plan, create_topics

SITES = [f"gauge-{n}" for n in range(24)]


def city(red: float = 30.0) -> City:
    """24 gauges on two reaches: a threshold with a hold, a check, silence after 4 s, and a rule of 3 on each reach."""
    level = Indicator("level", "river", Text("水位"), "m", tuple(SITES), every=1.0, silent=4.0,
                      checks=(Use("range", {"fail": (0.0, 60.0), "suspect": (5.0, 45.0)}),))
    stage = Detector("stage", "river", "level", Use("threshold"),
                     (Limit(2, 25.0, clear=24.0), Limit(3, 27.0, hold=0.3), Limit(4, red)), Text("水位超限"))
    wide = Rule("wide", "river", "at_least", ("river/stage",), 2, {"n": 3.0}, 3, "basin", "reach", within=600.0)
    areas = tuple(Area("basin", reach, Text(reach), depth="reach") for reach in ("upper", "lower"))
    sites = {s: Site(s, Text(s), areas={"basin": "upper" if n % 2 else "lower"}) for n, s in enumerate(SITES)}
    return City((Pack("river", Text("江河"), (level,), (stage,), (wide,)),), sites, areas)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[broker.Broker]:
    """Apache Kafka on loopback; a machine without Java or Maven skips and says so."""
    if not broker.find_java():
        pytest.skip(broker.missing_kafka())
    try:
        broker.fetch_kafka()
        running = broker.start_kafka(tmp_path_factory.mktemp("kafka"))
    except Unavailable as lacking:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(lacking))
    yield running
    running.stop()


@dataclass
class Bench:
    """One test's own topics, databases and processes."""

    settings: Settings
    folder: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def environment(self, **env: str) -> dict[str, str]:
        """What a process of this test must know."""
        given = {"BROKER": self.settings.broker, "PREFIX": self.settings.prefix, "DATA": str(self.settings.data),
                 "STATE_URL": self.settings.state_url, "HISTORY_URL": self.settings.history_url,
                 "DESK_URL": self.settings.desk_url, "SESSION_TIMEOUT": "2", "SNAPSHOT_SECONDS": "0.4",
                 "PARTITIONS": str(self.settings.partitions)} | env
        return dict(os.environ) | {f"WANGLOU_{name}": value for name, value in given.items()}

    def start(self, stage: str, *words: str, **env: str) -> subprocess.Popen[bytes]:
        """`wanglou STAGE WORDS…` as a process; its log goes to STAGE.log."""
        with (self.folder / f"{stage}.log").open("ab") as log:
            command = [sys.executable, "-c", "from streams.cli import main; main()", stage, *words]
            process = subprocess.Popen(command, stderr=log, stdout=log, env=self.environment(**env))
        self.started.append(process)
        return process

    def said(self, stage: str) -> str:
        """The log of a stage."""
        return (self.folder / f"{stage}.log").read_text()

    def plan(self, of: City) -> str:
        """Keep a plan and write it to the log."""
        database = engine(self.settings.state_url)
        name = Plans(database).put(plan_bytes(of), "test")
        database.dispose()
        announce_plan(self.settings, name)
        return name

    def read(self, topic: str) -> list[tuple[int, int, bytes]]:
        """All that a topic holds now: (partition, offset, bytes) in the order of each partition."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.settings.broker, enable_auto_commit=False, group_id=None)
        try:
            name = self.settings.topic(topic)
            places = [TopicPartition(name, p) for p in sorted(consumer.partitions_for_topic(name) or ())]
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            ends, found = consumer.end_offsets(places), []
            while any(consumer.position(p) < ends[p] for p in places):
                for records in consumer.poll(timeout_ms=500).values():
                    found += [(r.partition, r.offset, r.value) for r in records]
            return sorted(found, key=lambda row: row[:2])
        finally:
            consumer.close()

    def records(self, topic: str) -> list[tuple[int, int, Record]]:
        """The same, decoded."""
        return [(p, offset, decode(value)) for p, offset, value in self.read(topic)]

    def records_readable(self, topic: str) -> list[tuple[int, int, Record]]:
        """Those of them that can be decoded."""
        found = []
        for p, offset, value in self.read(topic):
            with suppress(BadRecord):
                found.append((p, offset, decode(value)))
        return found

    def close(self) -> None:
        """No process stays."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()


class Writer:
    """A producer of blocks: each reading into the partition of its site."""

    def __init__(self, settings: Settings) -> None:
        from kafka import KafkaProducer

        self.settings = settings
        self.producer = KafkaProducer(bootstrap_servers=settings.broker, acks="all")

    def write(self, rows: list[tuple[str, float]], now: int | None = None) -> None:
        """(site, value) rows measured and arrived now."""
        now = now or clock.now()
        for p in range(self.settings.partitions):
            mine = [(f"level@{site}", now, x) for site, x in rows if partition(site, self.settings.partitions) == p]
            if mine:
                self.bytes(p, encode(Block.of(mine, sent=now)))

    def bytes(self, p: int, value: bytes) -> None:
        """Anything, into one partition of `readings`."""
        self.producer.send(self.settings.topic("readings"), value, partition=p)


@pytest.fixture
def bench(kafka: broker.Broker, tmp_path: Path) -> Iterator[Bench]:
    """Topics with a prefix of their own."""
    settings = Settings(broker=kafka.address, prefix=f"t{uuid4().hex[:8]}.", data=tmp_path / "var", partitions=2)
    create_topics(settings)
    made = Bench(settings, tmp_path)
    yield made
    made.close()


@pytest.fixture
def writer(bench: Bench) -> Iterator[Writer]:
    """A producer for the test's topics."""
    made = Writer(bench.settings)
    yield made
    with suppress(Exception):
        made.producer.close(5)


@pytest.fixture(name="city")
def _city() -> Callable[..., City]:
    return city


@pytest.fixture
def wait() -> Callable[..., None]:
    """Wait until something holds; a failure says what did not."""
    def until(holds: Callable[[], object], what: str, seconds: float = 30.0) -> None:
        end = clock.monotonic() + seconds
        while not holds():
            assert clock.monotonic() < end, f"not within {seconds} s: {what}"
            sleep(0.1)

    return until


def module(name: str, path: Path) -> ModuleType:
    """A file as a module: tests have no packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture(scope="session")
def chain() -> ModuleType:
    """`chain.py`: the whole product as processes."""
    return module("wanglou_chain", Path(__file__).with_name("chain.py"))


@pytest.fixture(scope="session")
def real() -> ModuleType:
    """`tests/real/data.py`: the real data."""
    return module("wanglou_live_data", Path(__file__).parents[1] / "real" / "data.py")


@pytest.fixture
def postgresql() -> Iterator[str]:
    """A PostgreSQL of the test's own, on loopback, as the user postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found or not shutil.which("runuser"):
        pytest.skip("no PostgreSQL: install postgresql (Debian)")
    tools, port = found[-1], broker.free_port()
    home = Path("/tmp") / f"wanglou-pg-{port}"
    as_user = ["runuser", "-u", "postgres", "--"] if Path.home() == Path("/root") else []
    subprocess.run([*as_user, "mkdir", "-p", str(home)], check=True)
    subprocess.run([*as_user, str(tools / "initdb"), "-D", str(home / "data"), "-A", "trust", "-U", "wanglou", "--no-sync"],
                   check=True, capture_output=True)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    control = [*as_user, str(tools / "pg_ctl"), "-D", str(home / "data"), "-w"]
    subprocess.run([*control, "-l", str(home / "log"), "-o", options, "start"], check=True, capture_output=True)
    yield f"postgresql+psycopg://wanglou@127.0.0.1:{port}/postgres"
    subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)
    shutil.rmtree(home)


@pytest.fixture(scope="session")
def bench_of() -> type[Bench]:
    """For a test that brings its own broker."""
    return Bench
