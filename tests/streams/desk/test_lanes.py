"""A gateway that hangs delays no other, nor one address its whole channel; what was answered while the database was away is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from time import sleep
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from streams import clock
from streams.desk.calling import lanes
from streams.desk.calling.deliver import LEASE, Deliverer
from streams.desk.channels import Message, Outcome, Result
from streams.desk.engine import Work
from streams.desk.meter import Meter
from streams.desk.tables import Delivery
from streams.metrics import Metrics


def until(holds: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    """Wait; a failure says what did not come."""
    end = clock.monotonic() + seconds
    while not holds():
        assert clock.monotonic() < end, f"not within {seconds} s: {what}"
        sleep(0.02)


class Gateway:
    """Takes everything; hangs until it is let go, for all addresses or for one."""

    def __init__(self, hangs: str | None = None) -> None:
        self.hangs, self.free, self.came, self.took = hangs, Event(), Event(), list[Message]()

    def send(self, message: Message, address: str) -> Outcome:
        """One call."""
        self.took.append(message)
        self.came.set()
        if self.hangs in ("*", address):
            self.free.wait(30)
        return Outcome(Result.SENT)


@pytest.fixture
def deliverer(bench: Any) -> Iterator[Callable[..., Deliverer]]:
    """Makes deliverers over channels; they and their gateways are let go at the end."""
    made: list[tuple[Deliverer, Any]] = []

    def make(**given: Any) -> Deliverer:
        made.append((Deliverer(bench.store, given, lambda: bench.m, "", Metrics()), given))
        return made[-1][0]

    yield make
    for one, given in made:
        for gateway in given.values():
            gateway.free.set()
        one.close()


def calls(bench: Any, change: Callable[..., Any], *rows: tuple[str, str], level: int = 2) -> list[str]:
    """A delivery for each (channel, address), due now; their keys. No other delivery waits any more."""
    bench.put(first := change("river_level", "lanxi", 2))
    with bench.store.begin() as s:
        s.execute(update(Delivery).where(Delivery.state == "pending", Delivery.attempts == 0).values(state="dropped"))
        made = [Delivery(key=f"{level}-{channel}-{address}-{n}", alert=first.alert, run=1, n=1, channel=channel, post=f"post {n}",
                         state="pending", address=address, level=level, scope="real", text="x", next_at=bench.now,
                         created=bench.now, until=bench.now + 60_000_000) for n, (channel, address) in enumerate(rows)]
        s.add_all(made)
        return [d.key for d in made]


def state(bench: Any, key: str) -> tuple[str, int]:
    """Where a delivery stands, and its attempts."""
    with bench.store.read() as s:
        row = s.get_one(Delivery, key)
        return row.state, row.attempts


def test_a_gateway_that_hangs_delays_no_other(bench: Any, change: Any, deliverer: Any) -> None:
    """The desk's own thread goes on sending over the other channels, round after round."""
    slow, quick = Gateway("*"), Gateway()
    meter = Meter(bench.store, Metrics(), lambda: bench.names, lambda: bench.now)
    work = Work(bench.store, None, deliverer(slow=slow, quick=quick), meter, lambda: bench.m)
    calls(bench, change, ("slow", "a"))
    work.start()
    try:
        assert slow.came.wait(10)
        for n in range(3):
            key = calls(bench, change, ("quick", f"{n}"))[0]
            until(lambda key=key: state(bench, key) == ("sent", 1), "the other channel sent")
        assert not slow.free.is_set()
    finally:
        slow.free.set()
        work.close()


def test_one_address_that_hangs_leaves_room_for_the_others(bench: Any, change: Any, deliverer: Any) -> None:
    """Twenty messages wait for a dead address: one to another leaves at once, and a red to the dead one too."""
    hook = Gateway("dead")
    sender = deliverer(hook=hook)
    keys = calls(bench, change, *[("hook", "dead")] * 20)
    sender.start()
    sender.start()
    until(lambda: len(hook.took) == lanes.EACH, "so many are under way")
    other = calls(bench, change, ("hook", "alive"))[0]
    with bench.store.begin() as s:
        s.execute(update(Delivery).where(Delivery.key.in_(keys), Delivery.attempts == 0).values(state="pending"))
    for one in sender.start():
        one.result(10)
    assert state(bench, other) == ("sent", 1) and len(hook.took) == lanes.EACH + 1
    red = calls(bench, change, ("hook", "dead"), level=4)[0]
    sender.start()
    until(lambda: hook.took[-1].key == red, "red has places of its own")


def test_what_is_in_hand_is_not_taken_again(bench: Any, change: Any, deliverer: Any) -> None:
    """A call that is still under way when its lease ends is not begun a second time by the same desk."""
    slow = Gateway("*")
    sender = deliverer(slow=slow)
    key = calls(bench, change, ("slow", "a"))[0]
    sender.start()
    assert slow.came.wait(10)
    bench.now += (LEASE + 5) * 1_000_000
    assert sender.start() == []
    slow.free.set()
    until(lambda: state(bench, key) == ("sent", 1), "sent once")
    assert len(slow.took) == 1


def test_an_answer_is_kept_while_the_database_is_away(bench: Any, change: Any, deliverer: Any, monkeypatch: Any) -> None:
    """The gateway took it, the row could not be written: it is written later, and the message is not sent twice."""
    hook = Gateway()
    sender = deliverer(hook=hook)
    key = calls(bench, change, ("hook", "a"))[0]
    settle, away = sender._settle, [True, True]

    def fails(*given: Any) -> None:
        if away:
            away.pop()
            raise OperationalError("x", {}, Exception("the database is away"))
        settle(*given)

    monkeypatch.setattr(sender, "_settle", fails)
    assert sender.pump() == 1 and not away
    assert state(bench, key) == ("sent", 1) and len(hook.took) == 1
