"""What may be done to an alert now; a move that is refused is shown disabled with its reason."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from streams.desk import acts
from streams.desk.alert import Actor, Disposition, Facts, Move, Refused, State, after
from streams.desk.fold import Moment
from streams.desk.local import moment
from streams.desk.pages.view import View
from streams.desk.tables import Alert
from streams.desk.words import say

REASON = "r" * 5


def forms(s: Session, a: Alert, v: View) -> list[dict[str, Any]]:
    """What may be done now; a move that is refused is shown disabled with its reason."""
    facts, waiting = acts.facts(s, a, v.actor, Moment(v.now, v.names)), a.state in (State.DETECTED, State.CALLING, State.OVERDUE)
    shown = [(Move.REOPEN, "act.reopen", "act.reopen_why", "")] if not a.open else []
    if waiting and a.open:
        shown = [
            (Move.ANSWER, "act.answer", "", "A"),
            (Move.ANSWER_FOR, "act.answer_for", "act.answer_for_why", ""),
            (Move.PASS, "act.pass", "", ""),
        ]
        shown = [x for x in shown if x[0] is not Move.ANSWER_FOR or not facts.mine]
        shown = [x for x in shown if x[0] is not Move.PASS or a.state == State.CALLING]
    elif a.open:
        shown = [(Move.NEWS, "act.news", "act.news_why", "D"), (Move.CLOSE, "act.close", "act.close_why", "C")]
    out: list[dict[str, Any]] = []
    legends = {Move.ANSWER: "act.answer_full", Move.PASS: "act.pass_full", Move.NEWS: "act.news_what", Move.CLOSE: "out.title"}
    for move, button, reason, key in shown:
        out.append(
            {
                "act": move.value,
                "button": say(button, v.lang),
                "legend": say(legends.get(move, button), v.lang),
                "key": key,
                "first": not out,
                "reason": say(reason, v.lang) if reason else "",
                "refusal": refusal(move, facts, v.actor, v),
                "outcomes": [(d.value, say(f"out.{d.value}", v.lang)) for d in Disposition] if move is Move.CLOSE else [],
            }
        )
    return out


def refusal(move: Move, facts: Facts, actor: Actor, v: View) -> str:
    """Why the move is not legal now, whatever is typed; "" when it is."""
    try:
        after(move, facts, actor, REASON, Disposition.TRUE)
    except Refused as no:
        return in_words(no, v)
    return ""


def in_words(no: Refused, v: View) -> str:
    """A refusal for people; times in it are the city's, a role is named."""
    values: dict[str, object] = {k: moment(x, v.now, v.lang) if isinstance(x, int) else x for k, x in no.values.items()}
    if "role" in values:
        values["role"] = say(f"role.{values['role']}", v.lang)
    return say(no.key, v.lang, **values)
