"""The ledger against a client that skips, repeats and is killed, a producer that fails and a database that goes away."""
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.faults import POINTS, fault
from streams.worker.ledger import Ledger, Out, Place, Taken
from streams.worker.ledgers import Ledgers

PLACE = Place("readings", 0)
LOG = [f"v{n}".encode() for n in range(25)]


class Crash(BaseException):
    """kill -9."""


class Sum:
    """State = the hash of all records in order; each record says one thing that depends on all before it."""

    def __init__(self, pages: tuple[bytes, ...]) -> None:
        self.value = int(pages[0]) if pages else 0
        self.given_back = 0

    async def ready(self, value: bytes) -> None: ...

    def apply(self, offset: int, value: bytes) -> list[Out]:
        if value == b"poison":
            self.value += 1_000_000             # half done
            raise ValueError("boom")
        self.value = (self.value * 31 + int(value[1:]) + 1) % 999_983
        return [Out("levels", f"{offset}={self.value}".encode())]

    def refuse(self, offset: int, value: bytes, why: str) -> list[Out]:
        return [Out("rejects", value)]

    def take(self) -> bytes:
        return str(self.value).encode()

    def give_back(self, page: bytes) -> None:
        self.given_back += 1

    def report(self) -> None: ...


class Memory:
    """A store with an epoch fence, which may be away."""

    def __init__(self) -> None:
        self.epoch, self.applied, self.page, self.down = 0, -1, b"", False

    def open(self, place: Place) -> tuple[Taken, Sum]:
        if self.down:
            raise OSError("database away")
        self.epoch += 1
        pages = (self.page,) if self.page else ()
        return Taken(self.epoch, self.applied, pages=pages), Sum(pages)

    def write(self, place: Place, epoch: int, applied: int, page: bytes) -> bool:
        if self.down:
            raise OSError("database away")
        if epoch != self.epoch or applied < self.applied:
            return False
        self.applied, self.page = applied, page
        return True


class Record:
    def __init__(self, world: World, offset: int) -> None:
        self.world, self.place, self.offset, self.value = world, PLACE, offset, world.log[offset]

    def ack(self) -> None:
        """Committed never runs ahead of the snapshot (R1)."""
        assert self.offset <= self.world.store.applied
        self.world.committed = max(self.world.committed, self.offset)


class Acknowledgement:
    """Awaited, it says whether Kafka has the record."""

    def __init__(self, world: World, value: bytes) -> None:
        self.world, self.value = world, value

    def __await__(self) -> Generator[None, None, None]:
        yield
        self.world.acknowledge(self.value)


class World:
    """A log of one partition, its client and producer, a store; outlives the process that is killed."""

    def __init__(self, log: list[bytes] = LOG) -> None:
        self.log, self.store = log, Memory()
        self.committed, self.position, self.paused, self.first = -1, 0, False, 0
        self.kafka: list[bytes] = []            # produced and acknowledged
        self.flying: list[bytes] = []
        self.fail_sends = 0
        self.crash_at = ("", 0)
        self.ledgers = self.process()

    def process(self) -> Ledgers:
        ledgers = Ledgers(self, self.store, reach=self.reach)
        ledgers.SEEK_WAIT = 0
        return ledgers

    def reach(self, point: str) -> None:
        name, times = self.crash_at
        if point == name:
            self.crash_at = (name, times - 1)
            if times == 1:
                raise Crash

    def pause(self, place: Place) -> None:
        self.paused = True

    def resume(self, place: Place) -> None:
        self.paused = False

    async def seek(self, place: Place, offset: int) -> None:
        self.position = offset

    async def earliest(self, place: Place) -> int:
        return self.first

    async def send(self, out: Out) -> Awaitable[Any]:
        self.flying.append(out.value)
        return Acknowledgement(self, out.value)

    def acknowledge(self, value: bytes) -> None:
        if self.fail_sends:
            self.fail_sends -= 1
            raise TimeoutError("not acknowledged")
        if value in self.flying:
            self.flying.remove(value)
            self.kafka.append(value)

    async def begin(self) -> None:
        """A process joins the group: it reads on from what is committed."""
        await self.ledgers.assigned([PLACE])
        self.position, self.paused = self.committed + 1, False

    async def deliver(self) -> None:
        if not self.paused and self.first <= self.position < len(self.log):
            self.position += 1
            await self.ledgers.record(Record(self, self.position - 1))

    async def tasks(self) -> None:
        """Let what was begun in the background come to its end."""
        while self.ledgers._tasks:
            done = await asyncio.gather(*self.ledgers._tasks, return_exceptions=True)
            for failure in done:
                if isinstance(failure, BaseException):
                    raise failure

    async def save(self) -> None:
        self.ledgers.save_due(0)
        await self.tasks()

    async def restart(self, keep_flying: bool) -> None:
        """By kill -9 memory is gone; what was on its way may or may not have reached Kafka."""
        for task in list(self.ledgers._tasks):
            task.cancel()
        self.kafka += self.flying if keep_flying else []
        self.flying, self.crash_at = [], ("", 0)
        self.ledgers = self.process()
        await self.begin()

    async def settle(self) -> None:
        """No more trouble: read to the end."""
        self.store.down, self.fail_sends, self.crash_at = False, 0, ("", 0)
        for _ in range(6 * len(self.log)):
            await self.deliver()
            await self.tasks()
            await self.save()
            if self.store.applied == len(self.log) - 1:
                return
        raise AssertionError(f"stands still at {self.store.applied}, position {self.position}, paused {self.paused}")


