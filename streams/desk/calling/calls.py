"""Calling people: ladders begun, walked, suspended under a covering alert, and ended; deliveries as outbox rows.

Everything here runs inside the transaction of its caller, with its audit rows.
"""

from __future__ import annotations

from dataclasses import fields
from hashlib import blake2b

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from streams.desk.alert import Facts, Move, Refused, State, after
from streams.desk.calling import ladder, routes
from streams.desk.calling.ladder import Step
from streams.desk.duty import roster
from streams.desk.exercise import mark
from streams.desk.folding.fold import Moment, afresh, old
from streams.desk.messages import wording
from streams.desk.publish import silences
from streams.desk.store import audit, claim
from streams.desk.tables import Alert, Delivery, Rung

_FIELDS = tuple(f.name for f in fields(Step))
UNANSWERED = (State.DETECTED, State.CALLING, State.OVERDUE)
TAKEN = (State.ANSWERED, State.ACTING)


def settle(s: Session, alert: Alert, m: Moment) -> None:
    """After a fold: a rise that is still owed its ladder gets it, and covers are brought up to date."""
    if alert.open and alert.owed:
        if silences.held(s, alert, alert.owed, m):
            hold(s, alert, m)
        else:
            silences.free(s, alert, m, keep=True)
            _begin(s, alert, m)
    cover(s, alert, m)
    if alert.covers:
        recover(s, alert, m)
    walk_alert(s, alert, m)


def settle_all(s: Session, m: Moment) -> int:
    """At the end of catching up: ladders for what is still open (design 9.21). How many alerts were owed one."""
    owed = list(s.scalars(select(Alert).where(Alert.open, Alert.owed > 0).order_by(Alert.covers.desc(), Alert.level.desc())))
    for alert in owed:
        settle(s, alert, m)
    return len(owed)


def _begin(s: Session, alert: Alert, m: Moment) -> None:
    level, alert.owed = alert.owed, 0
    if alert.scope == "shadow":
        return
    alert.as_of = alert.time if old(alert, m) else None
    found = mark.LADDER if mark.hidden(alert) else routes.ladder_of(
        m.names.city, alert.pack, level, alert.site, alert.area, alert.as_of is not None, m.now)
    save(s, alert, ladder.ended(steps_of(s, alert), False), m)
    _drop(s, alert)
    afresh(alert)
    if found is None or not found.steps:
        alert.state, alert.answered = State.DETECTED, None
        audit(s, m.now, "unrouted", alert, to=level)
        return
    alert.state = after(Move.CALL, Facts(State(alert.state)), m.names.actor(""))
    alert.run, alert.ladder, alert.called, alert.answered, alert.answered_by = alert.run + 1, found.id, m.now, None, ""
    save(s, alert, ladder.begin(found, m.now), m)
    audit(s, m.now, "ladder", alert, ladder=found.id, run=alert.run, to=level, as_of=alert.as_of)


def walk(s: Session, m: Moment) -> int:
    """All steps that are due at `m.now`; how many alerts moved."""
    due = (
        select(Rung.alert)
        .join(Alert, (Alert.id == Rung.alert) & (Alert.run == Rung.run))
        .where(
            Alert.open,
            or_(
                (Rung.state == ladder.Rung.WAITING) & (Rung.due_at <= m.now),
                (Rung.state == ladder.Rung.CALLED) & (Rung.until <= m.now),
            ),
        )
        .distinct()
    )
    ids = list(s.scalars(due))
    for id_ in ids:
        alert = claim(s, id_)
        if alert is not None:
            walk_alert(s, alert, m)
    _idle(s, m)
    return len(ids)


def _idle(s: Session, m: Moment) -> None:
    """Answers without news come back to the desk (久未进展): said once, nobody is called for it."""
    late = (Alert.due <= m.now) & Alert.idle_at.is_(None)
    for id_ in list(s.scalars(select(Alert.id).where(Alert.open, Alert.state.in_(TAKEN), late))):
        alert = claim(s, id_)
        if alert is not None and alert.idle_at is None:
            alert.idle_at = m.now
            audit(s, m.now, "idle", alert, alert.answered_by)


