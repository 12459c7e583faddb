"""Tables of exercises. Times are int64 µs UTC of the wall clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from streams.desk.tables import Base


class CanaryRow(Base):
    """The canary, one row: its last push over the limit, and the last that came through."""

    __tablename__ = "canary"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[int] = mapped_column(default=0)              # pushed over the limit
    waits: Mapped[bool] = mapped_column(default=False, server_default=false())      # for its delivery
    came: Mapped[int | None]                                # the last delivery of a canary
    took: Mapped[int | None]                                # µs from its push to that
    fault: Mapped[str] = mapped_column(default="")          # why the last try did not come through; "" = it did, or waits


class DrillRow(Base):
    """One drill that a person called."""

    __tablename__ = "drill"
    id: Mapped[str] = mapped_column(primary_key=True)
    post: Mapped[str] = mapped_column(default="")           # "" = the command line
    pack: Mapped[str]
    indicator: Mapped[str]
    sites: Mapped[list[Any]]
    level: Mapped[int]
    asked: Mapped[int]
    told: Mapped[int | None]                                # written into the log
    until: Mapped[int]                                      # ends by itself
    ended: Mapped[int | None]
    ended_by: Mapped[str] = mapped_column(default="")       # "" = by itself
    state: Mapped[str]                                      # asked, running, ending, ended
    alerts: Mapped[list[Any]] = mapped_column(default=list)
    fault: Mapped[str] = mapped_column(default="")
