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
    VERIFIED = "verified"    # somebody else has looked: it is done, and this is what it was
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
    HANDOVER = "handover"    # 转交: to another post, which must answer; until then it stays where it is
    VERIFY = "verify"
    COMMENT = "comment"
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
_OPEN = (*_WAITING, *_TAKEN, State.VERIFIED)

MOVES: dict[Move, dict[State, State]] = {
    Move.CALL: dict.fromkeys(_OPEN, State.CALLING),
    Move.EXHAUST: {State.CALLING: State.OVERDUE},
    Move.COVER: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.ANSWER: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.ANSWER_FOR: dict.fromkeys(_WAITING, State.ANSWERED),
    Move.PASS: {State.CALLING: State.CALLING},
    Move.NEWS: dict.fromkeys((*_TAKEN, State.VERIFIED), State.ACTING),
    Move.HANDOVER: {state: state for state in _TAKEN},
    Move.VERIFY: dict.fromkeys(_TAKEN, State.VERIFIED),
    Move.COMMENT: {state: state for state in State},
    Move.CLOSE: dict.fromkeys((*_TAKEN, State.VERIFIED), State.CLOSED),
    Move.REOPEN: {State.CLOSED: State.ACTING},
}
"""move -> state before -> state after; what is not here is refused. An answer to what was handed over is the one exception."""
REASONED = (Move.ANSWER_FOR, Move.NEWS, Move.HANDOVER, Move.VERIFY, Move.CLOSE, Move.REOPEN)
"""Moves that want a reason of `REASON` characters; a comment only has to say something."""


class Refused(Exception):
    """A move that is not legal now: `key` is its words in words.toml, `values` fill them
    (a time as µs UTC).
    """

    def __init__(self, key: str, **values: str | int) -> None:
        self.key, self.values = key, values
        super().__init__(f"{key} {values}" if values else key)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a post and its words; `leader` = a post that leads the shift (带班领导).

    `account` = who signed in, where people do: one post has several people, and it is people who must not verify themselves.
    """

    post: str = ""
    title: str = ""
    leader: bool = False
    account: str = ""

    @property
    def who(self) -> str:
        """The one that counts as "the same" in another act."""
        return self.account or self.post


@dataclass(frozen=True, slots=True)
class Facts:
    """What a refusal depends on. `mine` = this ladder has called the actor; `who` and `when` (µs UTC) = the first answer.

    `peak` = the worst level it ever had; `acted` = who acted on it (Actor.who); `verdict` = the outcome that was verified;
    `offered` = the post it is being handed to, `heir` = its words; `waits` = why it cannot be closed yet for something outside
    of its own life (a work order that is out).
    """

    state: State
    level: int = 0
    mine: bool = False
    last_step: bool = False
    who: str = ""
    when: int = 0
    peak: int = 0
    acted: frozenset[str] = frozenset()
    verdict: str = ""
    offered: str = ""
    heir: str = ""
    waits: Refused | None = None


def after(move: Move, facts: Facts, actor: Actor, reason: str = "", disposition: str = "", to: str = "") -> State:
    """The state after the move; Refused with its reason otherwise. `to` = the post that an alert is handed to."""
    if move in (Move.CALL, Move.EXHAUST, Move.COVER):
        return _legal(move, facts)
    if not actor.post:
        raise Refused("err.post")
    if move is Move.ANSWER and facts.state in _TAKEN and facts.offered == actor.post:
        return facts.state      # what was handed over is taken
    new = _legal(move, facts)
    _called(move, facts, actor)
    if move in REASONED and len(reason.strip()) < REASON:
        raise Refused("err.reason")
    if move is Move.COMMENT and not reason.strip():
        raise Refused("err.empty")
    if move is Move.HANDOVER:
        _to(facts, actor, to)
    if move is Move.VERIFY:
        _verifiable(facts, actor, disposition)
    if move is Move.CLOSE:
        _closable(facts, actor, disposition)
    return new


def _legal(move: Move, facts: Facts) -> State:
    new = MOVES[move].get(facts.state)
    if new is not None:
        return new
    if facts.state is State.CLOSED:
        raise Refused("err.closed")
    if facts.state in (*_TAKEN, State.VERIFIED) and move in (Move.ANSWER, Move.ANSWER_FOR, Move.PASS, Move.COVER):
        raise Refused("err.raced", who=facts.who or "—", time=facts.when)
    if facts.state is State.VERIFIED and move in (Move.VERIFY, Move.HANDOVER):
        raise Refused("err.verified")
    raise Refused("err.open" if move is Move.REOPEN else "err.first")


def _called(move: Move, facts: Facts, actor: Actor) -> None:
    """Who answers as a step must be one; who passes on, one or a leader."""
    called = facts.state in (State.CALLING, State.OVERDUE)
    if (move is Move.ANSWER and called and not facts.mine) or (move is Move.PASS and not (facts.mine or actor.leader)):
        raise Refused("err.mine")
    if move is Move.PASS and facts.last_step:
        raise Refused("err.last")


def _to(facts: Facts, actor: Actor, to: str) -> None:
    if facts.offered:
        raise Refused("err.offered", who=facts.heir or facts.offered)
    if not to:
        raise Refused("err.to")
    if to == actor.post:
        raise Refused("err.self")


def _verifiable(facts: Facts, actor: Actor, disposition: str) -> None:
    if facts.peak >= Level.ORANGE and actor.who in facts.acted:
        raise Refused("err.own")
    if facts.offered:
        raise Refused("err.offered", who=facts.heir or facts.offered)
    if disposition not in set(Disposition):
        raise Refused("err.disposition")


def _closable(facts: Facts, actor: Actor, disposition: str) -> None:
    if facts.waits is not None:
        raise facts.waits
    if facts.level > Level.NORMAL and not actor.leader:
        raise Refused("err.over")
    if facts.peak >= Level.ORANGE and facts.state is not State.VERIFIED:
        raise Refused("err.unverified")
    if disposition not in set(Disposition):
        raise Refused("err.disposition")
    if facts.state is State.VERIFIED and disposition != facts.verdict:
        raise Refused("err.verdict")


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
