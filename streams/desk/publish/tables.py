"""Tables of what leaves the desk and of what keeps it quiet. All times are int64 µs UTC, wall clock."""
from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from streams.desk.tables import Base


class Publication(Base):
    """One message of a public warning: submitted by one person, released by another."""

    __tablename__ = "publication"
    id: Mapped[str] = mapped_column(primary_key=True)           # also the CAP identifier
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), index=True)
    n: Mapped[int]                                              # of this alert's messages
    chain: Mapped[int]                                          # an Alert begins one, a Cancel ends it
    kind: Mapped[str]                                           # Alert, Update, Cancel
    state: Mapped[str]                                          # proposed, published, refused, retracted
    scope: Mapped[str]
    level: Mapped[int]
    words: Mapped[dict[str, Any]]                               # lang -> issuer, event, headline, description, instruction, area
    valid: Mapped[float]                                        # seconds
    note: Mapped[str] = mapped_column(default="")               # why it is cancelled
    proposed: Mapped[int]
    proposed_by: Mapped[str]
    proposer: Mapped[str] = mapped_column(default="")           # who counts as the same person (Actor.who)
    decided: Mapped[int | None]
    decided_by: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")             # why it was refused
    sent: Mapped[int | None]
    expires: Mapped[int | None]
    sender: Mapped[str] = mapped_column(default="")
    cap: Mapped[str] = mapped_column(default="")
    national: Mapped[str] = mapped_column(default="")
    __table_args__ = (Index("ix_publication_state", "state", "sent"),)


class Silence(Base):
    """屏蔽 or a maintenance window: alerts of this scope, up to this level, call nobody from `start` to `until`."""

    __tablename__ = "silence"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]                                           # mute, window
    pack: Mapped[str] = mapped_column(default="")
    indicator: Mapped[str] = mapped_column(default="")
    detector: Mapped[str] = mapped_column(default="")
    site: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    level: Mapped[int]                                          # the worst that it covers
    reason: Mapped[str]
    owner: Mapped[str]                                          # post
    made: Mapped[int]
    start: Mapped[int]
    until: Mapped[int]
    state: Mapped[str]                                          # planned, told (announced), running, over
    ended_by: Mapped[str] = mapped_column(default="")           # "" = by itself
    __table_args__ = (Index("ix_silence_state", "state", "until"),)


class WorkOrder(Base):
    """派单: what a unit outside is asked to do about an alert, and how far it says it is."""

    __tablename__ = "work_order"
    id: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), index=True)
    unit: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]                                          # ordered, handed, accepted, doing, done, refused, cancelled
    made: Mapped[int]
    made_by: Mapped[str]
    due: Mapped[int | None]
    changed: Mapped[int]
    note: Mapped[str] = mapped_column(default="")               # the unit's last words
    token: Mapped[str] = mapped_column(index=True)              # SHA-256 of the token in the address for its answers


class Parcel(Base):
    """An outbox row for what is no call of an alert: work orders, announcements of windows, readings made by hand."""

    __tablename__ = "parcel"
    id: Mapped[str] = mapped_column(primary_key=True)           # also the idempotency key
    kind: Mapped[str]                                           # work, announce, readings
    ref: Mapped[str] = mapped_column(default="", index=True)    # the work order or silence that it is about
    body: Mapped[dict[str, Any]]
    state: Mapped[str]                                          # pending, sent, parked
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[int]
    created: Mapped[int]
    sent_at: Mapped[int | None]
    detail: Mapped[str] = mapped_column(default="")
    __table_args__ = (Index("ix_parcel_due", "state", "next_at"),)
