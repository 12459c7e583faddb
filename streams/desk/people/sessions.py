"""Sessions: a random secret in the browser, its hash here; idle and absolute end; each can be ended from afar."""

from __future__ import annotations

import secrets
from hashlib import blake2b, sha256

from sqlalchemy import delete, or_, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from streams.desk.people.tables import AccountRow, SessionRow
from streams.desk.store import Store

COOKIE = "wanglou"
TOUCH = 60_000_000
"""µs: `seen` is written at most so often."""


def begin(
    s: Session, account: str, how: str, now: int, ends: int, idle: int = 0, address: str = "", label: str = ""
) -> tuple[str, SessionRow]:
    """A new session: its secret, which is not kept, and its row. What ended long ago is cleared away."""
    s.execute(delete(SessionRow).where(or_(SessionRow.ends <= now,
                                           (SessionRow.idle > 0) & (SessionRow.seen + SessionRow.idle <= now))))
    token = secrets.token_urlsafe(32)
    row = SessionRow(id=key_of(token), account=account, how=how, label=label, address=address, created=now, seen=now,
                     idle=idle, ends=ends)
    s.add(row)
    return token, row


def key_of(token: str) -> str:
    """Under which a secret is kept. It has 256 random bits, so a plain hash is enough."""
    return sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """What the forms of this session carry: known to its own pages only."""
    return blake2b(b"csrf", key=sha256(token.encode()).digest(), digest_size=16).hexdigest()


def find(s: Session, token: str, now: int) -> tuple[SessionRow, AccountRow] | None:
    """The session that has this secret and its account, if neither ended nor is locked."""
    found = s.execute(
        select(SessionRow, AccountRow).join(AccountRow, AccountRow.name == SessionRow.account)
        .where(SessionRow.id == key_of(token), AccountRow.locked.is_(False))
    ).first()
    return (found[0], found[1]) if found and alive(found[0], now) else None


def alive(row: SessionRow, now: int) -> bool:
    """Neither over nor idle for too long."""
    return now < row.ends and (not row.idle or now < row.seen + row.idle)


def touch(s: Session, id_: str, now: int) -> None:
    """It is in use."""
    row = s.get(SessionRow, id_)
    if row is not None:
        row.seen = now


def in_use(store: Store, id_: str, now: int) -> bool:
    """Whether a session still is, for a page that is open: which is use, so it does not go idle before its absolute end."""
    with store.read() as s:
        row = s.get(SessionRow, id_)
    if row is None or not alive(row, now):
        return False
    if now - row.seen >= TOUCH:
        with store.begin() as s:
            touch(s, id_, now)
    return True


def of(s: Session, account: str, now: int) -> list[SessionRow]:
    """The sessions of an account that still are, the one used last first."""
    rows = s.scalars(select(SessionRow).where(SessionRow.account == account).order_by(SessionRow.seen.desc(), SessionRow.id))
    return [r for r in rows if alive(r, now)]


def forget(s: Session, token: str) -> None:
    """End the session that has this secret."""
    _delete(s, SessionRow.id == key_of(token))


def end(s: Session, account: str, id_: str) -> int:
    """End one session of an account; how many ended."""
    return _delete(s, (SessionRow.account == account) & (SessionRow.id == id_))


def end_all(s: Session, account: str) -> int:
    """退出全部; how many ended."""
    return _delete(s, SessionRow.account == account)


def _delete(s: Session, which: object) -> int:
    done = s.execute(delete(SessionRow).where(which))  # type: ignore[arg-type]
    return done.rowcount if isinstance(done, CursorResult) else 0
