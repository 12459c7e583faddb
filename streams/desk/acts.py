"""What people do to an alert: one transaction each, with its audit row and what follows from it. Refused says why not."""
from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk import calls, ladder
from streams.desk.alert import Actor, Facts, Move, Refused, State, after
from streams.desk.fold import Moment
from streams.desk.mute import until
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert, Delivery, Mute, Rung

MOVES = tuple(m for m in Move if m not in (Move.CALL, Move.EXHAUST, Move.COVER))
"""What a person may do."""


def perform(s: Session, id_: str, move: Move, actor: Actor, m: Moment, reason: str = "", disposition: str = "") -> Alert:
    """One deed. KeyError when there is no such alert; Refused when the move is not legal now."""
    alert = alert_for(s, id_)
    if alert is None:
        raise KeyError(id_)
    reason = reason.strip()
    new = after(move, facts(s, alert, actor, m), actor, reason, disposition)
    {Move.ANSWER: _answer, Move.ANSWER_FOR: _answer, Move.PASS: _pass, Move.NEWS: _news, Move.CLOSE: _close,
     Move.REOPEN: _reopen}[move](s, alert, new, actor, m, reason, disposition)
    if alert.covers:
        calls.recover(s, alert, m)
    return alert


def facts(s: Session, alert: Alert, actor: Actor, m: Moment) -> Facts:
    """What a refusal depends on, read from the rows."""
    steps = calls.steps_of(s, alert)
    reached = (ladder.Rung.CALLED, ladder.Rung.EXPIRED)
    return Facts(State(alert.state), alert.level, any(x.post == actor.post and x.state in reached for x in steps),
                 ladder.following(steps) is None, m.names.post(alert.answered_by, "zh"), alert.answered or 0)


def _answer(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, reason: str, _: str) -> None:
    alert.state, alert.answered, alert.answered_by = new, m.now, actor.post
    calls.stop(s, alert, m, True)
    audit(s, m.now, "answered", alert, actor.post, reason=reason, took=m.now - (alert.called or alert.opened))
    for row in list(s.scalars(select(Alert).where(Alert.open, Alert.covered_by == alert.id))):
        if row.state in calls.UNANSWERED:
            calls.answered_under(s, row, alert, m)


def _pass(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, reason: str, _: str) -> None:
    alert.state = new
    calls.save(s, alert, ladder.handed_on(calls.steps_of(s, alert), m.now), m)
    audit(s, m.now, "passed", alert, actor.post, reason=reason)
    calls.walk_alert(s, alert, m)


def _news(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, reason: str, _: str) -> None:
    alert.state, alert.acted, alert.acted_by, alert.news = new, m.now, actor.post, reason
    audit(s, m.now, "news", alert, actor.post, reason=reason)


def _close(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, reason: str, disposition: str) -> None:
    alert.state, alert.open, alert.closed, alert.closed_by = new, False, m.now, actor.post
    alert.disposition, alert.reason, alert.covered_by, alert.owed = disposition, reason, None, 0
    calls.stop(s, alert, m, False)
    audit(s, m.now, "closed", alert, actor.post, disposition=disposition, reason=reason, level=alert.level or None)


def _reopen(s: Session, alert: Alert, new: State, actor: Actor, m: Moment, reason: str, _: str) -> None:
    if s.scalar(select(Alert.id).where(Alert.key == alert.key, Alert.open)) is not None:
        raise Refused("err.other")
    alert.state, alert.open, alert.closed, alert.acted, alert.acted_by = new, True, None, m.now, actor.post
    audit(s, m.now, "reopened", alert, actor.post, reason=reason)
    calls.cover(s, alert, m)


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
    _answer(s, alert, new, m.names.actor(row.post), m, "", "")


def mute(s: Session, actor: Actor, seconds: float, m: Moment) -> Mute:
    """Silence the sound of a post's pages for at most ten minutes; 0 ends it. Refused without a post."""
    if not actor.post:
        raise Refused("err.post")
    row = s.get(Mute, actor.post) or Mute(post=actor.post)
    row.at, row.until = m.now, until(m.now, seconds)
    s.add(row)
    audit(s, m.now, "muted", post=actor.post, until=row.until)
    return row
