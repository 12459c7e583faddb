"""Storm folding and rates: few messages, none lost, red at once, no vendor's limit ever passed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from detectors.event import Change
from detectors.pack import Fold
from streams.desk.calling import outbox
from streams.desk.calling.rates import MICRO, Bucket
from streams.desk.channels import Declared, Outcome, Result
from streams.desk.messages.storm import Due, Gathered, Told, gather
from streams.desk.tables import Alert, Audit, Delivery

Make = Callable[..., Change]
S = MICRO
ARRIVALS = st.lists(st.tuples(st.integers(0, 59_900), st.integers(1, 4), st.sampled_from([40, 120, 300, 900])), max_size=60)


def play(arrivals: list[tuple[int, int, int]], more: int = 3) -> tuple[list[tuple[int, tuple[str, ...]]], dict[str, tuple[int, int, int]]]:
    """`(ms, level, seconds to answer)` through gather, a look every 200 ms; messages `(when, keys)`, and key -> (made, level, until)."""
    made = {f"k{n}": (ms * 1000, level, ms * 1000 + span * S) for n, (ms, level, span) in enumerate(sorted(arrivals))}
    held: dict[str, int] = {}
    sent: list[tuple[int, tuple[str, ...]]] = []
    gone: set[str] = set()
    for now in range(0, 130 * S, S // 5):
        waiting = [Due(k, level, at, until, held.get(k, at), k in held)
                   for k, (at, level, until) in made.items() if at <= now and k not in gone]
        if not waiting:
            continue
        plan = gather(waiting, [Told(at, len(keys)) for at, keys in sent], now, more)
        for keys in plan.now:
            sent.append((now, keys))
            gone.update(keys)
        held = plan.held | {k: at for k, at in held.items() if k not in gone}
    return sent, made


@settings(max_examples=120, deadline=None)
@given(arrivals=ARRIVALS, more=st.integers(1, 5))
def test_none_is_lost_and_none_is_told_twice(arrivals: list[tuple[int, int, int]], more: int) -> None:
    """Each call is in one message; the worst of a message comes first; nothing waits longer than a window and a quarter of its time."""
    sent, made = play(arrivals, more)
    told = [key for _, keys in sent for key in keys]

    assert sorted(told) == sorted(made)
    for at, keys in sent:
        assert [made[k][1] for k in keys] == sorted((made[k][1] for k in keys), reverse=True)
        for key in keys:
            begun, level, until = made[key]
            assert at - begun <= (S // 5 if level == 4 else min(30 * S, (until - begun) // 4) + S // 5), key


@settings(max_examples=120, deadline=None)
@given(arrivals=st.lists(st.tuples(st.integers(0, 29_700), st.integers(1, 3)), max_size=80), more=st.integers(2, 5))
def test_a_storm_of_one_window_is_at_most_so_many_messages(arrivals: list[tuple[int, int]], more: int) -> None:
    """However they come within 30 s, a post gets at most `more` messages; and where there are not more calls than that, each is its own."""
    sent, made = play([(ms, level, 900) for ms, level in arrivals], more)

    assert len(sent) <= more
    if len(made) <= more:
        assert all(len(keys) == 1 for _, keys in sent)


def test_what_is_calm_goes_at_once() -> None:
    """Two in half a minute leave as they come; so do any that are a window apart."""
    assert [at for at, _ in play([(0, 2, 300), (5000, 3, 300)])[0]] == [0, 5 * S]
    assert [at for at, _ in play([(0, 2, 300), (31_000, 3, 300), (62_000, 1, 300)])[0]] == [0, 31 * S, 62 * S]


def test_red_in_a_storm_goes_at_once_and_takes_the_others_along() -> None:
    """With no room left a red leads a message of all that wait; with room it is alone."""
    waiting = [Due(f"k{n}", 2, 0, 900 * S, 30 * S, True) for n in range(9)]
    red = Due("red", 4, 5 * S, 300 * S, 5 * S)
    full = [Told(0), Told(1)]

    assert gather([*waiting, red], full, 5 * S).now[0][0] == "red" and len(gather([*waiting, red], full, 5 * S).now[0]) == 10
    assert gather([red], [], 5 * S) == Gathered((("red",),), {})
    assert gather(waiting, full, 5 * S).now == ()


@settings(max_examples=200, deadline=None)
@given(
    asks=st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), max_size=150),
    limits=st.lists(st.tuples(st.integers(1, 25), st.floats(0.5, 60)), min_size=1, max_size=2),
)
def test_no_stretch_of_time_has_more_than_the_limit(asks: list[tuple[int, bool]], limits: list[tuple[int, float]]) -> None:
    """The vendor counts in any window; a time that was promised holds, and red is served while others wait."""
    bucket, now, spent = Bucket(tuple(limits)), 0, []
    for wait, urgent in asks:
        now += wait * 1000
        free = bucket.take(now, urgent)
        if free == now:
            spent.append(now)
        else:
            assert free > now and Bucket(tuple(limits), spent).take(free, urgent) == free
            assert urgent or bucket.take(now, False) == free
    for most, per in limits:
        assert all(later - first >= round(per * MICRO) for first, later in zip(spent, spent[most:], strict=False))


def test_a_part_is_left_for_red_and_a_shut_address_is_left_alone() -> None:
    """Of twenty, four are red's own; "later" holds for red too."""
    bucket = Bucket(((20, 60.0),))
    assert [bucket.take(0) for _ in range(17)] == [0] * 16 + [60 * S]
    assert [bucket.take(0, True) for _ in range(5)] == [0] * 4 + [60 * S]
    bucket.shut_until(90 * S)
    assert bucket.take(70 * S, True) == 90 * S and bucket.take(90 * S, True) == 90 * S


