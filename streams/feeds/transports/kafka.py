"""A foreign topic with one reading a message → our blocks: `wanglou feed kafka`.

Fetched in batches, read into columns, gathered by partition of the site, produced idempotently. An offset of the foreign topic is
committed only once Kafka has acknowledged every block and every reject that holds something from before it. So a relay that is
killed anywhere reads a little again; the judge knows a reading that it has (same t and value), and levels do not move.
On any failure of the way out nothing is patched up: what is open is forgotten and read again from the committed offset.
A record batch that is corrupt each of TRIES times goes to the rejects, with its offsets, and the relay goes on behind it.
"""
from __future__ import annotations

import asyncio
import gc
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, RebalanceInProgressError

from streams import clock, rejects
from streams.codec import encode
from streams.errors import Unavailable
from streams.feeds.intake import Intake
from streams.feeds.link import KafkaLink, answering
from streams.feeds.relay.columns import Fields, Reader
from streams.feeds.relay.fetch import Fetch, Part, Unreadable
from streams.feeds.relay.gather import Full, Gather
from streams.feeds.rules import Rules
from streams.feeds.words import Refused

say = structlog.get_logger("wanglou.relay")
DOWN = (KafkaError, OSError, Unavailable, TimeoutError)
TRIES = 5
"""A batch may be torn on its way; after so many readings it is torn where it lies."""
COMMIT = 1.0
"""Seconds between commits."""
AHEAD = 64
"""Blocks under way to Kafka at most: then reading waits."""
LITTLE = 200
"""An answer with fewer messages is followed by a short pause: at a trickle, a request a message would cost more than all else."""
PAUSE = 0.01


@dataclass(frozen=True)
class Foreign:
    """Where the messages are."""

    broker: str
    topic: str
    group: str
    session: float = 10.0


@dataclass
class _Sent:
    """A record under way; `first` = the oldest answer it holds something of; `counts` = its readings by pack."""

    first: int
    done: asyncio.Future[Any]
    counts: dict[str, int]


class Relay:
    """One source. `rules` gives those of the plan in force, each time it is asked."""

    def __init__(self, foreign: Foreign, intake: Intake, rules: Callable[[], Rules],
                 connect: Callable[[], Awaitable[KafkaLink]]) -> None:
        self.foreign, self.intake, self.rules, self.connect = foreign, intake, rules, connect
        self.accepted = self.rejected = 0
        self.torn = Counter[tuple[TopicPartition, int]]()   # corrupt batches, and how often each was read

    async def run(self) -> None:
        """For ever; after a failure again from the committed offsets."""
        gc.set_threshold(20_000, 20, 20)        # as in the stages: what a block makes has no circles
        while True:
            try:
                link = await self.connect()
                try:
                    await _Run(self, link, await answering(self.foreign.broker)).work()
                finally:
                    await link.close()
            except DOWN as error:
                if isinstance(error, Unreadable):
                    self.torn[error.place, error.base] += 1
                say.warning("again from the committed offsets", topic=self.foreign.topic, error=repr(error)[:300])
                await asyncio.sleep(1)


