"""More partitions, as a planned step (design 9.11): `readings` is closed with a fence, `readings.2` goes on from the snapshots.

What makes it exact: the closed topic takes no record longer than a fence (`max.message.bytes`), and a fence is the shortest
there is. So it is the broker itself that refuses what comes after it, whoever sends it and whatever he knows: a feed writes to
its disk until it learns of the new generation, and what it kept goes to the new partitions of its sites (`feeds.regroup`). When
the judges have saved all up to the fences, and `combine` all that they said, the new topic is opened in one transaction.

Each step looks at what is there first, so a growth that died anywhere is taken up by the same command.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator
from time import sleep
from typing import Any

from sqlalchemy import Engine, select

from detectors.reading import Fence, PlanRecord, Tick
from streams import clock
from streams.codec import BadRecord, decode, encode
from streams.errors import Unavailable, UsageError, WanglouError
from streams.faults import fault
from streams.settings import Settings
from streams.sql import engine
from streams.topics import admin, create_topics, lengths, send_all
from streams.worker.generations import Generations
from streams.worker.ledger import Place
from streams.worker.snapshots import Positions, position

CLOSED = 76
"""Bytes of a batch that a closed topic takes: one of a single fence has 73 to 75, of a tick at least 81 (61 for the batch, 7 for
the record, and the record); a test on Kafka holds this."""
PROBE = Tick(-(1 << 62), 0)
"""Must be refused by a closed topic; where it is not yet, it says nothing to anybody."""
SAY = 5.0
"""Seconds between two words on what is waited for."""
Say = Callable[[str], object]


def grow(settings: Settings, partitions: int, say: Say = print) -> int:
    """Grow to so many partitions, or finish a growth that was begun; the generation in force. UsageError when that cannot be.

    Waits as long as it takes for the judges, and for combine where there is one.
    """
    database = engine(settings.state_url)
    try:
        generations = Generations(database)
        old = generations.current(settings)
        if partitions == old.partitions and generations.unopened() is None:
            say(f"there are {partitions} partitions already (generation {old.generation})")
            return old.generation
        refuse(old, partitions, generations)
        new = settings.of(generations.begin(old, partitions).number, partitions)
        _Growth(old, new, generations, say).work()
        return new.generation
    finally:
        database.dispose()


def refuse(old: Settings, partitions: int, generations: Generations) -> None:
    """UsageError with the reason, for a growth that is none."""
    if not 1 <= partitions <= 256 or partitions & (partitions - 1):
        raise UsageError(f"--partitions {partitions}: take a power of two up to 256, or a site's shard would be torn apart")
    under_way = generations.unopened()
    if under_way is not None and under_way.partitions != partitions:
        raise UsageError(f"--partitions {partitions}: a growth to {under_way.partitions} has been begun; finish that one first")
    if under_way is None and partitions <= old.partitions:
        raise UsageError(f"--partitions {partitions}: there are {old.partitions}, and they cannot become fewer: a new partition "
                         "goes on from one old one, with its clock and its plan; two old ones have two of each. Fewer workers "
                         "do not need fewer partitions")


class _Growth:
    """From one generation to the next."""

    def __init__(self, old: Settings, new: Settings, generations: Generations, say: Say) -> None:
        self.old, self.new, self.generations, self.say = old, new, generations, say
        self.reach = fault(old.fault)
        self.readings = old.topic("readings")

    def work(self) -> None:
        """All steps, each of which may have been done before."""
        old, new, say = self.old, self.new, self.say
        say(f"{self.readings} with {old.partitions} partitions → {new.topic('readings')} with {new.partitions}. Meanwhile "
            "feeds keep what comes on their own disks")
        made = create_topics(new)
        say(f"1/5 topics: {', '.join(map(new.topic, made)) or 'all'} {'made' if made else 'there'}")
        self.reach("grow_topics")
        self._close()
        self.reach("grow_closed")
        last = self._fence()
        self.reach("grow_fences")
        self._judged(last)
        self.reach("grow_judged")
        self._begin()
        self.reach("grow_begun")
        self.generations.open(old, new)
        say(f"5/5 {new.topic('readings')} is open: judges, combine, history and feeds go over to it by themselves in seconds")

    def _close(self) -> None:
        """The broker takes no more than a fence."""
        from kafka.admin import ConfigResource

        with admin(self.old) as client:
            client.alter_configs([ConfigResource("TOPIC", self.readings, {"max.message.bytes": str(CLOSED)})])
        for p in range(self.old.partitions):
            while self._sent(p, encode(PROBE)) is not None:
                sleep(0.1)
        self.say(f"2/5 {self.readings} is closed: the broker refuses whatever is sent there")

    def _sent(self, p: int, value: bytes) -> int | None:
        """Write one record to the old topic: its offset, None where it is too long. A producer each, since one that was refused
        a record takes no more where it counts them.
        """
        from kafka import KafkaProducer
        from kafka.errors import KafkaError, MessageSizeTooLargeError

        try:
            producer = KafkaProducer(bootstrap_servers=self.old.broker.split(","), acks="all", enable_idempotence=False,
                                     delivery_timeout_ms=60_000)
            try:
                return int(producer.send(self.readings, value, partition=p).get(60).offset)
            finally:
                producer.close(5)
        except MessageSizeTooLargeError:
            return None
        except KafkaError as error:
            raise Unavailable(f"the broker at {self.old.broker} did not take a record: {error}") from error

    def _fence(self) -> dict[Place, int]:
        """A fence as the last record of each old partition; where it lies."""
        found = {}
        ends = lengths(self.old)
        for p, value in enumerate(_last(self.old, self.readings, ends)):
            place = Place(self.readings, p)
            if is_fence(value):
                found[place] = ends["readings", p][1] - 1
                continue
            offset = self._sent(p, encode(Fence(str(self.new.generation))))
            if offset is None:
                raise WanglouError(f"{place}: the broker refused the fence itself; its max.message.bytes should be {CLOSED}")
            found[place] = offset
            self.reach("grow_fence")
        self.generations.ended(found.items())
        self.say(f"3/5 fences: {', '.join(f'{p.partition} at {offset}' for p, offset in sorted(found.items()))}")
        return found

    def _judged(self, last: dict[Place, int]) -> None:
        """Until the judges have saved everything up to the fences, and combine everything that they said of it."""
        judge, combine = (Positions(self.generations.engine, stage) for stage in ("judge", "combine"))
        self._wait(lambda: _behind("judge", last, judge.all()))
        ends = lengths(self.old)
        self.generations.ended((Place(self.old.topic("judged"), p), ends["judged", p][1] - 1) for p in range(self.old.partitions))
        levels = Place(self.old.topic("levels"), 0)
        if levels in combine.all():
            self._wait(lambda: _behind("combine", {levels: ends["levels", 0][1] - 1}, combine.all()))
        self.say("4/5 all that lies before the fences is judged, combined and saved")

    def _wait(self, behind: Callable[[], str]) -> None:
        said = float("-inf")
        while what := behind():
            if clock.monotonic() - said >= SAY:
                said = clock.monotonic()
                self.say(f"    waiting for {what}")
            sleep(0.2)

    def _begin(self) -> None:
        """Each new partition begins with the plan of the one it comes from; combine is told how far each is."""
        plans, now = _stands(self.generations.engine, self.readings)
        there = lengths(self.new)
        send_all(self.new, [("readings", p, PlanRecord(name)) for p in range(self.new.partitions)
                            if (name := plans.get(p % self.old.partitions)) and not there["readings", p][1]])
        if now:
            send_all(self.new, [("levels", 0, Tick(now, p)) for p in range(self.old.partitions, self.new.partitions)])


def is_fence(value: bytes | None) -> bool:
    """Whether these bytes are a fence."""
    try:
        return value is not None and isinstance(decode(value), Fence)
    except BadRecord:
        return False


def _last(settings: Settings, topic: str, ends: dict[tuple[str, int], tuple[int, int]]) -> Iterator[bytes | None]:
    """The last record of each partition of `readings`; None where there is none."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(bootstrap_servers=settings.broker.split(","), enable_auto_commit=False, group_id=None)
    try:
        for p in range(settings.partitions):
            first, end = ends["readings", p]
            if first == end:
                yield None
                continue
            place, found = TopicPartition(topic, p), list[Any]()
            consumer.assign([place])
            consumer.seek(place, end - 1)
            until = clock.monotonic() + 30
            while not found:
                if clock.monotonic() > until:
                    raise Unavailable(f"{topic}/{p}: its last record, at {end - 1}, cannot be read")
                found = consumer.poll(timeout_ms=500).get(place, [])
            yield found[-1].value
    finally:
        consumer.close()


def _stands(database: Engine, topic: str) -> tuple[dict[int, str], int]:
    """The plan of each partition's snapshot, and the clock of the one that is furthest back."""
    with database.connect().execution_options(reading=True) as connection:
        rows = list(connection.execute(select(position).where(position.c.stage == "judge", position.c.topic == topic)))
    return {row.partition: row.plan for row in rows}, min((row.now for row in rows), default=0)


def _behind(stage: str, wanted: dict[Place, int], applied: dict[Place, int]) -> str:
    """What a stage has still to work on, in words; "" = nothing."""
    left = {place: last - applied.get(place, -1) for place, last in sorted(wanted.items()) if applied.get(place, -1) < last}
    if not left:
        return ""
    what = ", ".join(f"{place.topic}/{place.partition} {count}" for place, count in left.items())
    hint = "" if any(place in applied for place in wanted) else f"; it has never run here: start `wanglou {stage}`"
    return f"{stage}: records not yet worked on and saved: {what}{hint}"