def one(change: Make, bench: Any, indicator: str, site: str, level: int, n: int, scope: str = "real") -> Change:
    """A warning of its own, beside others of the same site."""
    made = change(indicator, site, level, detector=f"basin/d{n}", time=bench.now, scope=scope)
    return replace(made, group=f"basin/g{n}")


class Robot:
    """Takes what comes, counts as a vendor does: more than 20 in any minute would be a ban."""

    declared = Declared(rates=((20, 60.0),))

    def __init__(self, *outcomes: Outcome) -> None:
        self.took: list[Any] = []
        self.outcomes = list(outcomes)

    def send(self, message: Any, address: str) -> Outcome:
        """Taken, unless told otherwise."""
        self.took.append(message)
        times = [m.at for m in self.took]
        assert all(b - a >= 60 * S for a, b in zip(times, times[20:], strict=False)), "banned for ten minutes"
        return self.outcomes.pop(0) if self.outcomes else Outcome(Result.SENT)


def storm(bench: Any, change: Make, count: int, spread: int = 0, level: int = 2) -> None:
    """So many stations of one post rise within `spread` seconds; the outbox is looked at once a second."""
    batch = count // max(spread, 1)
    for first in range(0, count, batch):
        bench.put(*(one(change, bench, "river_level", "lanxi", level, n) for n in range(first, first + batch)))
        if spread:
            bench.deliver(log=bench.robot)
            bench.now += 1_000_000


@pytest.mark.parametrize("spread", [0, 25])
def test_500_stations_are_three_messages_at_most(bench: Any, change: Make, spread: int) -> None:
    """At once or over half a minute: three messages, every delivery is sent and points to the message that spoke for it."""
    bench.robot = Robot()
    storm(bench, change, 500, spread)
    end = bench.now + 35_000_000
    while bench.now < end:
        bench.deliver(log=bench.robot)
        bench.now += 1_000_000

    assert 1 <= len(bench.robot.took) <= 3
    with bench.store.read() as s:
        rows = s.scalars(select(Delivery)).all()
        assert len(rows) == 500 and {(d.state, d.receipt) for d in rows} == {("sent", "sent")}
        spoken = {d.folded or d.key for d in rows}
        assert spoken == {m.key for m in bench.robot.took}
        told = [pair for m in bench.robot.took for pair in m.speaks_for or [(m.key, m.alert)]]
        assert sorted(told) == sorted((d.key, d.alert) for d in rows)
    last = bench.robot.took[-1].text
    assert "条预警：黄 " in last and last.count("兰溪站 河道水位") == 3


