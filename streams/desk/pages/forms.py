"""What may be done to an alert now; a move that is refused is shown disabled with its reason."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from streams.desk import acts
from streams.desk.alert import Actor, Disposition, Facts, Move, Refused, State, after
from streams.desk.folding.fold import Moment
from streams.desk.local import moment
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.tables import Alert
from streams.desk.words import say

REASON = "r" * 5
NEXT = (("30", "next.30min"), ("60", "next.1h"), ("120", "next.2h"), ("240", "next.4h"), ("480", "next.8h"))
"""When one reports next: minutes and the key of its words."""
WORDS = {   # button, legend, what the reason is, key
    Move.ANSWER: ("act.answer", "act.answer_full", "", "A"),
    Move.ANSWER_FOR: ("act.answer_for", "act.answer_for", "act.answer_for_why", ""),
    Move.PASS: ("act.pass", "act.pass_full", "", ""),
    Move.NEWS: ("act.news", "act.news_what", "act.news_why", "D"),
    Move.HANDOVER: ("act.handover", "act.handover_full", "act.handover_why", "H"),
    Move.VERIFY: ("act.verify", "out.verify", "act.verify_why", "V"),
    Move.CLOSE: ("act.close", "out.title", "act.close_why", "C"),
    Move.COMMENT: ("act.comment", "act.comment", "act.comment_what", ""),
    Move.REOPEN: ("act.reopen", "act.reopen", "act.reopen_why", ""),
}
OUTCOMES = (Move.VERIFY, Move.CLOSE)


def forms(s: Session, a: Alert, v: View) -> list[dict[str, Any]]:
    """What may be done now; a move that is refused is shown disabled with its reason."""
    facts = acts.facts(s, a, v.actor, Moment(v.now, v.names))
    out: list[dict[str, Any]] = []
    for move in _shown(a, facts, v.actor):
        button, legend, reason, key = WORDS[move]
        posts = [(p.id, v.names.post(p.id, v.lang)) for p in v.names.city.posts if p.id not in (v.actor.post, a.offered)]
        out.append(
            {
                "act": move.value,
                "button": say(button, v.lang),
                "legend": say(legend, v.lang),
                "key": key,
                "first": not out,
                "reason": say(reason, v.lang) if reason else "",
                "least": 1 if move is Move.COMMENT else len(REASON),
                "refusal": refusal(a, move, facts, v.actor, v),
                "outcomes": [(d.value, say(f"out.{d.value}", v.lang)) for d in Disposition] if move in OUTCOMES else [],
                "chosen": facts.verdict,
                "posts": posts if move is Move.HANDOVER else [],
                "next": [(m, say(k, v.lang)) for m, k in NEXT] if move is Move.NEWS else [],
            }
        )
    return out


def _shown(a: Alert, facts: Facts, actor: Actor) -> list[Move]:
    """The moves that belong to the state, in the order of their use."""
    if not a.open:
        return [Move.REOPEN, Move.COMMENT]
    if a.state in (State.DETECTED, State.CALLING, State.OVERDUE):
        answers = [Move.ANSWER] if facts.mine else [Move.ANSWER, Move.ANSWER_FOR]
        return [*answers, *([Move.PASS] if a.state == State.CALLING else []), Move.COMMENT]
    take = [Move.ANSWER] if a.offered and a.offered == actor.post else []
    between = [Move.HANDOVER, Move.VERIFY] if a.state != State.VERIFIED else []
    return [*take, Move.NEWS, *between, Move.CLOSE, Move.COMMENT]


def refusal(a: Alert, move: Move, facts: Facts, actor: Actor, v: View) -> str:
    """Why the move is not this account's, or not legal now, whatever is typed; "" when it may be made."""
    try:
        rights.demand(v.account, move, rights.facts_of(a, v.names, facts.mine or facts.offered == actor.post != ""))
        after(move, facts, actor, REASON, facts.verdict or Disposition.TRUE, "another post")
    except Refused as no:
        return in_words(no, v)
    return ""


def in_words(no: Refused, v: View) -> str:
    """A refusal for people; times in it are the city's, a role is named."""
    values: dict[str, object] = {k: moment(x, v.now, v.lang) if isinstance(x, int) else x for k, x in no.values.items()}
    if "role" in values:
        values["role"] = say(f"role.{values['role']}", v.lang)
    return say(no.key, v.lang, **values)
