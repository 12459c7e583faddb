"""An alert under any sequence of acts, events and waiting: no illegal state, one audit row an act, closed alerts call nobody."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import func, select

from detectors.event import Change
from streams.desk import acts
from streams.desk.alert import Disposition, Move, Refused, State
from streams.desk.store import broken
from streams.desk.tables import Audit, Delivery, Rung

Make = Callable[..., Change]
POSTS = ("lanxi-water", "duty", "leader", "wucheng", "")
WHY = "现场复核无险情"


def close_by_two(bench: Any, id_: str) -> None:
    """Verified by the leader, closed by the duty officer."""
    bench.do(id_, "verify", "leader", WHY, "true")
    bench.do(id_, "close", "duty", "水位回落无险情", "true")


def test_red_goes_through_all_seven_steps(bench: Any, change: Make) -> None:
    """Detected, sent, received, answered, acted on, verified by another, closed; the outcome is counted for its detector."""
    from streams.desk.meter import Meter
    from streams.metrics import Metrics

    metrics = Metrics()
    meter = Meter(bench.store, metrics, lambda: bench.names, lambda: bench.now)
    bench.put(red := change("river_level", "lanxi", 4))
    bench.deliver()
    bench.receipts("received")
    bench.do(red.alert, "answer", "lanxi-water")
    bench.do(red.alert, "news", "lanxi-water", "巡堤 3 组已出发")
    bench.put(change("river_level", "lanxi", 0, 4, 1, onset=red.time))
    for move, post, outcome, key in (("close", "leader", "true", "err.unverified"), ("verify", "lanxi-water", "true", "err.own"),
                                     ("verify", "duty", "", "err.disposition")):
        with pytest.raises(Refused) as refused:
            bench.do(red.alert, move, post, WHY, outcome)
        assert refused.value.key == key
    close_by_two(bench, red.alert)
    meter.catch_up()

    a = bench.alert(red.alert)
    assert (a.state, a.verified_by, a.closed_by, a.disposition, a.peak) == ("closed", "leader", "duty", "true", 4)
    assert bench.acts(red.alert)[-2:] == ["verified", "closed"]
    counted = {tuple(x.labels.values()): x.value for f in metrics.registry.collect() for x in f.samples
               if x.name == "wanglou_outcomes_total"}
    assert counted == {("basin", "basin/river_level-stage", "true"): 1.0}


def test_an_outcome_once_verified_is_changed_only_by_going_back(bench: Any, change: Make) -> None:
    """Closing with another outcome is refused; news voids the verification."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    bench.do(orange.alert, "verify", "leader", WHY, "true")
    with pytest.raises(Refused, match=r"err\.verdict"):
        bench.do(orange.alert, "close", "leader", WHY, "false")
    bench.do(orange.alert, "news", "lanxi-water", "复测后发现探头进水")
    assert bench.alert(orange.alert).verified is None
    with pytest.raises(Refused, match=r"err\.unverified"):
        bench.do(orange.alert, "close", "leader", WHY, "fault")


def test_a_higher_level_is_the_same_alert_with_a_new_ladder_and_voids_what_was_verified(bench: Any, change: Make) -> None:
    """Verified as orange, then red: calling again from its first step, unverified."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    bench.do(orange.alert, "verify", "leader", WHY, "true")
    bench.put(change("river_level", "lanxi", 4, 3, 1, onset=orange.time))

    a = bench.alert(orange.alert)
    assert (a.state, a.run, a.verified, a.peak) == ("calling", 2, None, 4)
    assert bench.steps(orange.alert)[0] == (1, "lanxi-water", "called")


def test_handed_over(bench: Any, change: Make) -> None:
    """The new post is called at once; until it answers the alert stays where it was; then it is theirs."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    with bench.store.begin() as s:
        acts.perform(s, orange.alert, Move.HANDOVER, bench.names.actor("lanxi-water"), bench.m, "主责是值班室", to="duty")
    assert bench.steps(orange.alert)[-1] == (3, "duty", "called")
    assert bench.alert(orange.alert).answered_by == "lanxi-water" and bench.deliver() == 1
    bench.do(orange.alert, "answer", "duty")

    a = bench.alert(orange.alert)
    assert (a.answered_by, a.offered, a.state) == ("duty", "", "answered")
    assert bench.acts(orange.alert)[-1] == "taken" and bench.steps(orange.alert)[-1] == (3, "duty", "answered")


