"""A ladder walked with a hand-turned clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.pack import Ladder, Step, Text
from streams.desk.calling.ladder import (
    MICRO,
    Rung,
    begin,
    current,
    ended,
    exhausted,
    following,
    handed_on,
    resumed,
    satisfied,
    suspended,
    walk,
)

LADDER = Ladder("l", Text("三棒"), (Step("a", ("log",), 60), Step("b", ("log", "webhook"), 30), Step("c", ("log",), 10)))


def states(steps: tuple[object, ...]) -> list[str]:
    """Their states."""
    return [s.state.value for s in steps]  # type: ignore[attr-defined]


def at(seconds: float) -> int:
    """µs."""
    return round(seconds * MICRO)


def test_one_post_after_the_other() -> None:
    """Each rung is called when the one before it ran out, has its full time, and after the last the ladder is exhausted."""
    steps = walk(begin(LADDER, 0), 0)
    assert states(steps) == ["called", "waiting", "waiting"]
    assert [s.due_at for s in steps] == [0, at(60), at(90)]

    assert states(walk(steps, at(59.9))) == ["called", "waiting", "waiting"]
    steps = walk(steps, at(60))
    assert states(steps) == ["expired", "called", "waiting"] and current(steps).until == at(90)  # type: ignore[union-attr]
    steps = walk(walk(steps, at(90)), at(100))
    assert states(steps) == ["expired"] * 3 and exhausted(steps)


def test_a_desk_that_was_down_calls_one_post_not_all() -> None:
    """Long after all rungs were due, one is called, with its full time from now."""
    steps = walk(walk(begin(LADDER, 0), 0), at(1000))

    assert states(steps) == ["expired", "called", "waiting"]
    assert current(steps).until == at(1030) and following(steps).due_at == at(1030)  # type: ignore[union-attr]


def test_repeat_climbs_the_ladder_again() -> None:
    """`repeat: 2` has six rungs."""
    steps = begin(Ladder("l", Text(""), LADDER.steps, 2), 0)

    assert [s.post for s in steps] == ["a", "b", "c", "a", "b", "c"] and {s.of for s in steps} == {6}


def test_handed_on_calls_the_next_at_once() -> None:
    """Not me: the next rung is due now."""
    steps = walk(handed_on(walk(begin(LADDER, 0), 0), at(5)), at(5))

    assert states(steps) == ["passed", "called", "waiting"] and current(steps).until == at(35)  # type: ignore[union-attr]


def test_an_answer_ends_every_later_rung() -> None:
    """The called rung is answered, the others are stopped, and no walk calls anybody again."""
    steps = ended(walk(begin(LADDER, 0), 0), True)

    assert states(steps) == ["answered", "stopped", "stopped"]
    assert walk(steps, at(10_000)) == steps and not exhausted(steps)


def test_suspended_rungs_resume_where_they_were_with_fresh_time() -> None:
    """Under a covering alert nothing is due; afterwards the same rung is called again with its full time."""
    steps = suspended(walk(walk(begin(LADDER, 0), 0), at(60)))
    assert states(steps) == ["expired", "suspended", "suspended"]
    assert walk(steps, at(500)) == steps

    steps = walk(resumed(steps, at(600)), at(600))
    assert states(steps) == ["expired", "called", "waiting"]
    assert current(steps).until == at(630) and current(steps).calls == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("demanded", "got", "enough"),
    [
        ("answered", "read", False),
        ("received", "received", True),
        ("received", "read", True),
        ("read", "received", False),
        ("sent", "failed", False),
    ],
)
def test_only_the_demanded_receipt_satisfies(demanded: str, got: str, enough: bool) -> None:
    """A rung that wants an answer is not satisfied by a read mark; one that wants receipt is satisfied by better."""
    step = begin(Ladder("l", Text(""), (Step("a", ("log",), 60, demanded),)), 0)[0]

    assert satisfied(step, got) is enough


@given(st.lists(st.integers(0, 200), max_size=20))
def test_at_most_one_rung_calls_at_any_time(moments: list[int]) -> None:
    """However late or often the ladder is looked at, one rung calls, in order, until the ladder is exhausted."""
    steps, now = begin(LADDER, 0), 0
    for more in moments:
        now += at(more)
        steps = walk(steps, now)
        called = [s.n for s in steps if s.state is Rung.CALLED]
        assert len(called) <= 1
        assert (len(called) == 1) != exhausted(steps)
        assert all(s.state is Rung.EXPIRED for s in steps if called and s.n < called[0])
