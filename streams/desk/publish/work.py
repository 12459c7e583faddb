"""派单: an alert's work handed to a unit outside (基层、141), and what it says of it. An alert is not closed while one is open.

Out: a POST of JSON, `Idempotency-Key` = the order's id, `X-Wanglou-Signature: sha256=…` over the body (signing.py). Back: a POST
to the address that came with it, `/receipt/work/TOKEN`, signed too: `{"status": "accepted|doing|done|refused", "note": "…"}`.
"""
from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.level import Level
from detectors.pack import Unit
from streams.clock import iso
from streams.desk import acts
from streams.desk.alert import REASON, Actor, Refused
from streams.desk.folding.fold import Moment
from streams.desk.messages import subject
from streams.desk.publish.tables import Parcel, WorkOrder
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert

OPEN = ("ordered", "handed", "accepted", "doing")
STATES = (*OPEN, "done", "refused", "cancelled")
SAYS = ("accepted", "doing", "done", "refused")
"""What a unit may say."""
BEFORE = {"accepted": ("ordered", "handed"), "doing": ("ordered", "handed", "accepted"),
          "done": ("ordered", "handed", "accepted", "doing"), "refused": ("ordered", "handed", "accepted", "doing")}
"""Where an order may stand before each of these."""


def unit(m: Moment, id_: str) -> Unit | None:
    """A unit of the plan in force."""
    return next((u for u in m.names.city.outward.units if u.id == id_), None)


def orders(s: Session, alert: str) -> list[WorkOrder]:
    """An alert's orders, oldest first."""
    return list(s.scalars(select(WorkOrder).where(WorkOrder.alert == alert).order_by(WorkOrder.made, WorkOrder.id)))


def order(s: Session, id_: str, unit_id: str, text: str, due: int | None, actor: Actor, m: Moment) -> WorkOrder:
    """Hand out work. KeyError without such an alert; Refused without a unit or words."""
    alert = alert_for(s, id_)
    if alert is None:
        raise KeyError(id_)
    to = unit(m, unit_id)
    if not actor.post:
        raise Refused("err.post")
    if to is None:
        raise Refused("work.no_unit")
    if not alert.open or alert.scope == "shadow":
        raise Refused("err.closed")
    if len(text.strip()) < REASON:
        raise Refused("err.reason")
    token, n = secrets.token_urlsafe(24), len(orders(s, id_)) + 1
    row = WorkOrder(id=f"{alert.id}-w{n}", alert=alert.id, unit=to.id, text=text.strip()[:2000], state="ordered", made=m.now,
                    made_by=actor.post, due=due, changed=m.now, token=hashed(token))
    s.add(row)
    s.add(_parcel(row, alert, to, "order", token, m))
    audit(s, m.now, "ordered", alert, actor.post, order=row.id, unit=to.id, text=row.text, due=due)
    return row


def _parcel(row: WorkOrder, alert: Alert, to: Unit, kind: str, token: str, m: Moment) -> Parcel:
    said = {"version": 1, "kind": kind, "id": row.id, "alert": alert.id, "level": Level(alert.level or alert.shown).word,
            "scope": alert.scope, "title": subject(alert, m.names, "zh"), "place": m.names.place(alert.site, alert.area, "zh"),
            "text": row.text, "made": iso(row.made), "due": iso(row.due) if row.due else None, "note": row.note}
    return Parcel(id=row.id if kind == "order" else f"{row.id}-{kind}", kind="work", ref=row.id, state="pending", next_at=m.now,
                  created=m.now, body={"unit": to.id, "said": said, "token": token})


def cancel(s: Session, id_: str, reason: str, actor: Actor, m: Moment) -> WorkOrder:
    """Take an order back; the unit is told. KeyError without such an order."""
    row = s.get(WorkOrder, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    if not actor.post:
        raise Refused("err.post")
    if row.state not in OPEN:
        raise Refused("work.over")
    if len(reason.strip()) < REASON:
        raise Refused("err.reason")
    alert, to = alert_for(s, row.alert), unit(m, row.unit)
    assert alert is not None
    row.state, row.changed, row.note = "cancelled", m.now, reason.strip()[:400]
    waiting = s.get(Parcel, row.id)
    if waiting is not None and waiting.state != "sent":
        waiting.state, waiting.body = "dropped", waiting.body | {"token": ""}
    if to is not None:
        s.add(_parcel(row, alert, to, "cancel", "", m))
    audit(s, m.now, "order_cancelled", alert, actor.post, order=row.id, unit=row.unit, reason=row.note)
    return row


def hashed(token: str) -> str:
    """What the database keeps of a token."""
    return sha256(token.encode()).hexdigest()


def find(s: Session, token: str) -> WorkOrder | None:
    """The order that a token belongs to."""
    return s.scalar(select(WorkOrder).where(WorkOrder.token == hashed(token)).with_for_update())


def heard(s: Session, row: WorkOrder, status: str, note: str, m: Moment) -> bool:
    """What a unit says; whether anything changed. Refused when the order is over, or cannot go there from where it stands."""
    if status not in SAYS:
        raise Refused("work.status")
    if row.state == status:
        return False
    if row.state not in BEFORE[status]:
        raise Refused("work.over")
    row.state, row.note, row.changed = status, note.strip()[:400], m.now
    audit(s, m.now, f"order_{status}", alert_for(s, row.alert), order=row.id, unit=row.unit, reason=row.note)
    return True


def waits(s: Session, alert: Alert) -> Refused | None:
    """Why an alert cannot be closed yet."""
    n = sum(row.state in OPEN for row in orders(s, alert.id))
    return Refused("work.open", n=str(n)) if n else None


acts.HOLDS.append(waits)
