"""What people do to an alert: one transaction each, with its audit row and what follows from it. Refused says why not."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.alert import Actor, Facts, Move, Refused, State, after
from streams.desk.calling import calls, ladder
from streams.desk.folding.fold import Moment, afresh
from streams.desk.mute import until
from streams.desk.people.current import permit
from streams.desk.people.rights import Act, facts_of
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert, Audit, Delivery, Mute, Rung

MOVES = tuple(m for m in Move if m not in (Move.CALL, Move.EXHAUST, Move.COVER))
"""What a person may do."""
Hold = Callable[[Session, Alert], "Refused | None"]
HOLDS: list[Hold] = []
"""What else keeps an alert from being closed (a work order that is out): a room of the desk adds its own when it is imported."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says with a deed. `to` = the post to hand over to; `within` = seconds until the next report, 0 = as usual."""

    reason: str = ""
    disposition: str = ""
    to: str = ""
    within: float = 0.0


def perform(s: Session, id_: str, move: Move, actor: Actor, m: Moment, reason: str = "", disposition: str = "", to: str = "",
            within: float = 0.0) -> Alert:
    """One deed. KeyError when there is no such alert; Refused when the move is not legal now."""
    alert = alert_for(s, id_)
    if alert is None:
        raise KeyError(id_)
    said = Said(reason.strip(), disposition, to, within)
    if to and to not in m.names.posts:
        raise Refused("err.to")
    known = facts(s, alert, actor, m)
    permit(move, facts_of(alert, m.names, known.mine or known.offered == actor.post != ""))
    new = after(move, known, actor, said.reason, disposition, to)
    if move is Move.ANSWER and known.state in calls.TAKEN:
        _take(s, alert, actor, m)
    else:
        DEEDS[move](s, alert, new, actor, m, said)
    if alert.covers:
        calls.recover(s, alert, m)
    return alert


def facts(s: Session, alert: Alert, actor: Actor, m: Moment) -> Facts:
    """What a refusal depends on, read from the rows."""
    steps = calls.steps_of(s, alert)
    reached = (ladder.Rung.CALLED, ladder.Rung.EXPIRED)
    holds = (hold(s, alert) for hold in HOLDS) if alert.open else ()
    return Facts(State(alert.state), alert.level, any(x.post == actor.post and x.state in reached for x in steps),
                 ladder.following(steps) is None, m.names.post(alert.answered_by, "zh"), alert.answered or 0, alert.peak,
                 _acted(s, alert), alert.disposition if alert.verified else "", alert.offered, m.names.post(alert.offered, "zh"),
                 next((no for no in holds if no is not None), None))


def answering(s: Session, id_: str, actor: Actor, m: Moment) -> Move:
    """How this post would answer: as itself where it was called or nobody was, else for the one that was. KeyError: no alert."""
    alert = s.get(Alert, id_)
    if alert is None:
        raise KeyError(id_)
    known = facts(s, alert, actor, m)
    own = known.mine or known.state is State.DETECTED or known.offered == actor.post
    return Move.ANSWER if own else Move.ANSWER_FOR


def _acted(s: Session, alert: Alert) -> frozenset[str]:
    """Who acted on it; where nobody did, who answered for it."""
    for act in ("news", "answered"):
        rows = s.scalars(select(Audit).where(Audit.alert == alert.id, Audit.act == act)).all()
        if rows:
            return frozenset(str(r.what.get("account") or r.post) for r in rows)
    return frozenset()