def test_many_reds_wait_only_for_the_vendors_limit(bench: Any, change: Make) -> None:
    """Reds one by one, faster than the robot may speak: none waits for a window, none is lost, the limit holds."""
    bench.robot = Robot()
    for n in range(40):
        bench.put(one(change, bench, "methane", "renmin", 4, n))
        bench.deliver(log=bench.robot)
        bench.now += 1_000_000
    assert [m.at - bench.robot.took[0].at for m in bench.robot.took[:20]] == [n * S for n in range(20)]
    while bench.deliver(log=bench.robot) or bench.now < bench.robot.took[0].at + 70 * S:
        bench.now += 1_000_000
    with bench.store.read() as s:
        assert set(s.scalars(select(Delivery.state).where(Delivery.n == 1))) == {"sent"}


def test_an_answer_to_the_carrier_does_not_silence_the_others(bench: Any, change: Make) -> None:
    """The folded message was refused, its first alert is answered meanwhile: the next attempt is led by another, marked 重发."""
    bench.robot = Robot(Outcome(Result.AGAIN, "HTTP 500"))
    storm(bench, change, 10)
    bench.deliver(log=bench.robot)
    with bench.store.read() as s:
        carrier = s.scalars(select(Delivery).where(Delivery.key == bench.robot.took[0].key)).one()
    bench.do(carrier.alert, "answer", carrier.post)
    bench.now += 3_000_000
    bench.deliver(log=bench.robot)

    assert [m.again for m in bench.robot.took] == [False, True]
    assert bench.robot.took[1].key != carrier.key and "9 条预警" in bench.robot.took[1].text
    with bench.store.read() as s:
        states = [d.state for d in s.scalars(select(Delivery))]
        assert sorted(states) == ["dropped"] + ["sent"] * 9


def test_a_drill_is_never_in_one_message_with_what_is_real(bench: Any, change: Make) -> None:
    """Two scopes, two messages; the drill's begins with its mark."""
    bench.robot = Robot()
    storm(bench, change, 6)
    for n in range(6):
        bench.put(one(change, bench, "river_level", "sanhe", 2, n, scope="exercise"))
    bench.deliver(log=bench.robot)

    texts = sorted(m.text for m in bench.robot.took)
    assert [t.startswith("[演练] ") for t in texts] == [True, False] and all("6 条预警" in t for t in texts)


def test_a_new_leader_knows_what_was_spent(bench: Any, change: Make) -> None:
    """Each round here is a new process; the vendor's limit holds all the same."""
    bench.robot = Robot()
    object.__setattr__(bench.names.city, "fold", Fold(1000))
    for n in range(30):
        bench.put(one(change, bench, "methane", "renmin", 4, n))
        bench.now += 100_000
        bench.deliver(log=bench.robot)

    assert len(bench.robot.took) == 20
    with bench.store.read() as s:
        waits = s.scalars(select(Delivery).where(Delivery.state == "pending")).all()
        assert len(waits) == 10 and {(d.attempts, d.next_at) for d in waits} == {(0, bench.robot.took[0].at + 60 * S)}


def test_a_pause_that_was_asked_for_is_kept_for_the_whole_address(bench: Any, change: Make) -> None:
    """429 with Retry-After 40: that message and the next to the same address come 40 s later, not before."""
    from streams.desk.calling.deliver import Deliverer
    from streams.metrics import Metrics

    robot = Robot(Outcome(Result.AGAIN, "HTTP 429", 40.0))
    deliverer = Deliverer(bench.store, {"log": robot}, lambda: bench.m, "", Metrics())
    bench.put(change("methane", "renmin", 4))
    deliverer.pump()
    bench.now += 5_000_000
    bench.put(one(change, bench, "methane", "renmin", 4, 1))
    assert deliverer.pump() == 0
    bench.now += 35_000_000
    assert deliverer.pump() == 2
    deliverer.close()


def test_rows_of_one_message_move_together(bench: Any, change: Make) -> None:
    """What is refused for good parks all of its calls, so that a person sees each; the joining is in the audit."""
    bench.robot = Robot(Outcome(Result.NEVER, "HTTP 404"))
    storm(bench, change, 5)
    bench.deliver(log=bench.robot)

    with bench.store.begin() as s:
        assert {d.state for d in s.scalars(select(Delivery))} == {"parked"}
        assert s.scalars(select(Audit).where(Audit.act == "folded")).one().what["n"] == 5
        assert s.scalar(select(Audit.seq).where(Audit.act == "delivery").limit(1))
        s.execute(update(Alert).values(rev=0))
        key = bench.robot.took[0].key
        assert len(outbox.together(s, key)) == 5 and outbox.together(s, "none") == []
