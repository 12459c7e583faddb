"""What people do with a lead 线索: close it with what it was and why, take it up again. A transaction and an audit row each."""

from __future__ import annotations

from sqlalchemy.orm import Session

from streams.desk.alert import REASON, Actor, Disposition, Refused
from streams.desk.calling import routes
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.people.current import permit
from streams.desk.people.rights import Act, Facts
from streams.desk.store import audit
from streams.desk.tables import Lead

OUTCOMES = (Disposition.TRUE, Disposition.FALSE, Disposition.FAULT)
"""What a lead turned out to be."""


def facts_of(row: Lead, names: Names) -> Facts:
    """What an act on a lead is about, for rights: its place, as for a warning."""
    return Facts(row.pack, routes.areas_of(names.city, row.site, row.area), names.agency(row.site), row.level)


def close(s: Session, id_: str, outcome: str, reason: str, actor: Actor, m: Moment) -> Lead:
    """Somebody looked into it: what it was, and why. KeyError when there is no such lead; Refused when it is closed already."""
    row = _mine(s, id_, actor, m)
    if row.closed is not None:
        raise Refused("leads.raced", who=row.closed_by or "—", time=row.closed)
    if outcome not in OUTCOMES:
        raise Refused("err.disposition")
    _said(reason)
    row.closed, row.closed_by, row.outcome, row.reason = m.now, actor.who, outcome, reason.strip()
    audit(s, m.now, "lead_closed", post=actor.post, lead=row.id, detector=row.path, level=row.level, disposition=outcome,
          reason=row.reason)
    return row


def reopen(s: Session, id_: str, reason: str, actor: Actor, m: Moment) -> Lead:
    """It was closed too early. KeyError when there is no such lead; Refused when it is open."""
    row = _mine(s, id_, actor, m)
    if row.closed is None:
        raise Refused("err.open")
    _said(reason)
    row.closed, row.closed_by, row.outcome, row.reason = None, "", "", ""
    audit(s, m.now, "lead_reopened", post=actor.post, lead=row.id, detector=row.path, level=row.level, reason=reason.strip())
    return row


def _mine(s: Session, id_: str, actor: Actor, m: Moment) -> Lead:
    """The lead, locked, for one who may act on it. An analyst has an account and may have no post."""
    row = s.get(Lead, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    permit(Act.LEAD, facts_of(row, m.names))
    if not actor.who:
        raise Refused("err.post")
    return row


def _said(reason: str) -> None:
    if len(reason.strip()) < REASON:
        raise Refused("err.reason")
