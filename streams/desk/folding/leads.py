"""Leads 线索: lines of a worklist. Nobody is called; what is past its budget only counts. A person closes one (lead_acts.py).

A line is one chain of events (`Change.alert`). Closed, it comes back only with new evidence: a level above the worst that it had
shown, or a member that had not held; what is read again from the log is none. A new onset is another chain, so another line.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from detectors.event import Change
from detectors.leads import DAY, EAST
from streams.desk.store import audit
from streams.desk.tables import Item, Lead

REST = "rest"
"""Kind of the items that count."""
SHOWN = 500
"""So many are listed."""
OPEN = and_(Lead.level > 0, Lead.closed.is_(None))
"""It holds, and nobody has looked into it."""


def note(s: Session, change: Change, now: int) -> None:
    """One change that reports a lead: its line, or one more past the budget of its day. `now` = wall clock (µs UTC)."""
    if change.report == REST:
        if change.before == 0 and change.revision == 0:
            _more(s, change, change.detector or change.rule)
        return
    row = s.get(Lead, change.alert) or _new(s, change)
    if row is None:
        return
    if not change.withdrawn:
        _evidence(s, row, change, now)
    if change.seq == row.seq or (change.time, change.seq) > (row.time, row.seq):
        row.level = change.before if change.withdrawn else change.to
        row.value, row.time, row.seq = change.value, change.time, change.seq


def _new(s: Session, change: Change) -> Lead | None:
    """A line for a chain that was not seen before; None for one that is at normal."""
    path = change.detector or change.rule
    place = f"{change.indicator}@{change.site or change.area}" if change.indicator else change.area or change.site
    older = s.get(Lead, f"{path}|{place}")      # noted before lines had ids
    if older is not None:
        s.delete(older)
    if change.withdrawn or not change.to:
        return None
    row = Lead(id=change.alert, path=path, pack=change.pack, indicator=change.indicator, site=change.site, area=change.area,
               level=0, peak=0, members=[], since=change.time if change.onset is None else change.onset, time=change.time,
               seq=change.seq, closed=None)
    s.add(row)
    return row


def _evidence(s: Session, row: Lead, change: Change, now: int) -> None:
    """What the line has shown so far; one that was closed comes back when this is more."""
    news = [m for m in change.members if m not in row.members]
    if row.closed is not None and change.to and (change.to > row.peak or news):
        row.closed, row.closed_by, row.outcome, row.reason = None, "", "", ""
        audit(s, now, "lead_back", lead=row.id, detector=row.path, to=change.to, members=news)
    row.peak, row.members = max(row.peak, change.to), [*row.members, *news]


def _more(s: Session, change: Change, path: str) -> None:
    day = (change.time + EAST) // DAY
    name = f"{path}|{day}"
    item = s.get(Item, (REST, name))
    if item is None:
        item = Item(kind=REST, name=name, pack=change.pack, site="", indicator="", state=REST, detail="0")
        item.since = day * DAY - EAST
        s.add(item)
    item.detail = str(int(item.detail) + 1)


def listed(s: Session) -> list[Lead]:
    """The open leads, newest first."""
    return list(s.scalars(select(Lead).where(OPEN).order_by(Lead.since.desc(), Lead.id).limit(SHOWN)))


def done(s: Session, since: int, most: int = SHOWN) -> list[Lead]:
    """Those that people closed since then (wall clock, µs UTC), the last first."""
    return list(s.scalars(select(Lead).where(Lead.closed >= since).order_by(Lead.closed.desc(), Lead.id).limit(most)))


def counted(s: Session, now: int) -> dict[str, int]:
    """Of today (at `now`, µs UTC): detector or rule -> how many leads are past its budget."""
    today = (now + EAST) // DAY * DAY - EAST
    rows: Iterable[Item] = s.scalars(select(Item).where(Item.kind == REST, Item.since == today))
    return {row.name.rpartition("|")[0]: int(row.detail) for row in rows}


def count_open(s: Session) -> int:
    """How many wait to be looked into."""
    return s.scalar(select(func.count()).select_from(Lead).where(OPEN)) or 0
