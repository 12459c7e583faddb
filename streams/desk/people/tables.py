"""Tables of accounts, sessions, secrets and used answer links. Times are int64 µs UTC of the wall clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from streams.desk.tables import Base


class AccountRow(Base):
    """One account. `hash` is argon2id's own text, "" = no password; `subject` = `issuer|sub` of a foreign sign-in."""

    __tablename__ = "account"
    name: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(default="")
    subject: Mapped[str | None] = mapped_column(unique=True)
    roles: Mapped[list[Any]] = mapped_column(default=list)
    areas: Mapped[list[Any]] = mapped_column(default=list)
    agencies: Mapped[list[Any]] = mapped_column(default=list)
    posts: Mapped[list[Any]] = mapped_column(default=list)
    locked: Mapped[bool] = mapped_column(default=False, server_default=false())
    created: Mapped[int]
    changed: Mapped[int]                    # the password


class SessionRow(Base):
    """One browser that signed in, or one program's token. Only the hash of its secret is kept."""

    __tablename__ = "session"
    id: Mapped[str] = mapped_column(primary_key=True)          # SHA-256 of the secret, hex
    account: Mapped[str] = mapped_column(ForeignKey("account.name"), index=True)
    how: Mapped[str]                                            # password, oidc, token
    label: Mapped[str] = mapped_column(default="")             # the browser's own name, shortened
    address: Mapped[str] = mapped_column(default="")
    created: Mapped[int]
    seen: Mapped[int]
    idle: Mapped[int] = mapped_column(default=0)               # µs without use after which it ends; 0 = never for that
    ends: Mapped[int]


class Secret(Base):
    """A key that this desk made for itself: `link` signs answer links."""

    __tablename__ = "secret"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class LinkUse(Base):
    """The answer link of one step was used: none of its links is valid any more."""

    __tablename__ = "link_use"
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int]
