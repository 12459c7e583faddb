"""Accounts in the database: made, changed, locked, checked; each change with its audit row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.people import passwords, sessions
from streams.desk.people.rights import Account, Role
from streams.desk.people.tables import AccountRow
from streams.desk.store import audit
from streams.errors import UsageError

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


def account_of(row: AccountRow) -> Account:
    """A row as rights see it. A role that this version does not know gives no rights."""
    known = {str(r) for r in Role}
    roles = tuple(Role(r) for r in row.roles if r in known)
    return Account(row.name, roles, tuple(row.areas), tuple(row.agencies), tuple(row.posts))


def any_there(s: Session) -> bool:
    """Whether this desk has accounts, so that signing in is demanded. A locked one counts."""
    return s.scalar(select(AccountRow.name).limit(1)) is not None


def every(s: Session) -> list[AccountRow]:
    """All accounts by name."""
    return list(s.scalars(select(AccountRow).order_by(AccountRow.name)))


def one(s: Session, name: str) -> AccountRow:
    """An account. UsageError when there is none."""
    row = s.get(AccountRow, name.strip().lower(), with_for_update=True)
    if row is None:
        raise UsageError(f"{name}: no such account")
    return row


def add(
    s: Session, name: str, password: str, roles: Sequence[str], now: int, areas: Sequence[str] = (),
    agencies: Sequence[str] = (), posts: Sequence[str] = (), subject: str = "",
) -> AccountRow:
    """A new account. `password` may be "" only where a foreign sign-in (`subject`) stands in for it. UsageError says why not."""
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r}: an account name is 2 to 40 of a-z 0-9 . _ -, and begins with a letter or a digit")
    if s.get(AccountRow, name) is not None:
        raise UsageError(f"{name}: there is such an account already")
    if subject and s.scalar(select(AccountRow.name).where(AccountRow.subject == subject)):
        raise UsageError(f"{subject}: another account has this subject")
    if not password and not subject:
        raise UsageError(f"{name}: needs a password")
    row = AccountRow(
        name=name, hash=passwords.hashed(password, name) if password else "", subject=subject or None, roles=known(roles),
        areas=list(areas), agencies=list(agencies), posts=list(posts), locked=False, created=now, changed=now,
    )
    s.add(row)
    s.flush()
    audit(s, now, "account", what="added", name=name, roles=row.roles, areas=row.areas, agencies=row.agencies, posts=row.posts)
    return row


def known(roles: Sequence[str]) -> list[str]:
    """The roles, if they all are ones. UsageError otherwise."""
    wrong = [r for r in roles if r not in set(Role)]
    if wrong or not roles:
        raise UsageError(f"role {', '.join(wrong) or '(none)'}: take {', '.join(Role)}")
    return list(dict.fromkeys(roles))


def lock(s: Session, name: str, locked: bool, now: int) -> AccountRow:
    """Lock or unlock; locking ends its sessions."""
    row = one(s, name)
    row.locked = locked
    ended = sessions.end_all(s, row.name) if locked else 0
    audit(s, now, "account", what="locked" if locked else "unlocked", name=row.name, sessions=ended or None)
    return row


def set_password(s: Session, name: str, password: str, now: int) -> AccountRow:
    """A new password; all its sessions end."""
    row = one(s, name)
    row.hash, row.changed = passwords.hashed(password, row.name), now
    audit(s, now, "account", what="password", name=row.name, sessions=sessions.end_all(s, row.name) or None)
    return row


def checked(row: AccountRow | None, password: str) -> bool:
    """Whether this is the account's password and it is not locked. Takes as long when there is no such account."""
    fits = passwords.fits(row.hash if row else "", password)
    return fits and row is not None and not row.locked


def change(s: Session, name: str, now: int, given: dict[str, list[str]]) -> AccountRow:
    """New roles, areas, agencies or posts; they hold from the next request on."""
    row = one(s, name)
    if "roles" in given:
        given = given | {"roles": known(given["roles"])}
    for field, values in given.items():
        setattr(row, field, list(values))
    audit(s, now, "account", what="changed", name=row.name, given=given)
    return row


def token(s: Session, name: str, label: str, now: int, days: int) -> str:
    """A token for a program with the rights of an account; only its hash is kept."""
    row = one(s, name)
    made, _ = sessions.begin(s, row.name, "token", now, now + days * 86_400_000_000, label=label[:80])
    audit(s, now, "account", what="token", name=row.name, label=label[:80], days=days)
    return made
