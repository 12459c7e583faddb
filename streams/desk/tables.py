"""The desk's tables (desk.db). All times are int64 µs UTC; `at`, `due_at`, `until` are wall clock, `time`, `onset`,
`since`, `arrived` are the log's own clock (scenario time in a played history).
"""
from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, MetaData, String, UniqueConstraint, false, text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """All tables of the desk, with names for every constraint so that migrations can find them."""

    metadata = MetaData(naming_convention={"ix": "ix_%(column_0_label)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
                                           "fk": "fk_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"})
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger, str: String, dict[str, Any]: JSON, list[Any]: JSON}


class Alert(Base):
    """One 预警单. Open = no person has closed it; at most one is open for a `key`."""

    __tablename__ = "alert"
    id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    open: Mapped[bool] = mapped_column(default=True, server_default=true())
    state: Mapped[str]
    pack: Mapped[str] = mapped_column(default="")
    indicator: Mapped[str] = mapped_column(default="")
    detector: Mapped[str] = mapped_column(default="")
    rule: Mapped[str] = mapped_column(default="")
    site: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    scope: Mapped[str] = mapped_column(default="real")
    level: Mapped[int] = mapped_column(default=0)           # max of members, now
    shown: Mapped[int] = mapped_column(default=0)           # the last level above normal
    first: Mapped[int] = mapped_column(default=0)           # the level it was opened with
    peak: Mapped[int] = mapped_column(default=0, server_default=text("0"))      # the worst level it ever had
    direction: Mapped[str] = mapped_column(default="")
    confidence: Mapped[str] = mapped_column(default="good")
    check: Mapped[str] = mapped_column(default="")
    value: Mapped[float | None]
    score: Mapped[float | None]
    bound: Mapped[float | None]
    time: Mapped[int] = mapped_column(default=0)
    arrived: Mapped[int] = mapped_column(default=0)
    onset: Mapped[int] = mapped_column(default=0)
    since: Mapped[int | None]
    forecast: Mapped[list[Any] | None]                      # [event time, median s, low s, high s, limit]
    silent_since: Mapped[int | None]
    as_of: Mapped[int | None]
    covers: Mapped[bool] = mapped_column(default=False, server_default=false())
    members: Mapped[list[Any]] = mapped_column(default=list)     # series that hold (rules)
    covered_by: Mapped[str | None]
    retired: Mapped[bool] = mapped_column(default=False, server_default=false())
    withdrawn: Mapped[bool] = mapped_column(default=False, server_default=false())
    revised: Mapped[int] = mapped_column(default=0)
    owed: Mapped[int] = mapped_column(default=0)            # a rise to this level still wants its ladder
    run: Mapped[int] = mapped_column(default=0)             # how many ladders were begun
    ladder: Mapped[str] = mapped_column(default="")
    opened: Mapped[int] = mapped_column(default=0)
    raised: Mapped[int] = mapped_column(default=0)          # wall clock of the last rise
    called: Mapped[int | None]                              # first call of this run
    answered: Mapped[int | None]
    answered_by: Mapped[str] = mapped_column(default="")
    back: Mapped[int | None]                                # level 0 since (log's clock)
    acted: Mapped[int | None]
    acted_by: Mapped[str] = mapped_column(default="")
    news: Mapped[str] = mapped_column(default="")
    due: Mapped[int | None]                                 # the next news is expected by then (wall clock)
    idle_at: Mapped[int | None]                             # it was said that none came
    offered: Mapped[str] = mapped_column(default="", server_default="")         # 转交: the post that is to take it
    verified: Mapped[int | None]
    verified_by: Mapped[str] = mapped_column(default="", server_default="")
    closed: Mapped[int | None]
    closed_by: Mapped[str] = mapped_column(default="")
    muted: Mapped[str | None]                               # the silence (publish/tables.py) under which nobody is called
    muted_by: Mapped[str] = mapped_column(default="", server_default="")
    muted_at: Mapped[int | None]                            # since when without a break
    muted_until: Mapped[int | None]
    disposition: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    plan: Mapped[str] = mapped_column(default="")
    rev: Mapped[int] = mapped_column(default=0)             # seq of its newest audit row
    __table_args__ = (Index("uq_alert_open", "key", unique=True, sqlite_where=text("open = 1"), postgresql_where=text("open")),
                      Index("ix_alert_state", "open", "state"))


class Member(Base):
    """One chain of detector events (`Change.alert`) that an alert is made of."""

    __tablename__ = "member"
    id: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), index=True)
    detector: Mapped[str] = mapped_column(default="")
    series: Mapped[str] = mapped_column(default="", index=True)
    level: Mapped[int] = mapped_column(default=0)