def uninterrupted(log: list[bytes] = LOG) -> tuple[list[bytes], bytes]:
    state, said = Sum(()), []
    for offset, value in enumerate(log):
        said += [out.value for out in state.apply(offset, value)]
    return said, state.take()


ACTIONS = st.one_of(
    st.tuples(st.just("deliver"), st.integers(1, 6)), st.tuples(st.just("skip"), st.integers(1, 4)),
    st.tuples(st.just("repeat"), st.integers(1, 6)), st.tuples(st.just("save"), st.just(0)),
    st.tuples(st.just("fail_send"), st.just(0)), st.tuples(st.just("database"), st.booleans()),
    st.tuples(st.just("rebalance"), st.booleans()), st.tuples(st.just("zombie"), st.just(0)),
    st.tuples(st.just("kill"), st.tuples(st.sampled_from(POINTS), st.integers(1, 3), st.booleans())))


async def play(world: World, actions: list[tuple[str, Any]]) -> None:
    await world.begin()
    keep_flying = False
    for name, how in actions:
        try:
            if name == "deliver":
                for _ in range(how):
                    await world.deliver()
            elif name == "skip":                # the client loses records: only the guard can see it
                world.position = min(world.position + how, len(world.log))
            elif name == "repeat":
                world.position = max(world.position - how, world.first)
            elif name == "save":
                await world.save()
            elif name == "fail_send":
                world.fail_sends += 1
            elif name == "database":
                world.store.down = how
            elif name == "rebalance":
                if how:
                    await world.ledgers.revoked()
                await world.begin()
            elif name == "zombie":              # frozen, woken after another has taken over
                old, world.ledgers = world.ledgers, world.process()
                await world.begin()
                for ledger in list(old.owned.values()):
                    await old.save(ledger)      # refused: so it takes the partition again, until it learns that it has lost it
                await old.assigned([])
                await asyncio.gather(*old._tasks)
                world.paused = False            # that was another client's pause
            else:
                world.crash_at, keep_flying = how[:2], how[2]
        except Crash:
            await world.restart(keep_flying)
    await world.tasks()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ACTIONS, max_size=25))
def test_nothing_lost_nothing_new(actions: list[tuple[str, Any]]) -> None:
    """Whatever happens on the way: the same state, the same set of things said, nothing acknowledged ahead of its snapshot."""
    world = World()

    async def run() -> None:
        try:
            await play(world, actions)
        except Crash:
            await world.restart(False)
        await world.settle()

    asyncio.run(run())
    said, state = uninterrupted()
    assert world.store.page == state
    assert set(world.kafka) == set(said)
    assert list(dict.fromkeys(world.kafka)) == said     # repeats come after the first saying, never a new order


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 2, 7])
async def test_kill_at_each_point(point: str, times: int) -> None:
    """Killed at any point, at any time, with nothing in flight saved: the next process says the rest."""
    world = World()
    await world.begin()
    world.crash_at = (point, times)
    killed = False
    for _ in range(len(LOG)):
        try:
            await world.deliver()
            await world.save()
        except Crash:
            killed = True
            await world.restart(False)
    assert killed
    await world.settle()
    assert (list(dict.fromkeys(world.kafka)), world.store.page) == uninterrupted()


async def test_a_hole_applies_nothing_and_goes_back() -> None:
    """A record above the expected offset changes nothing and is not acknowledged; the partition is read again from there."""
    world = World()
    await world.begin()
    await world.deliver()
    world.position = 5
    await world.deliver()
    ledger = world.ledgers.owned[PLACE]
    assert (ledger.next, len(ledger.pending), world.paused) == (1, 1, False) or ledger.going_back
    await world.tasks()
    assert (world.position, world.paused, world.ledgers.counts["holes"]) == (1, False, 1)