def _answer(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state, alert.answered, alert.answered_by = new, m.now, actor.post
    calls.stop(s, alert, m, True)
    calls.expect(alert, m)
    audit(s, m.now, "answered", alert, actor.post, reason=said.reason, took=m.now - (alert.called or alert.opened),
          account=actor.account)
    for row in list(s.scalars(select(Alert).where(Alert.open, Alert.covered_by == alert.id))):
        if row.state in calls.UNANSWERED:
            calls.answered_under(s, row, alert, m)


def _take(s: Session, alert: Alert, actor: Actor, m: Moment) -> None:
    """What was handed over is answered by its new post: from now on it is theirs."""
    giver, alert.offered, alert.answered_by = alert.answered_by, "", actor.post
    calls.stop(s, alert, m, True)
    calls.expect(alert, m)
    audit(s, m.now, "taken", alert, actor.post, giver=giver, account=actor.account)


def _pass(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state = new
    calls.save(s, alert, ladder.handed_on(calls.steps_of(s, alert), m.now), m)
    audit(s, m.now, "passed", alert, actor.post, reason=said.reason, account=actor.account)
    calls.walk_alert(s, alert, m)


def _news(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state, alert.acted, alert.acted_by, alert.news = new, m.now, actor.post, said.reason
    alert.verified, alert.verified_by = None, ""
    calls.expect(alert, m, said.within)
    audit(s, m.now, "news", alert, actor.post, reason=said.reason, due=alert.due, account=actor.account)


def _handover(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state, alert.offered = new, said.to
    audit(s, m.now, "handed", alert, actor.post, to_post=said.to, reason=said.reason, account=actor.account)
    calls.offer(s, alert, said.to, m)


def _verify(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state, alert.verified, alert.verified_by = new, m.now, actor.post
    alert.disposition, alert.reason, alert.due, alert.idle_at = said.disposition, said.reason, None, None
    audit(s, m.now, "verified", alert, actor.post, disposition=said.disposition, reason=said.reason, account=actor.account)


def _comment(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    audit(s, m.now, "comment", alert, actor.post, reason=said.reason, account=actor.account)


def _close(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    alert.state, alert.open, alert.closed, alert.closed_by = new, False, m.now, actor.post
    alert.disposition, alert.reason, alert.covered_by, alert.owed = said.disposition, said.reason, None, 0
    alert.offered, alert.due, alert.idle_at = "", None, None
    calls.stop(s, alert, m, False)
    audit(s, m.now, "closed", alert, actor.post, disposition=said.disposition, reason=said.reason, level=alert.level or None,
          account=actor.account)


def _reopen(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, said: Said) -> None:
    if s.scalar(select(Alert.id).where(Alert.key == alert.key, Alert.open)) is not None:
        raise Refused("err.other")
    alert.state, alert.open, alert.closed, alert.acted, alert.acted_by = new, True, None, m.now, actor.post
    afresh(alert)
    calls.expect(alert, m)
    audit(s, m.now, "reopened", alert, actor.post, reason=said.reason, account=actor.account)
    calls.cover(s, alert, m)


DEEDS: dict[Move, Callable[[Session, Alert, State, Actor, Moment, Said], None]] = {
    Move.ANSWER: _answer, Move.ANSWER_FOR: _answer, Move.PASS: _pass, Move.NEWS: _news, Move.HANDOVER: _handover,
    Move.VERIFY: _verify, Move.COMMENT: _comment, Move.CLOSE: _close, Move.REOPEN: _reopen,
}


def receipt(s: Session, key: str, got: str, m: Moment) -> Delivery:
    """What a channel heard later of a delivery (received, read, failed). It may be all that a step demanded.

    KeyError when there is no such delivery.
    """
    row = s.get(Delivery, key, with_for_update=True)
    if row is None:
        raise KeyError(key)
    rank = ladder.RECEIPTS.index
    if not row.receipt or rank(got) > rank(row.receipt) or (got == "failed" and row.receipt == "sent"):
        row.receipt = got
        alert = alert_for(s, row.alert)
        if got != "sent":       # that one is told by deliver.py, with its attempt
            audit(s, m.now, "receipt", alert, row.post, channel=row.channel, receipt=got, n=row.n)
        if alert is not None and alert.state == State.CALLING:
            _demanded(s, alert, row, got, m)
    return row


def _demanded(s: Session, alert: Alert, row: Delivery, got: str, m: Moment) -> None:
    step = s.get(Rung, (alert.id, row.run, row.n))
    if step is None or row.run != alert.run or step.state != ladder.Rung.CALLED or not ladder.satisfied(calls.step_of(step), got):
        return
    new = after(Move.ANSWER, Facts(State.CALLING, alert.level, mine=True), m.names.actor(row.post))
    _answer(s, alert, new, m.names.actor(row.post), m, Said())


def mute(s: Session, actor: Actor, seconds: float, m: Moment) -> Mute:
    """Silence the sound of a post's pages for at most ten minutes; 0 ends it. Refused without a post."""
    if not actor.post:
        raise Refused("err.post")
    permit(Act.SOUND)
    row = s.get(Mute, actor.post) or Mute(post=actor.post)
    row.at, row.until = m.now, until(m.now, seconds)
    s.add(row)
    audit(s, m.now, "muted", post=actor.post, until=row.until)
    return row
