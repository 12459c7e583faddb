"""Answer links: signed, for one post, one warning, one step; good until 20 minutes after the step's end, and for one answer.

A token is the key of the delivery that carried it and a signature over what it is for. It signs nobody in.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk import acts
from streams.desk.alert import Move, Refused
from streams.desk.calling.calls import UNANSWERED
from streams.desk.folding.fold import Moment
from streams.desk.people.tables import LinkUse, Secret
from streams.desk.store import Store, alert_for, audit
from streams.desk.tables import Alert, Delivery

GRACE = 20 * 60_000_000
"""µs after the end of a step in which its link still answers."""
LENGTH = 16
"""Characters of a signature: 96 bits."""
SHAPE = re.compile(r"[A-Za-z0-9_-]{20,80}")
MOVES = {"answer": Move.ANSWER, "pass": Move.PASS}


@dataclass(frozen=True)
class Link:
    """What a token stands for. `why` = "" while it is good, else altered, expired, step or used."""

    why: str
    rows: tuple[Delivery, ...] = ()         # the calls that its message spoke for, the carrier first


def token_of(secret: str, row: Delivery) -> str:
    """The token of one delivery."""
    said = "\n".join(("answer", row.key, row.alert, str(row.run), str(row.n), row.post, str(row.until)))
    digest = hmac.new(bytes.fromhex(secret), said.encode(), sha256).digest()
    return row.key + urlsafe_b64encode(digest[: LENGTH * 3 // 4]).decode()


def secret_of(s: Session) -> str:
    """The key that signs, made with the tables."""
    return s.get_one(Secret, "link").value


def links(store: Store, public: str) -> Callable[[Delivery], str]:
    """Makes the address that a message carries: `https://desk.example.cn/a/…`."""
    with store.read() as s:
        secret = secret_of(s)
    return lambda row: f"{public.rstrip('/')}/a/{token_of(secret, row)}"


def find(s: Session, token: str, now: int) -> Link:
    """What a token stands for at `now`. Changes nothing."""
    row = s.get(Delivery, token[:-LENGTH]) if SHAPE.fullmatch(token) else None
    if row is None or not hmac.compare_digest(token_of(secret_of(s), row).encode(), token.encode()):
        return Link("altered")
    alert = s.get_one(Alert, row.alert)
    why = ""
    if s.get(LinkUse, (row.alert, row.run, row.n)) is not None:
        why = "used"
    elif now > row.until + GRACE:
        why = "expired"
    elif row.run != alert.run or not alert.open:
        why = "step"
    others = s.scalars(select(Delivery).where(Delivery.folded == row.key, Delivery.key != row.key)
                       .order_by(Delivery.level.desc(), Delivery.created, Delivery.key))
    return Link(why, (row, *others))


def use(s: Session, token: str, move: Move, m: Moment) -> Link:
    """Answer, or pass on, as the post that was called; then none of the step's links is good any more.

    Refused when the move is not legal now; a link that is no good (`why`) moves nothing and is told to the audit.
    """
    link = find(s, token, m.now)
    if link.rows:
        alert_for(s, link.rows[0].alert)            # of two that come at once the second waits here, and finds it used
        link = find(s, token, m.now)
    if link.why:
        refuse(s, link, m)
        return link
    for place, row in enumerate(link.rows):
        if s.get(LinkUse, (row.alert, row.run, row.n)) is not None:
            continue
        try:
            _one(s, row, move, m, place == 0)
        except Refused:
            if not place:
                raise
            continue
        s.add(LinkUse(alert=row.alert, run=row.run, n=row.n, at=m.now))
    return link


def _one(s: Session, row: Delivery, move: Move, m: Moment, first: bool) -> None:
    alert = s.get_one(Alert, row.alert)
    if first or (row.run == alert.run and alert.state in UNANSWERED):
        acts.perform(s, row.alert, move, m.names.actor(row.post), m)


def refuse(s: Session, link: Link, m: Moment, why: str = "") -> None:
    """A link that was not taken, on record with its reason; nothing else changes."""
    row = link.rows[0] if link.rows else None
    audit(s, m.now, "link", s.get(Alert, row.alert) if row else None, row.post if row else "", why=why or link.why,
          n=row.n if row else None, key=row.key if row else None)
