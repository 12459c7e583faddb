"""The life of an alert: every move in every state, legal or refused with its reason."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.desk.alert import MOVES, Actor, Disposition, Facts, Move, Refused, State, after, level_of

DUTY, LEADER = Actor("duty", "值班员甲"), Actor("leader", "带班领导甲", True)
LEGAL = {
    Move.CALL: {s: State.CALLING for s in State if s is not State.CLOSED},
    Move.EXHAUST: {State.CALLING: State.OVERDUE},
    Move.COVER: {State.DETECTED: State.ANSWERED, State.CALLING: State.ANSWERED, State.OVERDUE: State.ANSWERED},
    Move.ANSWER: {State.DETECTED: State.ANSWERED, State.CALLING: State.ANSWERED, State.OVERDUE: State.ANSWERED},
    Move.ANSWER_FOR: {State.DETECTED: State.ANSWERED, State.CALLING: State.ANSWERED, State.OVERDUE: State.ANSWERED},
    Move.PASS: {State.CALLING: State.CALLING},
    Move.NEWS: {State.ANSWERED: State.ACTING, State.ACTING: State.ACTING, State.VERIFIED: State.ACTING},
    Move.HANDOVER: {State.ANSWERED: State.ANSWERED, State.ACTING: State.ACTING},
    Move.VERIFY: {State.ANSWERED: State.VERIFIED, State.ACTING: State.VERIFIED},
    Move.COMMENT: {s: s for s in State},
    Move.CLOSE: {State.ANSWERED: State.CLOSED, State.ACTING: State.CLOSED, State.VERIFIED: State.CLOSED},
    Move.REOPEN: {State.CLOSED: State.ACTING},
}


@pytest.mark.parametrize(("move", "state"), list(itertools.product(Move, State)))
def test_every_move_in_every_state(move: Move, state: State) -> None:
    """A move with all it needs is legal exactly where the table says so, and says why where it is not."""
    facts = Facts(state, mine=True, who="值班员丁", when=1, verdict="true")
    if state in LEGAL[move]:
        assert after(move, facts, DUTY, "已到现场查看", "true", "leader") is LEGAL[move][state]
        return
    with pytest.raises(Refused) as refused:
        after(move, facts, DUTY, "已到现场查看", "true", "leader")
    assert refused.value.key in ("err.closed", "err.raced", "err.open", "err.first", "err.verified")
    if refused.value.key == "err.raced":
        assert refused.value.values == {"who": "值班员丁", "time": 1}


def test_the_table_has_every_move() -> None:
    """No move is without a row, so none is legal by accident."""
    assert set(MOVES) == set(Move) == set(LEGAL)


@pytest.mark.parametrize(
    ("move", "facts", "actor", "reason", "outcome", "key"),
    [
        (Move.ANSWER, Facts(State.CALLING, mine=True), Actor(), "", "", "err.post"),
        (Move.ANSWER, Facts(State.CALLING), DUTY, "", "", "err.mine"),
        (Move.ANSWER, Facts(State.OVERDUE), DUTY, "", "", "err.mine"),
        (Move.ANSWER_FOR, Facts(State.CALLING), DUTY, " 电话 ", "", "err.reason"),
        (Move.PASS, Facts(State.CALLING), DUTY, "", "", "err.mine"),
        (Move.PASS, Facts(State.CALLING, mine=True, last_step=True), DUTY, "", "", "err.last"),
        (Move.NEWS, Facts(State.ANSWERED), DUTY, "好", "", "err.reason"),
        (Move.CLOSE, Facts(State.ACTING), DUTY, "巡查正常无险情", "", "err.disposition"),
        (Move.CLOSE, Facts(State.ACTING), DUTY, "巡查正常无险情", "maybe", "err.disposition"),
        (Move.CLOSE, Facts(State.ACTING), DUTY, "", "true", "err.reason"),
        (Move.CLOSE, Facts(State.ACTING, level=3), DUTY, "巡查正常无险情", "true", "err.over"),
        (Move.REOPEN, Facts(State.CLOSED), DUTY, "", "", "err.reason"),
        (Move.VERIFY, Facts(State.ACTING, peak=3, acted=frozenset({"duty"})), DUTY, "现场复核无险情", "true", "err.own"),
        (Move.VERIFY, Facts(State.ACTING, peak=3), DUTY, "现场复核无险情", "", "err.disposition"),
        (Move.VERIFY, Facts(State.ACTING, peak=3), DUTY, "", "true", "err.reason"),
        (Move.VERIFY, Facts(State.ACTING, offered="leader"), DUTY, "现场复核无险情", "true", "err.offered"),
        (Move.CLOSE, Facts(State.ACTING, peak=4), DUTY, "巡查正常无险情", "true", "err.unverified"),
        (Move.CLOSE, Facts(State.ACTING, peak=3), LEADER, "巡查正常无险情", "true", "err.unverified"),
        (Move.CLOSE, Facts(State.VERIFIED, peak=3, verdict="true"), DUTY, "巡查正常无险情", "false", "err.verdict"),
        (Move.CLOSE, Facts(State.VERIFIED, level=2, peak=3, verdict="true"), DUTY, "巡查正常无险情", "true", "err.over"),
        (Move.CLOSE, Facts(State.ACTING, waits=Refused("err.order")), LEADER, "巡查正常无险情", "true", "err.order"),
        (Move.HANDOVER, Facts(State.ACTING), DUTY, "水利局主责", "", "err.to"),
        (Move.COMMENT, Facts(State.CLOSED), DUTY, "  ", "", "err.empty"),
    ],
)
def test_refusals_say_why(move: Move, facts: Facts, actor: Actor, reason: str, outcome: str, key: str) -> None:
    """What a move needs and does not have is named."""
    with pytest.raises(Refused) as refused:
        after(move, facts, actor, reason, outcome)
    assert refused.value.key == key


@pytest.mark.parametrize("outcome", list(Disposition))
def test_a_leader_may_close_while_over_the_limit(outcome: Disposition) -> None:
    """Still over the limit, only a post that leads closes, with outcome and reason."""
    assert after(Move.CLOSE, Facts(State.ACTING, level=4), LEADER, "上级已接管处置", outcome) is State.CLOSED


def test_who_signed_in_counts_not_the_post() -> None:
    """Two people of one post may verify each other; one person in two posts may not verify himself."""
    facts = Facts(State.ACTING, peak=4, acted=frozenset({"a.wang"}))
    assert after(Move.VERIFY, facts, Actor("duty", account="b.li"), "现场复核无险情", "true") is State.VERIFIED
    with pytest.raises(Refused, match=r"err\.own"):
        after(Move.VERIFY, facts, Actor("leader", leader=True, account="a.wang"), "现场复核无险情", "true")


def test_what_is_handed_over_is_taken_by_its_post_alone() -> None:
    """The offered post answers and the state stays; another one is told who has it; nobody hands to himself or twice."""
    facts = Facts(State.ACTING, who="值班员丁", when=1, offered="leader", heir="带班领导甲")
    assert after(Move.ANSWER, facts, LEADER) is State.ACTING
    with pytest.raises(Refused, match=r"err\.raced"):
        after(Move.ANSWER, facts, DUTY)
    with pytest.raises(Refused, match=r"err\.offered"):
        after(Move.HANDOVER, facts, DUTY, "水利局主责", to="lanxi-water")
    with pytest.raises(Refused, match=r"err\.self"):
        after(Move.HANDOVER, Facts(State.ACTING), DUTY, "水利局主责", to="duty")


def test_a_leader_may_pass_on_for_others() -> None:
    """The leader may call the next post at once."""
    assert after(Move.PASS, Facts(State.CALLING), LEADER) is State.CALLING


EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans(), st.integers(0, 9), st.integers(0, 4)), max_size=8, unique_by=lambda e: e[:3]
)


@given(EVENTS, st.randoms())
def test_a_members_level_does_not_depend_on_the_order_of_arrival(
    events: list[tuple[int, int, bool, int, int]], random: object
) -> None:
    """Revisions and withdrawals may come in any order: the same events give the same level."""
    mixed = list(events)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert level_of(mixed) == level_of(events)


def test_a_withdrawn_rise_leaves_the_level_before_it() -> None:
    """yellow, red, red withdrawn: yellow again."""
    assert level_of([(0, 0, False, 5, 2), (1, 0, False, 6, 4)]) == 4
    assert level_of([(0, 0, False, 5, 2), (1, 0, False, 6, 4), (1, 1, True, 6, 4)]) == 2
    assert level_of([(0, 0, False, 5, 2), (0, 1, True, 5, 2)]) == 0


def test_what_a_rewind_finds_to_have_happened_earlier_does_not_stand_last() -> None:
    """Yellow, normal; then late readings tell of a red between them, under higher numbers: it is normal still."""
    assert level_of([(0, 0, False, 10, 2), (1, 0, False, 40, 0), (2, 0, False, 20, 4), (3, 0, False, 30, 2)]) == 0