class Event(Base):
    """One level change as it came from the log; the same one is kept once."""

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    member: Mapped[str] = mapped_column(ForeignKey("member.id"))
    seq: Mapped[int]
    revision: Mapped[int]
    withdrawn: Mapped[bool]
    level: Mapped[int]
    time: Mapped[int]
    body: Mapped[dict[str, Any]]
    __table_args__ = (UniqueConstraint("member", "seq", "revision", "withdrawn"),)


class Rung(Base):
    """One step of a ladder under way (see ladder.Step)."""

    __tablename__ = "step"
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), primary_key=True)
    run: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    of: Mapped[int]
    post: Mapped[str]
    channels: Mapped[list[Any]]
    within: Mapped[float]
    receipt: Mapped[str]
    state: Mapped[str]
    due_at: Mapped[int]
    until: Mapped[int]
    calls: Mapped[int]
    called_at: Mapped[int | None]
    ended_at: Mapped[int | None]
    __table_args__ = (Index("ix_step_due", "state", "due_at"),)


class Delivery(Base):
    """One message to one post over one channel: an outbox row, sent at least once under its idempotency key."""

    __tablename__ = "delivery"
    key: Mapped[str] = mapped_column(primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alert.id"), index=True)
    run: Mapped[int]
    n: Mapped[int]
    channel: Mapped[str]
    post: Mapped[str]
    address: Mapped[str]
    level: Mapped[int]
    scope: Mapped[str]
    text: Mapped[str]
    state: Mapped[str]                      # pending, sent, parked, dropped
    receipt: Mapped[str] = mapped_column(default="")       # sent, received, read, failed
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[int]
    created: Mapped[int]
    until: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[int | None]
    detail: Mapped[str] = mapped_column(default="")
    went: Mapped[int | None]                # the last attempt began
    folded: Mapped[str | None] = mapped_column(index=True)     # the key of the delivery whose message speaks for this one too
    __table_args__ = (Index("ix_delivery_due", "state", "next_at"),)


class Audit(Base):
    """What happened, by whom, why; each row holds the hash of the one before it. `seq` is the id of the page's stream."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int]
    alert: Mapped[str] = mapped_column(default="", index=True)
    act: Mapped[str]
    post: Mapped[str] = mapped_column(default="")          # "" = the desk itself
    what: Mapped[dict[str, Any]] = mapped_column(default=dict)
    prev_hash: Mapped[str]
    hash: Mapped[str]


class Chain(Base):
    """The end of the audit chain: one row, locked by whoever writes, so that numbers have no gap and keep their order."""

    __tablename__ = "chain"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str]


class Offset(Base):
    """Up to where a topic is folded: the next offset to read, moved in the transaction that folds."""

    __tablename__ = "position"
    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int]
    arrived: Mapped[int] = mapped_column(default=0)        # newest clock of the log seen


class Item(Base):
    """A worklist of silence: series that are not fresh, sensors, sources, quarantined detectors. Nobody is called for it."""

    __tablename__ = "item"
    kind: Mapped[str] = mapped_column(primary_key=True)    # fresh, sensor, feed, error, rule
    name: Mapped[str] = mapped_column(primary_key=True)
    pack: Mapped[str] = mapped_column(default="")
    site: Mapped[str] = mapped_column(default="")
    indicator: Mapped[str] = mapped_column(default="")
    state: Mapped[str]                                     # stale, never, warming, error, down
    since: Mapped[int]
    detail: Mapped[str] = mapped_column(default="")


class Heard(Base):
    """A series that has spoken at least once; what is not here was never heard."""

    __tablename__ = "heard"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    series: Mapped[str] = mapped_column(unique=True)


class Lead(Base):
    """A line of the worklist of leads 线索: one chain of events that calls nobody, and what a person said of it."""

    __tablename__ = "lead"
    id: Mapped[str] = mapped_column(primary_key=True)      # Change.alert
    path: Mapped[str]                                      # of its detector or rule
    pack: Mapped[str] = mapped_column(default="")
    indicator: Mapped[str] = mapped_column(default="")
    site: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    level: Mapped[int] = mapped_column(default=0)          # now; 0 = it is over
    peak: Mapped[int] = mapped_column(default=0)           # the worst that it has shown
    members: Mapped[list[Any]] = mapped_column(default=list)     # all that ever held (rules)
    value: Mapped[float | None]
    since: Mapped[int]
    time: Mapped[int]                                      # of its newest event, with that event's number
    seq: Mapped[int]
    closed: Mapped[int | None]
    closed_by: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(default="")       # true, false, fault
    reason: Mapped[str] = mapped_column(default="")
    __table_args__ = (Index("ix_lead_open", "level", "closed"),)


class Mute(Base):
    """The sound of one post's pages is off until then."""

    __tablename__ = "mute"
    post: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[int]
    until: Mapped[int]