def test_what_nobody_takes_comes_back(bench: Any, change: Make) -> None:
    """In its time: the giver has it still, and it is up as without news."""
    from streams.desk.meter import idle

    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    with bench.store.begin() as s:
        acts.perform(s, orange.alert, Move.HANDOVER, bench.names.actor("lanxi-water"), bench.m, "主责是值班室", to="wucheng")
    bench.pass_time(302)

    a = bench.alert(orange.alert)
    assert (a.answered_by, a.offered) == ("lanxi-water", "") and idle(a, bench.now)
    assert bench.acts(orange.alert)[-2:] == ["returned", "idle"]


@pytest.mark.parametrize(("level", "seconds"), [(4, 1800), (3, 3600), (2, 14_400), (1, 86_400)])
def test_an_answer_without_news_comes_back(bench: Any, change: Make, level: int, seconds: int) -> None:
    """By level, once; nobody is called for it; news with a time of its own moves it."""
    from streams.desk.calling import calls
    from streams.desk.meter import idle

    def later(by: float) -> Any:
        bench.now += round(by * 1e6)
        with bench.store.begin() as s:
            calls.walk(s, bench.m)
        return bench.alert(one.alert)

    bench.put(one := change("river_level", "lanxi", level))
    bench.do(one.alert, "answer_for", "leader", "电话联系上了值班员")
    assert not idle(later(seconds - 1), bench.now)
    assert idle(later(1), bench.now) and idle(later(5), bench.now)
    assert bench.acts(one.alert).count("idle") == 1 and bench.acts(one.alert)[-1] == "idle"
    with bench.store.begin() as s:
        acts.perform(s, one.alert, Move.NEWS, bench.names.actor("leader"), bench.m, "两小时后再报一次", within=7200)
    assert not idle(later(7199), bench.now)
    assert idle(later(1), bench.now)


