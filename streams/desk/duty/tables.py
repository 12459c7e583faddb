"""Tables of the roster. Times are µs UTC. Names and addresses are personal data: they stand here and nowhere else.

A person's `code` is what the roster, the pages and the audit call them; where people sign in it is the name of their account.
"""
from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from streams.desk.tables import Base


class Person(Base):
    """Somebody who keeps watch. `addresses`: channel -> address."""

    __tablename__ = "person"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    addresses: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Shift(Base):
    """One watch at one post; no person = a gap (空岗). `stands_for` = whose shift a substitute keeps."""

    __tablename__ = "shift"
    id: Mapped[str] = mapped_column(primary_key=True)      # post.202606240800, in the city's time
    post: Mapped[str]
    start: Mapped[int]
    end: Mapped[int]
    label: Mapped[str] = mapped_column(default="")
    person: Mapped[str] = mapped_column(default="")
    stands_for: Mapped[str] = mapped_column(default="")
    __table_args__ = (Index("ix_shift_post", "post", "start"),)


class Swap(Base):
    """An exchange of two shifts; it counts when the other one has agreed."""

    __tablename__ = "swap"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    mine: Mapped[str]                       # shift of who asks
    theirs: Mapped[str]
    asks: Mapped[str]                       # codes
    other: Mapped[str]
    reason: Mapped[str]
    at: Mapped[int]
    state: Mapped[str]                      # asked, agreed, refused
    answered: Mapped[int | None]


class Handover(Base):
    """The change to one shift: signed by who goes and by who comes; only then it has happened."""

    __tablename__ = "handover"
    shift: Mapped[str] = mapped_column(primary_key=True)    # the one that begins
    post: Mapped[str]
    outgoing: Mapped[str] = mapped_column(default="")
    incoming: Mapped[str] = mapped_column(default="")
    out_at: Mapped[int | None]
    in_at: Mapped[int | None]
    out_by: Mapped[str] = mapped_column(default="")         # account or post that signed
    in_by: Mapped[str] = mapped_column(default="")
    seen: Mapped[list[Any]] = mapped_column(default=list)   # reds that were ticked
    note: Mapped[str] = mapped_column(default="")
    seq: Mapped[int | None]                                 # audit row of the last signature
    plan: Mapped[str] = mapped_column(default="", server_default="")      # in force at the last signature


class Calendar(Base):
    """An address at which a post's shifts are read as iCalendar; the token itself is not kept."""

    __tablename__ = "calendar"
    hash: Mapped[str] = mapped_column(primary_key=True)
    post: Mapped[str]
    at: Mapped[int]


class Draft(Base):
    """An uploaded roster that was looked at and not yet put into force; gone after a day."""

    __tablename__ = "draft"
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int]
    body: Mapped[dict[str, Any]]
