"""The relay of a foreign topic on a real Kafka: killed anywhere, fed with poison: the result is that of a run without."""
from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors.event import Change
from detectors.judge import State, judge
from detectors.pack import City, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block
from streams import clock
from streams.rejects import decode
from streams.shards import partition

pytestmark = pytest.mark.broker
SITES = [f"gauge-{n}" for n in range(40)]
TOPIC, PARTS = "foreign", 3
SHAPE = ("--series", "s", "--time", "t", "--unit", "ms", "--value", "x")


def town() -> City:
    """40 gauges, each with a limit that must hold, a moving mean and a rise; never silent."""
    level = Indicator("level", "river", Text("水位"), "m", tuple(SITES), every=1.0)
    detectors = (Detector("stage", "river", "level", Use("threshold"), (Limit(2, 12.0, clear=11.5), Limit(3, 14.0, hold=2.0))),
                 Detector("odd", "river", "level", Use("ewma", {"alpha": 0.1, "warm": 5.0}),
                          (Limit(1, 3.0), Limit(1, -3.0, above=False))),
                 Detector("rise", "river", "level", Use("rise", {"over": 10.0}), (Limit(1, 4.0),)))
    return City((Pack("river", Text("江河"), (level,), detectors),), {s: Site(s, Text(s)) for s in SITES})


Row = tuple[str, int, float]


