"""The life of one alert (预警单): a closed set of states, the legal moves, and refusals that say why. Pure.

`level` (how bad now) and `fresh` (how far that may be believed) are not states: an unanswered alert may already
be back under its limit, and an answered one may be silent.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from detectors.level import Level

REASON = 5
"""A reason has at least so many characters."""


class State(StrEnum):
    """Where an alert stands with people."""

    DETECTED = "detected"    # open, nobody is called: no route, or shadow
    CALLING = "calling"      # a ladder runs, somebody must answer
    OVERDUE = "overdue"      # the whole ladder passed, nobody answered: only the desk can act now
    ANSWERED = "answered"    # somebody said: I have it
    ACTING = "acting"        # and has told what was done
    CLOSED = "closed"        # with a disposition and a reason


class Move(StrEnum):
    """What may be done to an alert, by the engine (call, exhaust, cover) or by a person (all others)."""

    CALL = "call"
    EXHAUST = "exhaust"
    COVER = "cover"
    ANSWER = "answer"
    ANSWER_FOR = "answer_for"
    PASS = "pass"
    NEWS = "news"
    CLOSE = "close"
    REOPEN = "reopen"


class Disposition(StrEnum):
    """What it turned out to be."""

    TRUE = "true"
    FALSE = "false"
    FAULT = "fault"
    DRILL = "drill"


_WAITING = (State.DETECTED, State.CALLING, State.OVERDUE)
_TAKEN = (State.ANSWERED, State.ACTING)
_OPEN = _WAITING + _TAKEN

MOVES: dict[Move, dict[State, State]] = {
    Move.CALL: dict.fromkeys(_OPEN, State.CALLING),
    Move.EXHAUST: {State.CALLING: State.OVERDUE},
    Move.COVER: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.ANSWER: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.ANSWER_FOR: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.PASS: {State.CALLING: State.CALLING},
    Move.NEWS: dict.fromkeys(_TAKEN, State.ACTING),
    Move.CLOSE: dict.fromkeys(_TAKEN, State.CLOSED),
    Move.REOPEN: {State.CLOSED: State.ACTING},
}
"""move -> state before -> state after; what is not here is refused."""


class Refused(Exception):
    """A move that is not legal now: `key` is its words in words.toml, `values` fill them
    (a time as µs UTC).
    """

    def __init__(self, key: str, **values: str | int) -> None:
        self.key, self.values = key, values
        super().__init__(f"{key} {values}" if values else key)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a post (never a person) and its words; `leader` = a post that leads the shift (带班领导)."""

    post: str = ""
    title: str = ""
    leader: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What a refusal depends on. `mine` = this ladder has called the actor; `who` and `when` (µs UTC) = the first answer."""

    state: State
    level: int = 0
    mine: bool = False
    last_step: bool = False
    who: str = ""
    when: int = 0


def after(move: Move, facts: Facts, actor: Actor, reason: str = "", disposition: str = "") -> State:
    """The state after the move; Refused with its reason otherwise."""
    if move in (Move.CALL, Move.EXHAUST, Move.COVER):
        return _legal(move, facts)
    if not actor.post:
        raise Refused("err.post")
    new = _legal(move, facts)
    called = facts.state in (State.CALLING, State.OVERDUE)
    if (move is Move.ANSWER and called and not facts.mine) or (move is Move.PASS and not (facts.mine or actor.leader)):
        raise Refused("err.mine")
    if move is Move.PASS and facts.last_step:
        raise Refused("err.last")
    if move in (Move.ANSWER_FOR, Move.NEWS, Move.CLOSE, Move.REOPEN) and len(reason.strip()) < REASON:
        raise Refused("err.reason")
    if move is Move.CLOSE:
        _closable(facts, actor, disposition)
    return new


def _legal(move: Move, facts: Facts) -> State:
    new = MOVES[move].get(facts.state)
    if new is not None:
        return new
    if facts.state is State.CLOSED:
        raise Refused("err.closed")
    if facts.state in _TAKEN and move in (Move.ANSWER, Move.ANSWER_FOR, Move.PASS, Move.COVER):
        raise Refused("err.raced", who=facts.who or "—", time=facts.when)
    raise Refused("err.open" if move is Move.REOPEN else "err.first")


def _closable(facts: Facts, actor: Actor, disposition: str) -> None:
    if disposition not in set(Disposition):
        raise Refused("err.disposition")
    if facts.level > Level.NORMAL and not actor.leader:
        raise Refused("err.over")


def level_of(events: Iterable[tuple[int, int, bool, int, int]]) -> int:
    """A member's level from its events `(seq, revision, withdrawn, time, to)`: the last by its own time that was not withdrawn.

    Of each seq the highest revision counts, so the order of arrival does not matter. A rewind numbers on what it finds to
    have happened earlier, so a higher seq is not always a later change.

    >>> level_of([(0, 0, False, 10, 2), (1, 0, False, 20, 4), (1, 1, True, 20, 4)])
    2
    """
    last: dict[int, tuple[int, bool, int, int]] = {}
    for seq, revision, withdrawn, time, to in events:
        if seq not in last or (revision, withdrawn) >= last[seq][:2]:
            last[seq] = (revision, withdrawn, time, to)
    standing = [(time, seq, to) for seq, (_, withdrawn, time, to) in last.items() if not withdrawn]
    return max(standing)[2] if standing else 0