def expect(alert: Alert, m: Moment, within: float = 0.0) -> None:
    """News is due `within` seconds from now; where nobody said when, as the level asks (`city/duty.yaml`)."""
    alert.due, alert.idle_at = m.now + round((within or m.names.city.duty.idle_of(alert.shown)) * 1e6), None


def walk_alert(s: Session, alert: Alert, m: Moment) -> None:
    """What is due on one ladder."""
    if alert.offered and alert.state in TAKEN:
        _returned(s, alert, m)
    if alert.state != State.CALLING:
        return
    before = steps_of(s, alert)
    now = ladder.walk(before, m.now)
    save(s, alert, now, m)
    for was, step in zip(before, now, strict=True):
        if step.state is ladder.Rung.EXPIRED and was.state is not step.state:
            audit(s, m.now, "expired", alert, step.post, n=step.n)
        if step.state is ladder.Rung.CALLED and (was.state, was.calls) != (step.state, step.calls):
            _call(s, alert, step, m)
    if ladder.exhausted(now):
        alert.state = after(Move.EXHAUST, Facts(State.CALLING), m.names.actor(""))
        audit(s, m.now, "overdue", alert, of=len(now))


def offer(s: Session, alert: Alert, post: str, m: Moment) -> Step:
    """Call one more post for an alert that somebody holds: a rung of its own behind the others (转交)."""
    steps = steps_of(s, alert)
    found = next((x for lad in m.names.city.ladders for x in lad.steps if x.post == post), None)
    known = m.names.posts.get(post)
    channels = found.channels if found else tuple(known.addresses if known else ()) or ("log",)
    within = found.within if found else m.names.city.duty.handed
    n = len(steps) + 1
    step = Step(n, n, post, channels, within, "answered", ladder.Rung.CALLED, m.now, m.now + round(within * 1e6), 1)
    save(s, alert, (*steps, step), m)
    _call(s, alert, step, m)
    return step


def _returned(s: Session, alert: Alert, m: Moment) -> None:
    """The post that should take it did not answer in time: it stays where it is, and comes up as without news."""
    before = steps_of(s, alert)
    if any(x.state is ladder.Rung.CALLED and x.until <= m.now for x in before):
        save(s, alert, ladder.walk(before, m.now), m)
        _drop(s, alert)
        post, alert.offered, alert.due = alert.offered, "", m.now
        audit(s, m.now, "returned", alert, post)


def _call(s: Session, alert: Alert, step: Step, m: Moment) -> None:
    for channel in step.channels:
        for n, address in enumerate(roster.addresses(s, step.post, channel, m)):
            _send(s, alert, step, channel, address, n, m)
    audit(s, m.now, "called", alert, step.post, n=step.n, of=step.of, channels=list(step.channels), until=step.until)


def _send(s: Session, alert: Alert, step: Step, channel: str, address: str, n: int, m: Moment) -> None:
    """One call over one channel; a post may have two addresses while its shifts change (roster.py)."""
    named = f"{alert.id}|{alert.run}|{step.n}|{step.calls}|{channel}" + (f"|{n}" if n else "")
    key = blake2b(named.encode(), digest_size=8).hexdigest()
    s.add(
        Delivery(
            key=key,
            alert=alert.id,
            run=alert.run,
            n=step.n,
            channel=channel,
            post=step.post,
            state="pending",
            address=address,
            level=alert.level or alert.shown,
            scope=alert.scope,
            text=wording.call(alert, m.names, step.until, step.post, channel),
            next_at=m.now,
            created=m.now,
            until=step.until,
        )
    )


def steps_of(s: Session, alert: Alert) -> tuple[Step, ...]:
    """The rungs of the ladder under way."""
    rows = s.scalars(select(Rung).where(Rung.alert == alert.id, Rung.run == alert.run).order_by(Rung.n))
    return tuple(step_of(r) for r in rows)


def step_of(row: Rung) -> Step:
    """A row as a rung."""
    values = {name: getattr(row, name) for name in _FIELDS}
    return Step(**(values | {"channels": tuple(row.channels), "state": ladder.Rung(row.state)}))


