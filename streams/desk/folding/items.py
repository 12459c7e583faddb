"""The worklist of silence: what a freshness, sensor, feed or error change puts there or takes away. Nobody is called for it."""
from __future__ import annotations

from sqlalchemy.orm import Session

from detectors.event import Change
from streams.desk.store import audit
from streams.desk.tables import Item


def since(change: Change) -> int:
    """When contact was last had; where the change does not say, its own time."""
    return change.time if change.since is None else change.since


def _named(change: Change) -> tuple[str, str]:
    """Kind and name of an item. What is silent goes by series, a site as a whole by its id, a rule by its area."""
    series = f"{change.indicator}@{change.site or change.area}"
    if change.kind == "fresh":
        return ("rule", f"{change.rule}@{change.area or change.site}") if change.rule else ("fresh", series)
    if change.kind == "sensor":
        return "sensor", change.site if change.members else series
    return change.kind, change.source if change.kind == "feed" else f"{change.detector}|{series}"


def keep(s: Session, change: Change, now: int) -> None:
    """Put what a change tells of onto the worklist, or take it off."""
    kind, name = _named(change)
    item = s.get(Item, (kind, name))
    if change.fresh == "fresh":
        if item is not None:
            s.delete(item)
            audit(s, now, "item", kind=kind, name=name, state="fresh")
        return
    if item is None:
        item = Item(kind=kind, name=name, pack=change.pack, site=change.site, indicator=change.indicator, state=change.fresh)
        item.since = since(change)
        s.add(item)
        audit(s, now, "item", kind=kind, name=name, state=change.fresh)
    item.state, item.detail = change.fresh, change.check or change.detector