def rows(count: int) -> list[Row]:
    """(series, t in ms, x): each gauge once a second, up to now."""
    chance, start = np.random.default_rng(11), clock.now() // 1_000_000 * 1000 - 1000 * (count // len(SITES) + 1)
    x = np.round(10.0 + np.cumsum(chance.normal(0.0, 0.7, (count // len(SITES), len(SITES))), axis=0), 3)
    return [(f"level@{site}", start + 1000 * k, float(x[k, n])) for k in range(len(x)) for n, site in enumerate(SITES)]


def told(changes: list[Change]) -> set[tuple[Any, ...]]:
    """What a change says, without what depends on when its reading arrived."""
    return {(c.id, c.detector, c.site, c.time, c.before, c.to, c.value, c.onset) for c in changes if c.kind == "level"}


def judged(plan: Plan, blocks: Iterator[Block] | list[Block]) -> set[tuple[Any, ...]]:
    """All that the pure core says of these blocks."""
    state = State(plan)
    return told([change for block in blocks for change in judge(plan, state, block)])


class Foreign:
    """A topic of somebody else: JSON `{"s","t","x"}`, a message a reading."""

    def __init__(self, bench: Any) -> None:
        from kafka import KafkaProducer
        from kafka.admin import NewTopic

        from streams.topics import admin

        self.bench, self.name, self.sent = bench, bench.settings.prefix + TOPIC, 0
        with admin(bench.settings) as client:
            client.create_topics([NewTopic(self.name, PARTS, 1)], wait_for_metadata=True)
        self.producer = KafkaProducer(bootstrap_servers=bench.settings.broker, acks="all", enable_idempotence=True,
                                      compression_type="gzip", linger_ms=5)

    def send(self, value: bytes | None, part: int) -> None:
        self.producer.send(self.name, value, key=b"any", partition=part)
        self.sent += 1

    def readings(self, some: list[Row]) -> None:
        """Each series keeps to its partition."""
        for s, t, x in some:
            self.send(json.dumps({"s": s, "t": t, "x": x}).encode(), partition(s, PARTS * 8) % PARTS)
        self.producer.flush()

    def start(self, *words: str) -> Any:
        """A relay as a process."""
        return self.bench.start("feed", "kafka", self.name, *(words or SHAPE))

    def left(self) -> int:
        """Messages whose offset the relay has not committed."""
        from kafka import KafkaConsumer, TopicPartition

        consumer = KafkaConsumer(bootstrap_servers=self.bench.settings.broker, group_id=f"{self.bench.settings.prefix}kafka",
                                 enable_auto_commit=False)
        try:
            places = [TopicPartition(self.name, p) for p in range(PARTS)]
            return sum(end - (consumer.committed(place) or 0) for place, end in consumer.end_offsets(places).items())
        finally:
            consumer.close()


@pytest.fixture
def foreign(bench: Any) -> Iterator[Foreign]:
    """A foreign topic, and a plan."""
    bench.plan(town())
    made = Foreign(bench)
    yield made
    made.producer.close()


def of_partition(bench: Any, p: int) -> list[Block]:
    return [record for at, _, record in bench.records("readings") if at == p and isinstance(record, Block)]


def test_killed_at_random_moments(bench: Any, foreign: Foreign, wait: Callable[..., None]) -> None:
    """Killed while it reads, produces and commits: every reading is in the log, in order where it is first there, and the
    judge says of the log what it says of the readings themselves.
    """
    chance, plan, all_rows = random.Random(3), Plan(town()), rows(24_000)
    parts = [all_rows[n:n + 6000] for n in range(0, len(all_rows), 6000)]
    for n, some in enumerate(parts):
        relay = foreign.start()
        already = len(bench.said("feed").split("partitions ")) if n else 1
        wait(lambda was=already: len(bench.said("feed").split("partitions ")) > was, "the relay reads")  # type: ignore[misc]
        for at in range(0, len(some), 1500):
            foreign.readings(some[at:at + 1500])
            sleep(0.05)
        if n < len(parts) - 1:
            sleep(chance.uniform(0.0, 1.2))
            relay.kill()
            relay.wait()
    wait(lambda: foreign.left() == 0, "all is committed")
    found: set[tuple[Any, ...]] = set()
    seen: dict[str, list[tuple[int, float]]] = {}
    for p in range(bench.settings.partitions):
        blocks = of_partition(bench, p)
        found |= judged(plan, blocks)
        for block in blocks:
            for index, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True):
                first = seen.setdefault(block.series[index], [])
                if not first or t > first[-1][0]:
                    first.append((t // 1000, x))
    wanted: dict[str, list[tuple[int, float]]] = {}
    for s, t, x in all_rows:
        wanted.setdefault(s, []).append((t, x))
    assert {s: dict(r) for s, r in seen.items()} == {s: dict(r) for s, r in wanted.items()}
    assert len(found) > 100
    assert found == judged(plan, [Block.of([(s, 1000 * t, x) for s, t, x in all_rows])])
    assert bench.read("rejects") == []


def test_two_share_and_one_ends(bench: Any, foreign: Foreign, wait: Callable[..., None]) -> None:
    """A second relay takes over partitions, the first is told to end in the middle: every reading is there, and none twice."""
    all_rows = rows(8000)
    first = foreign.start()
    wait(lambda: "partitions " in bench.said("feed"), "the first reads")
    foreign.readings(all_rows[:2000])
    foreign.start("--name", "other", "--group", f"{bench.settings.prefix}kafka", *SHAPE)
    for at in range(2000, 8000, 1000):
        foreign.readings(all_rows[at:at + 1000])
        sleep(0.3)
        if at == 5000:
            first.terminate()
    assert first.wait(10) == 0
    wait(lambda: foreign.left() == 0, "all is committed")
    there = [(block.series[i], t // 1000, x) for _, _, block in bench.records("readings") if isinstance(block, Block)
             for i, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True)]
    assert sorted(there) == sorted(all_rows)


POISON: list[bytes | None] = [
    b"", None, b"\x00\xff\xfe", b"{", b'{"s":"level@gauge-1","t":1,"x":', b"[1,2]", b"null", b'"level@gauge-1"',
    b'{"s":"level@nowhere","t":1,"x":1}', b'{"s":5,"t":1,"x":1}', b'{"s":"level@gauge-1","t":"soon","x":1}', b'{"s":"level@gauge-1","t":1e400,"x":1}',
    b'{"s":"level@gauge-1","t":1,"x":"1"}', b'{"s":"level@gauge-1","t":1,"x":1e300}', b'{"s":"level@gauge-1","t":1,"x":NaN}',
    b'{"s":"level@gauge-1","t":99999999999999,"x":1}', b'{"s":"level@gauge-1","x":1}', b'{"t":1,"x":1}', b"{" * 100_000,
    b'{"s":"level@gauge-1\xff","t":1,"x":1}']


def test_poison(bench: Any, foreign: Foreign, wait: Callable[..., None]) -> None:
    """Of each bad message its place and what is wrong go to `rejects`; accepted + rejected = sent; the good ones are there."""
    good = rows(400)
    for n, (s, t, x) in enumerate(good):
        foreign.send(json.dumps({"s": s, "t": t, "x": x, "unit": {"of": "m"}} if n % 3 else {"x": x, "t": t, "s": s}).encode(), 0)
        if n % 20 == 0:
            foreign.send(POISON[n // 20], 0)
    foreign.producer.flush()
    foreign.start()
    wait(lambda: foreign.left() == 0, "all is committed")
    there = [(block.series[i], t // 1000, x) for _, _, block in bench.records("readings") if isinstance(block, Block)
             for i, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True)]
    assert sorted(there) == sorted(good)
    refused = [decode(value, offset) for _, offset, value in bench.read("rejects")]
    assert len(there) + len(refused) == foreign.sent
    assert [r.place.partition(" offset ")[2].partition(",")[0] for r in refused] == [str(21 * n + 1) for n in range(len(POISON))]
    assert all(r.what and r.source == "kafka" for r in refused)


TORN = """
import streams.feeds.relay.fetch as fetch
from streams.feeds.relay.batches import Corrupt
whole = fetch.cut
def cut(data, position, aborted):
    base = int.from_bytes(data[:8], "big")
    if base == 7:
        raise Corrupt("is torn", base, 10, 0, data[:99])
    found = whole(data, position, aborted)
    return whole(data[:next(at for at in starts(data) if data[at:at + 8] == (7).to_bytes(8, "big"))], position, aborted) \
        if found is not None and base < 7 < found.next else found
def starts(data):
    at = 0
    while at < len(data):
        yield at
        at += 12 + int.from_bytes(data[at + 8:at + 12], "big")
fetch.cut = cut
from streams.cli import main
main()
"""


def test_a_batch_that_stays_corrupt(bench: Any, foreign: Foreign, wait: Callable[..., None]) -> None:
    """It is tried again, then told to `rejects` with its offsets, and passed over; all around it is there. Of several addresses
    of the foreign broker one is dead, one frozen.
    """
    good = rows(400)
    for at, size in ((0, 7), (7, 3), (10, 390)):
        for s, t, x in good[at:at + size]:
            foreign.send(json.dumps({"s": s, "t": t, "x": x}).encode(), 0)
        foreign.producer.flush()
    with socket.create_server(("127.0.0.1", 0)) as frozen, (bench.folder / "feed.log").open("ab") as log:
        addresses = f"127.0.0.1:1, 127.0.0.1:{frozen.getsockname()[1]},{bench.settings.broker}"
        command = [sys.executable, "-c", TORN, "feed", "kafka", foreign.name, *SHAPE, "--from-broker", addresses]
        bench.started.append(subprocess.Popen(command, stdout=log, stderr=log, env=bench.environment()))
        wait(lambda: foreign.left() == 0, "all is committed", 60)
    there = [(block.series[i], t // 1000, x) for _, _, block in bench.records("readings") if isinstance(block, Block)
             for i, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True)]
    assert sorted(set(there)) == sorted(good[:7] + good[10:])           # what lies before it may have been read each time
    (row,) = [decode(value, offset) for _, offset, value in bench.read("rejects")]
    assert (row.reason, row.place) == ("corrupt", f"{foreign.name}/0 offset 7, to 9")
    assert "is torn" in row.what and "7 to 9" in row.what
    assert bench.said("feed").count("again from the committed offsets") == 5


def test_another_shape(bench: Any, foreign: Foreign, wait: Callable[..., None]) -> None:
    """MessagePack with fields of other names, site and indicator apart, times in ISO 8601, compressed: the same readings."""
    good = rows(400)
    for s, t, x in good:
        site = s.partition("@")[2]
        foreign.send(msgspec.msgpack.encode({"what": "level", "where": site, "when": clock.iso(1000 * t), "how": x}), 1)
    foreign.producer.flush()
    foreign.start("--site", "where", "--indicator", "what", "--time", "when", "--value", "how", "--format", "msgpack")
    wait(lambda: foreign.left() == 0, "all is committed")
    there = [(block.series[i], t // 1000, x) for _, _, block in bench.records("readings") if isinstance(block, Block)
             for i, t, x in zip(block.index, block.t.tolist(), block.x.tolist(), strict=True)]
    assert sorted(there) == sorted(good)