def save(s: Session, alert: Alert, steps: tuple[Step, ...], m: Moment) -> None:
    """Rungs back into their rows, with the time of each call and end."""
    for step in steps:
        row = s.get(Rung, (alert.id, alert.run, step.n)) or Rung(alert=alert.id, run=alert.run, n=step.n, state="", calls=0)
        if step.calls != row.calls:
            row.called_at = m.now
        if row.state in ladder.LIVE and step.state not in ladder.LIVE:
            row.ended_at = m.now
        for name in _FIELDS:
            setattr(row, name, getattr(step, name))
        row.channels = list(step.channels)
        s.add(row)
    s.flush()


def stop(s: Session, alert: Alert, m: Moment, answered: bool) -> None:
    """The ladder and what it has not sent yet end, in this transaction."""
    alert.owed = 0
    save(s, alert, ladder.ended(steps_of(s, alert), answered), m)
    _drop(s, alert)


def hold(s: Session, alert: Alert, m: Moment) -> None:
    """A silence speaks for it: a ladder under way stops where it is, and what has not left is dropped."""
    save(s, alert, ladder.suspended(steps_of(s, alert)), m)
    _drop(s, alert)


def _drop(s: Session, alert: Alert) -> None:
    s.execute(update(Delivery).where(Delivery.alert == alert.id, Delivery.state == "pending").values(state="dropped"))


def covering(s: Session, alert: Alert) -> Alert | None:
    """The open alert of a rule that speaks for this one: it names its series (or rule) and is at least as bad."""
    if not (alert.site or alert.rule) or not alert.level:
        return None
    rows = s.scalars(
        select(Alert)
        .where(Alert.open, Alert.covers, Alert.level >= alert.level, Alert.scope == alert.scope, Alert.id != alert.id)
        .order_by(Alert.level.desc(), Alert.opened)
    )
    return next((r for r in rows if member_of(alert) in r.members), None)


def member_of(alert: Alert) -> str:
    """What a rule over it calls it: `indicator@site` of a detector's alert, `path@place` of a rule's."""
    return f"{alert.indicator}@{alert.site or alert.area}" if alert.indicator else f"{alert.rule}@{alert.area or alert.site}"


def cover(s: Session, alert: Alert, m: Moment) -> None:
    """Bring one alert under its covering alert, or out from under it (design 9.20)."""
    by = covering(s, alert) if alert.open else None
    was, alert.covered_by = alert.covered_by, by.id if by else None
    if by is not None and alert.state in UNANSWERED:
        if by.answered:
            answered_under(s, alert, by, m)
        else:
            save(s, alert, ladder.suspended(steps_of(s, alert)), m)
            _drop(s, alert)
    if by is None and was and alert.state == State.CALLING and not alert.muted:
        save(s, alert, ladder.resumed(steps_of(s, alert), m.now), m)
    if was != alert.covered_by:
        audit(s, m.now, "covered" if by else "uncovered", alert, by=by.id if by else was)


def recover(s: Session, by: Alert, m: Moment) -> None:
    """After a covering alert moved: all alerts that it covers or covered."""
    names = {str(x) for x in by.members or ()}
    some = or_(Alert.site != "", Alert.rule != "")
    rows = s.scalars(select(Alert).where(Alert.open, Alert.scope == by.scope, some, Alert.id != by.id))
    for alert in list(rows):
        if alert.covered_by == by.id or member_of(alert) in names:
            cover(s, alert, m)
            walk_alert(s, alert, m)


def answered_under(s: Session, alert: Alert, by: Alert, m: Moment) -> None:
    """The answer to the covering alert is the answer to this one."""
    try:
        alert.state = after(Move.COVER, Facts(State(alert.state)), m.names.actor(""))
    except Refused:
        return
    alert.answered, alert.answered_by = m.now, by.answered_by
    expect(alert, m)
    stop(s, alert, m, False)
    audit(s, m.now, "answered", alert, by.answered_by, under=by.id)
