"""Deliveries that were given up (parked): found for a person to see, and sent again by one. The repeat is marked 重发."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.alert import Actor, Refused
from streams.desk.calling import outbox
from streams.desk.folding.fold import Moment
from streams.desk.store import audit
from streams.desk.tables import Alert, Delivery

MOST = 200


def waiting(s: Session) -> list[tuple[Delivery, Alert]]:
    """Messages of open warnings that were given up, then those that failed and are tried again, each group the worst first."""
    rows = s.execute(
        select(Delivery, Alert)
        .join(Alert, Alert.id == Delivery.alert)
        .where(Alert.open, outbox.LEADS, (Delivery.state == "parked") | ((Delivery.state == "pending") & (Delivery.attempts > 0)))
        .order_by(Delivery.state, Delivery.level.desc(), Delivery.next_at)
        .limit(MOST)
    )
    return [(d, a) for d, a in rows]


def resend(s: Session, key: str, actor: Actor, m: Moment) -> Delivery:
    """Send a parked message once more, with all calls it speaks for; it leaves at the next look, under its own key.

    KeyError when there is no such delivery; Refused when nothing of it is parked, or its warning is closed.
    """
    found = s.get(Delivery, key)
    if found is None:
        raise KeyError(key)
    if not actor.post:
        raise Refused("err.post")
    rows = [row for row in outbox.together(s, found.folded or key) if row.state == "parked"]
    if not rows:
        raise Refused("err.parked")
    if not any(s.get_one(Alert, row.alert).open for row in rows):
        raise Refused("err.closed")
    for row in rows:
        tried, row.state, row.receipt, row.next_at = row.attempts, "pending", "", m.now
        row.attempts = 1        # all its time again, and the repeat says that it is one
        audit(s, m.now, "resent", s.get(Alert, row.alert), actor.post, channel=row.channel, to_post=row.post, n=row.n,
              attempts=tried, detail=row.detail)
    return rows[0]
