"""The worklist of leads, as its page shows it."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from detectors.level import LEVELS
from streams.desk import leads
from streams.desk.local import moment, span
from streams.desk.names import said
from streams.desk.pages.view import View
from streams.desk.tables import Item
from streams.desk.words import level


def worklist(s: Session, v: View) -> dict[str, Any]:
    """Everything that leads.html shows."""
    more = leads.counted(s, v.clock)
    return {"leads": [_line(item, v) for item in leads.listed(s)],
            "rest": [(_title(path, v), n) for path, n in sorted(more.items())]}


def _line(item: Item, v: View) -> dict[str, Any]:
    path, _, place = item.name.partition("|")
    area = place if not item.site else ""
    return {"word": item.state, "level": level(LEVELS[item.state], v.lang), "what": _title(path, v), "value": item.detail,
            "place": v.names.place(item.site, area, v.lang), "indicator": v.names.indicator(item.indicator, v.lang),
            "since": moment(item.since, v.clock, v.lang), "span": span(max(0, v.clock - item.since), v.lang)}


def _title(path: str, v: View) -> str:
    entry = v.names.detectors.get(path) or v.names.rules.get(path)
    return (said(entry.title, v.lang) if entry else "") or path
