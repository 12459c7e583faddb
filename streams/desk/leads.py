"""Leads 线索: lines of a worklist, kept beside the items of silence. Nobody is called; what is past its budget only counts."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.event import Change
from detectors.leads import DAY, EAST
from detectors.level import Level
from streams.desk.tables import Item

LEAD, REST = "lead", "rest"
KINDS = (LEAD, REST)
SHOWN = 500
"""So many are listed."""


def note(s: Session, change: Change) -> None:
    """One change that reports a lead: its line, or one more past the budget of its day. A lead at normal has no line."""
    path, level = change.detector or change.rule, change.before if change.withdrawn else change.to
    place = f"{change.indicator}@{change.site or change.area}" if change.indicator else change.area or change.site
    if change.report == REST:
        if change.before == 0 and change.revision == 0:
            _more(s, change, path)
        return
    name = f"{path}|{place}"
    item = s.get(Item, (LEAD, name))
    if level == 0:
        if item is not None:
            s.delete(item)
        return
    if item is None:
        item = Item(kind=LEAD, name=name, pack=change.pack, site=change.site, indicator=change.indicator)
        item.since = change.time if change.onset is None else change.onset
        s.add(item)
    item.state, item.detail = Level(level).word, "" if change.value is None else f"{change.value:g}"


def _more(s: Session, change: Change, path: str) -> None:
    day = (change.time + EAST) // DAY
    name = f"{path}|{day}"
    item = s.get(Item, (REST, name))
    if item is None:
        item = Item(kind=REST, name=name, pack=change.pack, site="", indicator="", state=REST, detail="0")
        item.since = day * DAY - EAST
        s.add(item)
    item.detail = str(int(item.detail) + 1)


def listed(s: Session) -> list[Item]:
    """The open leads, newest first."""
    return list(s.scalars(select(Item).where(Item.kind == LEAD).order_by(Item.since.desc(), Item.name).limit(SHOWN)))


def counted(s: Session, now: int) -> dict[str, int]:
    """Of today (at `now`, µs UTC): detector or rule -> how many leads are past its budget."""
    today = (now + EAST) // DAY * DAY - EAST
    rows: Iterable[Item] = s.scalars(select(Item).where(Item.kind == REST, Item.since == today))
    return {row.name.rpartition("|")[0]: int(row.detail) for row in rows}
