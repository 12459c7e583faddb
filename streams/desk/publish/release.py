"""对外预警: submitted by one person (报批), released or refused by another, ended by a Cancel (解除). One transaction each.

The chain of an alert: an Alert begins it, Updates follow, a Cancel ends it; then a new Alert may begin. Each message refers to
all that came before it in its chain. Nothing is public before a person released it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from streams.desk.alert import REASON, Actor, Refused
from streams.desk.folding.fold import Moment
from streams.desk.publish import cap, cap_check, national
from streams.desk.publish.bulletin import Bulletin, Draft, Reference, Words, bulletin, draft
from streams.desk.publish.tables import Publication
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert

LONGEST = {"headline": 160, "description": 2000, "instruction": 2000}
"""Characters that a person may write."""


def chain(s: Session, alert: str) -> list[Publication]:
    """All messages of an alert, oldest first."""
    return list(s.scalars(select(Publication).where(Publication.alert == alert).order_by(Publication.n)))


def published(rows: list[Publication]) -> list[Publication]:
    """Those of the chain under way that are out; none after a Cancel."""
    out = [row for row in rows if row.state == "published"]
    return [] if not out or out[-1].kind == "Cancel" else [row for row in out if row.chain == out[-1].chain]


def in_force(row: Publication, rows: list[Publication], now: int) -> bool:
    """Whether a message is the one that holds: out, not over, nothing after it."""
    live = published(rows)
    return bool(live) and live[-1].id == row.id and (row.expires or 0) > now


def next_kind(rows: list[Publication]) -> str:
    """What would come next: Alert, or Update while a chain is under way."""
    return "Update" if published(rows) else "Alert"


def submit(s: Session, id_: str, kind: str, actor: Actor, m: Moment, said: Mapping[str, str]) -> Publication:
    """报批: `said` holds what a person wrote (`headline`, `headline_en` …; empty = ours), `hours` and `note`.

    KeyError without such an alert; Refused when it cannot be.
    """
    alert = alert_for(s, id_)
    if alert is None:
        raise KeyError(id_)
    rows = chain(s, id_)
    _submittable(alert, rows, kind, actor, said.get("note", ""))
    made = _written(draft(alert, m.names, kind), said)
    if kind == "Cancel" and rows:
        made = replace(made, level=published(rows)[-1].level)
    live = published(rows)
    row = Publication(
        id=f"wl-{alert.id}-{len(rows) + 1}",
        alert=alert.id,
        n=len(rows) + 1,
        kind=kind,
        state="proposed",
        scope=alert.scope,
        chain=live[-1].chain if live else max((r.chain for r in rows), default=0) + 1,
        level=made.level,
        words={"zh": asdict(made.zh), "en": asdict(made.en)},
        valid=made.valid,
        note=made.note,
        proposed=m.now,
        proposed_by=actor.post,
        proposer=actor.who,
    )
    faults = cap_check.faults(cap.document(written(row, alert, m, live)))
    if faults:
        raise Refused("pub.invalid", what=faults[0])
    s.add(row)
    audit(
        s,
        m.now,
        "submitted",
        alert,
        actor.post,
        publication=row.id,
        kind=kind,
        to=row.level,
        headline=made.zh.headline,
        note=made.note,
    )
    return row


def _submittable(alert: Alert, rows: list[Publication], kind: str, actor: Actor, note: str) -> None:
    if not actor.post:
        raise Refused("err.post")
    if alert.scope == "shadow":
        raise Refused("pub.shadow")
    if any(row.state == "proposed" for row in rows):
        raise Refused("pub.pending")
    live = published(rows)
    if kind not in ("Alert", "Update", "Cancel") or (kind != "Alert") != bool(live):
        raise Refused("pub.order")
    if kind != "Cancel" and not alert.open:
        raise Refused("err.closed")
    if kind == "Cancel" and len(note.strip()) < REASON:
        raise Refused("err.reason")


def _written(d: Draft, said: Mapping[str, str]) -> Draft:
    """A draft with what a person wrote in place of ours. Refused for hours that are none."""
    hours = said.get("hours", "").strip()
    try:
        valid = float(hours) * 3600 if hours else d.valid
    except ValueError:
        raise Refused("pub.hours") from None
    if not 600 <= valid <= 7 * 86_400:
        raise Refused("pub.hours")
    return replace(
        d, zh=_words(d.zh, said, ""), en=_words(d.en, said, "_en"), valid=valid, note=said.get("note", "").strip()[:400]
    )


def _words(words: Words, said: Mapping[str, str], end: str) -> Words:
    own = {name: text[:most] for name, most in LONGEST.items() if (text := said.get(name + end, "").strip())}
    return replace(words, **own)


def release(s: Session, id_: str, actor: Actor, m: Moment) -> Publication:
    """批准发布: by somebody else than who submitted it. KeyError without such a message."""
    row, alert = _decided(s, id_, actor, m)
    if actor.who == row.proposer or actor.post == row.proposed_by:
        raise Refused("pub.own")
    rows = chain(s, row.alert)
    live = [r for r in published(rows) if r.chain == row.chain]
    made = replace(written(row, alert, m, live), signer=m.names.post(actor.post, "zh"))
    last = max((r.sent or 0 for r in live), default=0)
    if m.now // 1_000_000 <= last // 1_000_000:  # both forms count in seconds: two messages of one second would be one
        raise Refused("pub.second")
    document = cap.document(made)
    faults = cap_check.faults(document)
    if faults:
        raise Refused("pub.invalid", what=faults[0])
    row.state, row.sent, row.expires, row.sender = "published", made.sent, made.expires, made.sender
    row.cap = document.decode()
    row.national = "" if national.lacking(made.unit, made.code) else national.document(made).decode()
    audit(
        s,
        m.now,
        "published",
        alert,
        actor.post,
        publication=row.id,
        kind=row.kind,
        to=row.level,
        by_post=row.proposed_by,
        expires=row.expires,
    )
    return row


def refuse(s: Session, id_: str, actor: Actor, m: Moment, reason: str) -> Publication:
    """退回, with a reason; who submitted it takes it back (撤回) instead. KeyError without such a message."""
    row, alert = _decided(s, id_, actor, m)
    own = actor.who == row.proposer
    if not own and len(reason.strip()) < REASON:
        raise Refused("err.reason")
    row.state, row.reason = "retracted" if own else "refused", reason.strip()[:400]
    audit(s, m.now, "unpublished", alert, actor.post, publication=row.id, kind=row.kind, state=row.state, reason=row.reason)
    return row


def _decided(s: Session, id_: str, actor: Actor, m: Moment) -> tuple[Publication, Alert]:
    row = s.get(Publication, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    if not actor.post:
        raise Refused("err.post")
    if row.state != "proposed":
        raise Refused("pub.decided", who=m.names.post(row.decided_by, "zh") or "—", time=row.decided or row.proposed)
    row.decided, row.decided_by = m.now, actor.post
    alert = alert_for(s, row.alert)
    assert alert is not None
    return row, alert


def written(row: Publication, alert: Alert, m: Moment, live: list[Publication]) -> Bulletin:
    """A row as what both forms are written from, sent now."""
    words: dict[str, Any] = row.words
    plain = draft(alert, m.names, row.kind)
    d = replace(plain, level=row.level, zh=Words(**words["zh"]), en=Words(**words["en"]), valid=row.valid, note=row.note)
    references = tuple(Reference(r.sender, r.id, r.sent or 0) for r in live)
    return bulletin(alert, d, m.names, row.id, m.now - m.now % 1_000_000, references, m.names.post(row.proposed_by, "zh"))


def newest(s: Session, limit: int = 100) -> list[Publication]:
    """Published messages of scope real, the newest first."""
    return list(
        s.scalars(
            select(Publication)
            .where(Publication.state == "published", Publication.scope == "real")
            .order_by(Publication.sent.desc(), Publication.id)
            .limit(limit)
        )
    )


def superseded(s: Session, rows: list[Publication]) -> set[str]:
    """Ids of those after which another message of the same alert came."""
    last = select(Publication.alert, func.max(Publication.n)).where(
        Publication.state == "published", Publication.alert.in_([row.alert for row in rows])
    )
    newest_of = {alert: n for alert, n in s.execute(last.group_by(Publication.alert))}
    return {row.id for row in rows if newest_of.get(row.alert, row.n) != row.n}