def test_a_work_order_that_is_out_keeps_it_open(bench: Any, change: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another room of the desk holds back cannot be closed, and says why."""
    monkeypatch.setattr(acts, "HOLDS", [lambda s, a: Refused("err.order", order="141-7")])
    bench.put(blue := change("river_level", "lanxi", 1))
    bench.do(blue.alert, "answer", "duty")
    with pytest.raises(Refused, match="141-7"):
        bench.do(blue.alert, "close", "leader", WHY, "true")


@pytest.fixture(autouse=True)
def kit(bench: Any, city: Any, change: Make) -> None:
    """What the state machine, which takes no fixtures, is made of."""
    Life.kit = (lambda folder: type(bench)(f"sqlite:///{folder}/desk.db", city)), change


class Life(RuleBasedStateMachine):
    """One desk, one series, people who try everything."""

    kit: Any

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.bench, self.make = self.kit[0](self.folder.name), self.kit[1]
        self.bench.put(first := self.make("river_level", "lanxi", 2))
        self.id, self.seq, self.level, self.onset = first.alert, 0, 2, first.time

    def teardown(self) -> None:
        """Give the database back."""
        self.bench.store.close()
        self.folder.cleanup()

    def rows(self) -> int:
        """Audit rows of all."""
        with self.bench.store.read() as s:
            return s.scalar(select(func.count()).select_from(Audit)) or 0

    @rule(move=st.sampled_from(acts.MOVES), post=st.sampled_from(POSTS), reason=st.sampled_from((WHY, "好", "")),
          outcome=st.sampled_from((*Disposition, "")), to=st.sampled_from(("", "duty", "leader", "nobody")))
    def act(self, move: Move, post: str, reason: str, outcome: str, to: str) -> None:
        """A deed is done whole, with its row, or refused and leaves nothing."""
        before, state, actor = self.rows(), self.bench.alert(self.id), self.bench.names.actor(post)
        try:
            with self.bench.store.begin() as s:
                acts.perform(s, self.id, move, actor, self.bench.m, reason, outcome, to)
        except Refused:
            assert self.rows() == before
            return
        with self.bench.store.read() as s:
            said = [r.act for r in s.scalars(select(Audit).where(Audit.seq > before).order_by(Audit.seq)) if r.post == post]
        named = {"answer": ("answered", "taken"), "answer_for": ("answered",), "pass": ("passed",), "news": ("news",),
                 "handover": ("handed",), "verify": ("verified",), "comment": ("comment",), "close": ("closed",),
                 "reopen": ("reopened",)}[move.value]
        assert sum(act in named for act in said) == 1
        now = self.bench.alert(self.id)
        if move is Move.CLOSE and state.peak >= 3:
            assert state.verified is not None and state.disposition == now.disposition
        if move is Move.CLOSE and state.level:
            assert actor.leader
        if move is Move.VERIFY and state.peak >= 3:
            with self.bench.store.read() as s:
                news = set(s.scalars(select(Audit.post).where(Audit.alert == self.id, Audit.act == "news")))
            assert post not in news

    @rule(to=st.integers(0, 4))
    def measured(self, to: int) -> None:
        """The level goes up or down."""
        if to != self.level:
            self.seq, before, self.level = self.seq + 1, self.level, to
            self.bench.now += 1_000_000
            self.bench.put(self.make("river_level", "lanxi", to, before, self.seq, self.bench.now, self.onset))

    @rule(seconds=st.sampled_from((1, 61, 2000)))
    def waits(self, seconds: int) -> None:
        """Time passes; the ladder is walked and the outbox emptied."""
        from streams.desk.calling import calls

        for part in (seconds / 2, seconds / 2):
            self.bench.now += round(part * 1e6)
            with self.bench.store.begin() as s:
                calls.walk(s, self.bench.m)
        self.bench.deliver()

    @precondition(lambda self: not self.bench.alert(self.id).open)
    @rule()
    def is_left_alone_when_closed(self) -> None:
        """However long: nobody is called."""
        with self.bench.store.read() as s:
            before = s.scalar(select(func.count()).select_from(Delivery))
        self.waits(2000)
        with self.bench.store.read() as s:
            assert s.scalar(select(func.count()).select_from(Delivery)) == before

    @invariant()
    def is_whole(self) -> None:
        """State and rows say the same; the chain holds."""
        a = self.bench.alert(self.id)
        assert a.open == (a.state != State.CLOSED)
        assert (a.verified is not None) == (a.state == State.VERIFIED) or a.state == State.CLOSED
        assert not a.offered or a.state in (State.ANSWERED, State.ACTING)
        with self.bench.store.read() as s:
            assert broken(s) == 0
            live = list(s.scalars(select(Rung.state).where(Rung.alert == a.id, Rung.state.in_(("waiting", "called", "suspended")))))
            pending = s.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "pending"))
        if a.state not in (State.CALLING,) and not a.offered:
            assert live == [] and pending == 0
        if a.state == State.CLOSED:
            assert a.disposition in set(Disposition) and len(a.reason) >= 5


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=30, deadline=None,
                             suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def test_one_answer_for_several(change: Make, night: Any, tmp_path: Path) -> None:
    """As itself where the post was called, for the others with the reason; what is refused is named, the rest is done."""
    from starlette.testclient import TestClient

    from streams.desk.api.app import make_app

    own, site = night(tmp_path, fill=False)
    client = TestClient(make_app(site), cookies={"post": "duty"})
    own.put(blue := change("river_level", "lanxi", 1, time=own.now), red := change("methane", "renmin", 4, time=own.now))
    ids = f"{blue.alert},{red.alert},nothing"
    said = client.post("/answers", json={"ids": ids, "reason": "好"}).json()
    assert said["done"] == [blue.alert] and set(said["refused"]) == {red.alert, "nothing"}
    said = client.post("/answers", json={"ids": red.alert, "reason": "电话联系上了值班员"}).json()

    assert said == {"ok": True, "done": [red.alert], "refused": {}}
    assert own.alert(blue.alert).answered_by == own.alert(red.alert).answered_by == "duty"