async def test_a_save_in_the_middle_of_a_record_waits_for_what_it_says() -> None:
    """A snapshot never holds a record whose events are not all handed to the producer yet."""
    world = World()
    await world.begin()
    gate = asyncio.Event()
    send = world.send

    async def slow(out: Out) -> Awaitable[Any]:
        await gate.wait()
        return await send(out)

    world.send = slow                           # type: ignore[method-assign]
    record = asyncio.ensure_future(world.deliver())
    await asyncio.sleep(0)
    save = asyncio.ensure_future(world.save())
    await asyncio.sleep(0.02)
    assert world.store.applied == -1
    gate.set()
    await asyncio.gather(record, save)
    await world.save()
    assert (world.store.applied, world.kafka) == (0, uninterrupted()[0][:1])


async def test_records_wait_for_a_state_that_is_being_loaded() -> None:
    """Faust opens its flow while the handler of an assignment still loads: no record may pass by meanwhile."""
    world = World()
    loading = asyncio.ensure_future(world.ledgers.assigned([PLACE]))
    await asyncio.sleep(0)
    await world.deliver()
    await loading
    assert world.ledgers.owned[PLACE].next == 1


async def test_an_older_epoch_is_refused_and_taken_again() -> None:
    """A frozen owner that wakes up writes nothing, and begins anew with a newer epoch."""
    world = World()
    await world.begin()
    await world.deliver()
    old = world.ledgers.owned[PLACE]
    world.store.open(PLACE)                     # somebody else became the owner
    await world.save()
    assert (world.store.applied, world.ledgers.counts["refused"], old.current) == (-1, 1, False)
    assert world.ledgers.owned[PLACE].epoch == 3


async def test_database_away_judging_goes_on_until_the_cap() -> None:
    """With the database away records are applied and wait unacknowledged; at the cap judging waits until it is back."""
    world = World()
    world.ledgers.unsaved = 5
    await world.begin()
    world.store.down = True
    for _ in range(5):
        await world.deliver()
    await world.save()
    ledger = world.ledgers.owned[PLACE]
    assert (ledger.next, world.committed, len(ledger.pending), ledger.work.given_back) == (5, -1, 5, 1)     # type: ignore[attr-defined]
    sixth = asyncio.ensure_future(world.deliver())
    await asyncio.sleep(0.05)
    assert not sixth.done()
    world.store.down = False
    await sixth
    assert world.committed == 5


async def test_poison_is_refused_after_three_times() -> None:
    """A record that the state itself fails on is told to rejects and passed over, and the half-made state is thrown away."""
    world = World([b"v1", b"poison", b"v2"])
    await world.begin()
    await world.settle()
    assert world.kafka == [b"0=2", b"poison", b"2=65"]
    assert world.ledgers.counts["retakes"] == 3


async def test_retention_that_ate_what_is_expected_is_accepted_loudly() -> None:
    """Records that the log no longer has cannot be waited for: the state goes on behind them, and counts the gap."""
    world = World()
    await world.begin()
    world.first = world.position = 4
    await world.deliver()
    await world.tasks()
    assert (world.ledgers.owned[PLACE].next, world.ledgers.counts["gaps"]) == (4, 1)


async def test_an_unacknowledged_event_is_said_again() -> None:
    """When Kafka does not take an event there is no snapshot of its record: the partition is taken again and judged again."""
    world = World()
    await world.begin()
    await world.deliver()
    world.fail_sends = 1
    await world.save()
    assert (world.store.applied, world.kafka) == (-1, [])
    await world.settle()
    assert (list(dict.fromkeys(world.kafka)), world.store.page) == uninterrupted()


async def test_revoked_saves_and_forgets() -> None:
    """When partitions go away what was judged is saved, and nothing is judged or acknowledged afterwards."""
    world = World()
    await world.begin()
    await world.deliver()
    await world.ledgers.revoked()
    assert (world.store.applied, world.committed, world.ledgers.owned) == (0, 0, {})
    await world.deliver()
    assert world.kafka == uninterrupted()[0][:1]


def test_fault_names() -> None:
    """A fault point that does not exist is an error of the call, not a test that kills nothing."""
    from streams.errors import UsageError

    for wrong in ("after_lunch", "after_ack:x"):
        with pytest.raises(UsageError, match="after_consume"):
            fault(wrong)


def test_a_ledger_starts_behind_what_is_applied() -> None:
    """The expected offset comes from the store alone (R4)."""
    world = World()
    assert Ledger(PLACE, Taken(3, 41), Sum(()), world, world.store).next == 42


async def test_an_assignment_keeps_nothing() -> None:
    """A partition that stays is loaded again with a new epoch (R2): the old book is closed."""
    world = World()
    await world.begin()
    await world.deliver()
    before = world.ledgers.owned[PLACE]
    await world.begin()
    after = world.ledgers.owned[PLACE]
    assert (before.current, after.epoch, after.next) == (False, 2, 0)