class _Run:
    """From a connection to the next failure."""

    def __init__(self, relay: Relay, link: KafkaLink, broker: str) -> None:
        self.relay, self.link, self.intake = relay, link, relay.intake
        self.names, self.partitions = relay.intake.names, relay.intake.blocker.partitions   # of the generation it begins in
        foreign = relay.foreign
        self.fetch = Fetch(broker, foreign.topic, foreign.group, foreign.session, self.given_up,
                           lambda place, base: relay.torn[place, base] >= TRIES)
        self.rules: Rules | None = None
        self.reader: Reader
        self.gather: Gather
        self.answer = 0                                     # number of the newest answer
        self.positions: deque[tuple[int, TopicPartition, int]] = deque()    # what is read next after each answer
        self.safe: dict[TopicPartition, int] = {}           # to be committed
        self.left: list[Full] = []                          # of the plan before
        self.sent: deque[_Sent] = deque()
        self.committed = clock.monotonic()
        self.turn = asyncio.Lock()                          # reading, against a partition that goes away
        self.whole = True                                   # every answer that was begun has been gathered and sent on

    async def work(self) -> None:
        """Read for ever; raises one of DOWN."""
        try:
            await self.fetch.start()
            while True:
                due = self.gather.due() if self.rules else None
                wait = 0.5 if due is None else max(0.0, (due - clock.now()) / 1e6)
                parts = await self.fetch.parts(wait)
                async with self.turn:
                    self.whole = False
                    count = await self._taken(parts)
                    self.whole = True
                await self._settle()
                if 0 < count < LITTLE:
                    await asyncio.sleep(PAUSE)
        except asyncio.CancelledError:                      # a clean end: nothing is read twice for it
            with suppress(*DOWN):
                await asyncio.wait_for(self.given_up(), 3)
            raise
        finally:
            await self.fetch.close()

    async def _taken(self, parts: list[Part]) -> int:
        now, count = clock.now(), 0
        self._plan()
        for part in parts:
            if part.place not in self.fetch.positions:
                continue                                    # it went away meanwhile
            self.answer += 1
            if part.messages is None:
                await self._pass_over(part)
                continue
            columns = self.reader.read(part.messages, now)
            self.gather.add(columns, self.answer, now)
            self.positions.append((self.answer, part.place, part.messages.next))
            count += len(part.messages.start)
            for offset, refused in columns.refused:
                await self._refuse(part.place, offset, refused)
            await self._send(self.gather.close(clock.now()))
        await self._send(self.gather.close(clock.now()))
        if count:
            self.intake.sources.heard(self.rules.source.id, now)        # type: ignore[union-attr]
        return count

    def _plan(self) -> None:
        """A new plan numbers the series anew. More partitions: all that is open is read again."""
        if self.partitions != self.intake.blocker.partitions:
            raise Unavailable(f"{self.names.readings} goes on in {self.intake.names.readings}")
        rules = self.relay.rules()
        if rules is not self.rules:
            self.left += self.gather.close() if self.rules is not None else []
            self.rules = rules
            self.reader = Reader(rules, Fields.of(rules.options))
            gc.collect()
            gc.freeze()                                     # a plan is large and stays: no collection looks through it again
            self.gather = Gather(self.reader.names, self.reader.packs, self.partitions, rules.source.id,
                                 guests=self.intake.blocker.guests)

    async def _send(self, full: list[Full]) -> None:
        full, self.left = self.left + full, []
        for partition, first, block, packs in full:
            await self._out(self.names.readings, partition, encode(replace(block, sent=clock.now())), first, packs)

    async def _out(self, topic: str, partition: int, value: bytes, first: int, counts: dict[str, int]) -> None:
        while len(self.sent) >= AHEAD:
            await self._acknowledged()
        self.sent.append(_Sent(first, await self.link.send(topic, partition, value), counts))

    async def _refuse(self, place: TopicPartition, offset: int, one: Refused) -> None:
        at = f"{place.topic}/{place.partition} offset {offset}" + (f", {one.place}" if one.place else "")
        row = rejects.reject(clock.now(), self.names.feed, self.rules.source.id,         # type: ignore[union-attr]
                             self.reader.fields.format, one.reason, at, one.what, one.raw)
        self.intake.metrics.rejects.labels(self.names.feed, one.reason).inc()
        self.relay.rejected += 1
        await self._out(self.names.rejects, 0, rejects.encode(row), self.answer, {})

    async def _pass_over(self, part: Part) -> None:
        """A batch that cannot be read: what it is goes to the rejects, and reading goes on behind it."""
        torn = part.corrupt
        assert torn is not None
        say.error("a corrupt batch is passed over", place=str(part.place), first=torn.base, next=part.next, why=str(torn))
        what = f"{torn}: offsets {torn.base} to {part.next - 1} are passed over"
        await self._refuse(part.place, torn.base, Refused("corrupt", f"to {part.next - 1}", what, torn.raw))
        self.positions.append((self.answer, part.place, part.next))

    async def _acknowledged(self) -> None:
        """The oldest record under way is Kafka's; raises what Kafka refused it with."""
        one = self.sent.popleft()
        await one.done
        for pack, count in one.counts.items():
            self.intake.metrics.readings.labels(pack, self.names.feed).inc(count)
        self.relay.accepted += sum(one.counts.values())

    async def _settle(self) -> None:
        """Count what is acknowledged; commit now and then."""
        while self.sent and self.sent[0].done.done():
            await self._acknowledged()
        if clock.monotonic() - self.committed >= COMMIT:
            self.committed = clock.monotonic()
            await self._commit()

    async def _commit(self) -> None:
        """Up to the newest answer of which nothing is open or under way."""
        low = min((s.first for s in self.sent), default=self.answer + 1)
        if self.rules is not None and (oldest := self.gather.oldest()) is not None:
            low = min(low, oldest)
        while self.positions and self.positions[0][0] < low:
            _, place, offset = self.positions.popleft()
            self.safe[place] = offset
        safe = {place: offset for place, offset in self.safe.items() if place in self.fetch.positions}
        if safe:
            try:
                await self.fetch.consumer.commit(safe)
                self.safe = {}
            except (IllegalStateError, CommitFailedError, RebalanceInProgressError) as error:
                say.info("not committed: the group is changing", error=repr(error)[:200])

    async def given_up(self) -> None:
        """Partitions go to another member: what was read is brought to safety and committed, as far as that is possible."""
        async with self.turn:
            if self.whole:                                  # else an answer was left half-way: nothing more is committed
                with suppress(*DOWN):
                    if self.rules is not None:
                        await self._send(self.gather.close())
                    while self.sent:
                        await asyncio.wait_for(self._acknowledged(), 10)
                    await self._commit()
            self.positions.clear()
            self.safe = {}
