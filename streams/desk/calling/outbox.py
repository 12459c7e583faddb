"""The rows of the outbox: calls that wait are gathered into messages (storm folding), and rows of one message move together.

A folded message is one of its calls, the carrier: `folded` of each row is the carrier's key, also its own. Only carriers leave.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, aliased

from streams.desk.folding.fold import Moment
from streams.desk.local import local
from streams.desk.messages import subject
from streams.desk.messages.storm import Due, Told, folded, gather
from streams.desk.store import audit
from streams.desk.tables import Alert, Delivery

LEADS = or_(Delivery.folded.is_(None), Delivery.folded == Delivery.key)
"""Rows that leave: single calls and carriers."""
Group = tuple[str, str, str, str]
"""Post, channel, address, scope: a drill is never folded with what is real."""


def arrange(s: Session, m: Moment) -> None:
    """Before a round: what lost its carrier gets another, and calls that have not left yet are gathered or held."""
    _relead(s, m)
    rows = s.execute(
        select(Delivery.post, Delivery.channel, Delivery.address, Delivery.scope, Delivery.key, Delivery.level, Delivery.created,
               Delivery.until, Delivery.next_at)
        .where(Delivery.state == "pending", Delivery.attempts == 0, Delivery.folded.is_(None))
        .order_by(Delivery.post, Delivery.channel, Delivery.address, Delivery.scope)
        .with_for_update(skip_locked=True)
    ).all()
    for group, found in groupby(rows, key=lambda r: (r[0], r[1], r[2], r[3])):
        waiting = [Due(key, level, created, until, at, at > created) for *_, key, level, created, until, at in found]
        _gather(s, group, waiting, m)


def _gather(s: Session, group: Group, waiting: Sequence[Due], m: Moment) -> None:
    rule, at = m.names.city.fold, {d.key: d.at for d in waiting}
    plan = gather(waiting, _told(s, group, m.now - round(rule.within * 1e6)), m.now, rule.more, rule.within)
    for keys in plan.now:
        if len(keys) > 1:
            _join(s, keys, m)
        elif at[keys[0]] > m.now:
            s.execute(update(Delivery).where(Delivery.key == keys[0]).values(next_at=m.now))
    for key, then in plan.held.items():
        if at[key] != then:
            s.execute(update(Delivery).where(Delivery.key == key).values(next_at=then))


def _told(s: Session, group: Group, since: int) -> list[Told]:
    post, channel, address, scope = group
    message = func.coalesce(Delivery.folded, Delivery.key)
    rows = s.execute(
        select(func.max(Delivery.went), func.count())
        .where(Delivery.post == post, Delivery.channel == channel, Delivery.address == address, Delivery.scope == scope,
               Delivery.went > since)
        .group_by(message)
    )
    return [Told(at or 0, count) for at, count in rows]


def _join(s: Session, keys: Sequence[str], m: Moment) -> None:
    """Make one message of these calls, the first of them its carrier."""
    found = {row.key: row for row in s.scalars(select(Delivery).where(Delivery.key.in_(keys), Delivery.state == "pending"))}
    rows = [found[key] for key in keys if key in found]
    carrier = rows[0]
    for row in rows:
        row.folded, row.next_at = carrier.key, m.now
    carrier.text = _text(s, rows, m)
    audit(s, m.now, "folded", None, carrier.post, channel=carrier.channel, key=carrier.key, n=len(rows))


def _text(s: Session, rows: Sequence[Delivery], m: Moment) -> str:
    alerts = {a.id: a for a in s.scalars(select(Alert).where(Alert.id.in_([r.alert for r in rows])))}
    calls = [(r.level, f"{m.names.place(a.site, a.area, 'zh')} {subject(a, m.names, 'zh')}".strip())
             for r in rows for a in [alerts[r.alert]]]
    return folded(calls, f"{local(min(r.until for r in rows)):%H:%M:%S}", rows[0].scope == "exercise")


def _relead(s: Session, m: Moment) -> None:
    """The carrier's own alert was answered before its message left: the worst of the others carries them on."""
    other = aliased(Delivery)
    lost = s.scalars(
        select(Delivery.folded).distinct().join(other, other.key == Delivery.folded)
        .where(Delivery.state == "pending", Delivery.folded != Delivery.key, other.state == "dropped")
    ).all()
    for key in lost:
        gone = s.get_one(Delivery, key)
        rows = list(s.scalars(select(Delivery).where(Delivery.folded == key, Delivery.state == "pending")
                              .order_by(Delivery.level.desc(), Delivery.created, Delivery.key)))
        for row in rows:
            row.folded, row.attempts, row.next_at = rows[0].key if len(rows) > 1 else None, gone.attempts, gone.next_at
        if len(rows) > 1:
            rows[0].text = _text(s, rows, m)


def leaves(s: Session, row: Delivery, now: int, again_at: int) -> tuple[tuple[str, str], ...]:
    """Before an attempt: its time and its lease, on all rows of the message; (key, alert) of them when there are several."""
    row.attempts, row.next_at, row.went = row.attempts + 1, again_at, now
    if not row.folded:
        return ()
    others = (Delivery.folded == row.key, Delivery.key != row.key, Delivery.state == "pending")
    s.execute(update(Delivery).where(*others).values(attempts=row.attempts, next_at=again_at, went=now))
    found = s.execute(select(Delivery.key, Delivery.alert).where(*others).order_by(Delivery.level.desc(), Delivery.created))
    return ((row.key, row.alert), *((key, alert) for key, alert in found))


def together(s: Session, key: str) -> list[Delivery]:
    """All rows of the message that has this key, its carrier first; none when there is no such message."""
    carrier = s.get(Delivery, key, with_for_update=True)
    if carrier is None:
        return []
    if carrier.folded != key:
        return [carrier]
    others = s.scalars(select(Delivery).where(Delivery.folded == key, Delivery.key != key)
                       .order_by(Delivery.level.desc(), Delivery.created, Delivery.key).with_for_update())
    return [carrier, *others]


def spent(s: Session, channel: str, address: str, since: int) -> Iterable[int]:
    """When messages left for an address since then: what a new leader must count as spent."""
    went = s.scalars(select(Delivery.went).where(Delivery.channel == channel, Delivery.address == address, LEADS,
                                                 Delivery.went > since))
    return [at for at in went if at is not None]
