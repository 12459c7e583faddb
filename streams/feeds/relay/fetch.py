"""Record batches of a topic as the broker has them. Group and committed offsets: aiokafka's consumer; bytes: ours.

The consumer's own way makes an object a message, which costs more than all else that a relay does. So its partitions are
paused, and fetch requests go through aiokafka's client. `read_committed`: what a transaction took back is left out.
"""
from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest

from streams.errors import Unavailable
from streams.feeds.relay.batches import Corrupt, Messages, cut

say = structlog.get_logger("wanglou.relay")
MOST, WAIT, COMMITTED = 2 << 20, 250, 1


class Part(NamedTuple):
    """What came of one partition: messages, or a batch that is corrupt for good and is passed over."""

    place: TopicPartition
    messages: Messages | None
    corrupt: Corrupt | None = None
    next: int = 0


class Unreadable(Unavailable):
    """A batch of a partition is corrupt."""

    def __init__(self, place: TopicPartition, corrupt: Corrupt) -> None:
        self.place, self.base = place, corrupt.base
        super().__init__(f"{place.topic}/{place.partition}: {corrupt}")


class Fetch(ConsumerRebalanceListener):  # type: ignore[misc]
    """One member of a consumer group. `given_up` is awaited before partitions go to another member.

    `hopeless` says whether a corrupt batch of this place and base offset was tried often enough.
    """

    def __init__(self, broker: str, topic: str, group: str, session: float, given_up: Callable[[], Awaitable[None]],
                 hopeless: Callable[[TopicPartition, int], bool] = lambda place, base: False) -> None:
        self.topic, self.given_up, self.hopeless = topic, given_up, hopeless
        self.positions: dict[TopicPartition, int] = {}
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=broker, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=int(session * 1000), heartbeat_interval_ms=int(min(3.0, session / 4) * 1000))
        self.client = AIOKafkaClient(bootstrap_servers=broker, request_timeout_ms=30_000)
        self._asked: dict[asyncio.Task[Any], tuple[int, dict[int, int]]] = {}
        self._alive: asyncio.Task[None] | None = None
        self._turn = 0

    async def start(self) -> None:
        """Join the group. Unavailable or a KafkaError where that cannot be."""
        await self.client.bootstrap()
        await self.client.set_topics([self.topic])
        await self.consumer.start()
        self.consumer.subscribe([self.topic], listener=self)
        self._alive = asyncio.create_task(self._live())

    async def close(self) -> None:
        """Leave the group."""
        for task in (*self._asked, *([self._alive] if self._alive else ())):
            task.cancel()
        await asyncio.gather(*self._asked, *([self._alive] if self._alive else ()), return_exceptions=True)
        await self.consumer.stop()
        await self.client.close()

    async def _live(self) -> None:
        """Ask the consumer, whose partitions are all paused, so that it knows that we are alive."""
        while True:
            await self.consumer.getmany(timeout_ms=1000)

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Bring what was read to safety first."""
        if self.positions:
            await self.given_up()
        self.positions = {}

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Go on where the group stands; at the beginning of what it never read."""
        if assigned:
            self.consumer.pause(*assigned)
        found: dict[TopicPartition, int] = {}
        for place in assigned:
            committed = await self.consumer.committed(place)
            found[place] = (await self.consumer.beginning_offsets([place]))[place] if committed is None else committed
        self.positions = found
        say.info("partitions", topic=self.topic, mine=sorted(p.partition for p in found))

    async def parts(self, wait: float) -> list[Part]:
        """What has come, within `wait` seconds; the next request is under way while this is worked on."""
        if self._alive is not None and self._alive.done():
            self._alive.result()
            raise Unavailable("the consumer has ended")
        self._ask()
        if not self._asked:
            await asyncio.sleep(min(wait, 0.1))
            return []
        done, _ = await asyncio.wait(self._asked, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        found = [part for task in done for part in await self._taken(task, *self._asked.pop(task))]
        if found:
            self._ask()
        return found

    def _ask(self) -> None:
        busy = {node for node, _ in self._asked.values()}
        by_node: dict[int, dict[int, int]] = defaultdict(dict)
        for place, position in self.positions.items():
            node = self.client.cluster.leader_for_partition(place)
            if node is None or node == -1:
                self.client.force_metadata_update()
            elif node not in busy:
                by_node[node][place.partition] = position
        for node, wanted in by_node.items():
            self._turn += 1                         # the broker fills its answer in the order of the request
            rows = list(wanted.items())
            turn = rows[self._turn % len(rows):] + rows[:self._turn % len(rows)]
            request = FetchRequest(WAIT, 1, 4 * MOST, COMMITTED, [(self.topic, [(p, at, MOST) for p, at in turn])], rack_id="")
            self._asked[asyncio.create_task(self.client.send(node, request))] = node, wanted

    async def _taken(self, task: asyncio.Task[Any], node: int, wanted: dict[int, int]) -> list[Part]:
        try:
            answer = task.result()
        except KafkaError as error:
            say.warning("no answer to a fetch", node=node, error=repr(error)[:200])
            self.client.force_metadata_update()
            await asyncio.sleep(0.2)
            return []
        found = []
        for _, partitions in answer.topics:
            for number, code, transactions, records in _rows(partitions):
                place = TopicPartition(self.topic, number)
                if self.positions.get(place) != wanted[number]:
                    continue                        # asked before an assignment, answered after it
                if code:
                    await self._refused(place, for_code(code))
                elif records:
                    part = self._cut(place, wanted[number], records, [(row[0], row[1]) for row in transactions or ()])
                    if part is not None:
                        self.positions[place] = part.next
                        found.append(part)
        return found

    def _cut(self, place: TopicPartition, position: int, records: bytes, aborted: list[tuple[int, int]]) -> Part | None:
        try:
            messages = cut(records, position, aborted)
        except Corrupt as corrupt:
            if not self.hopeless(place, corrupt.base):
                raise Unreadable(place, corrupt) from corrupt
            return Part(place, None, corrupt, max(corrupt.next, position + 1))
        return None if messages is None else Part(place, messages, None, messages.next)

    async def _refused(self, place: TopicPartition, error: type[Exception]) -> None:
        """A new leader is asked for; offsets that are gone are passed over, loudly."""
        if error is OffsetOutOfRangeError:
            first = (await self.consumer.beginning_offsets([place]))[place]
            last = (await self.consumer.end_offsets([place]))[place]
            now = self.positions[place]
            say.error("the topic no longer has what is expected", place=str(place), expected=now, first=first, last=last)
            self.positions[place] = first if now < first else last
            return
        say.warning("a partition was not given", place=str(place), error=error.__name__)
        self.client.force_metadata_update()
        await asyncio.sleep(0.2)


def _rows(partitions: Any) -> list[tuple[int, int, Any, bytes]]:
    """Partition, error, aborted transactions, records: these are there in every version."""
    rows = []
    for row in partitions:
        aborted = next((cell for cell in row[3:-1] if isinstance(cell, list)), None)
        rows.append((row[0], row[1], aborted, row[-1]))
    return rows
