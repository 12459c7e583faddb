"""What an answer link shows: one warning, the post it is for, and until when. It fits a telephone and one bar of signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.desk.alert import State
from streams.desk.calling import ladder
from streams.desk.local import moment, span
from streams.desk.pages.ask import Found
from streams.desk.pages.row import Row, row
from streams.desk.pages.view import View
from streams.desk.tables import Delivery
from streams.desk.words import ROMAN, say


@dataclass(frozen=True, slots=True)
class Asked:
    """Words of the page. `deadline` is past where the post's time is over; then it may still answer."""

    r: Row
    full: str
    since: str
    post: str
    until: str
    left: str
    late: bool
    next: str
    before: list[str]
    others: list[str]
    ends: str
    now: str
    passing: bool


def answer(found: Sequence[Found | None], sent: Delivery, v: View, grace: int) -> Asked:
    """The carrier's warning; of the others that its message spoke for, a line each."""
    here = [f for f in found if f is not None]
    f, lang = here[0], v.lang
    steps = [x for x in f.steps if x.n == sent.n]
    late, follows = v.now >= sent.until, ladder.following(f.steps)
    then = say("link.then", lang, post=v.names.post(follows.post, lang)) if follows else say("link.last", lang)
    before = [
        say("link.before", lang, n=x.n, post=v.names.post(x.post, lang), what=say(f"step.{x.state.value}", lang))
        for x in f.steps if x.n < sent.n and x.state in (ladder.Rung.EXPIRED, ladder.Rung.PASSED)
    ]
    rows = [row(x, v, False) for x in here]
    return Asked(
        rows[0], say("level.full", lang, level=say(f"level.{f.alert.shown}", lang), roman=ROMAN[f.alert.shown]),
        say("w.since", lang, time=rows[0].since, span=span(v.clock - f.alert.onset, lang)),
        v.names.post(sent.post, lang), moment(sent.until, v.now, lang), span(max(0, sent.until - v.now), lang), late, then,
        before, [f"{r.word} {r.title} {r.value} {r.unit}".strip() for r in rows[1:]], moment(sent.until + grace, v.now, lang),
        moment(v.now, v.now, lang), bool(steps) and steps[0].state is ladder.Rung.CALLED and follows is not None
        and f.alert.state == State.CALLING,
    )
