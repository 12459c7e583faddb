"""What the pages ask the database: open alerts with their ladders and deliveries, in a few queries. Read only."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from streams.desk.calling.calls import step_of
from streams.desk.calling.ladder import Step
from streams.desk.exercise.mark import HIDDEN
from streams.desk.folding.leads import REST
from streams.desk.tables import Alert, Audit, Delivery, Item, Member, Mute, Offset, Rung


@dataclass
class Found:
    """One alert with what a row of it needs."""

    alert: Alert
    steps: tuple[Step, ...] = ()
    deliveries: list[Delivery] = field(default_factory=list)
    covered: list[Found] = field(default_factory=list)
    by: Alert | None = None         # the alert that covers this one, on its own page


def found(s: Session, alerts: Iterable[Alert]) -> dict[str, Found]:
    """Alerts by id, with the ladder under way and its deliveries."""
    out = {a.id: Found(a) for a in alerts}
    steps, sent = defaultdict(list), defaultdict(list)
    for r in s.scalars(select(Rung).where(Rung.alert.in_(out)).order_by(Rung.n)):
        if r.run == out[r.alert].alert.run:
            steps[r.alert].append(step_of(r))
    for d in s.scalars(select(Delivery).where(Delivery.alert.in_(out)).order_by(Delivery.created, Delivery.channel)):
        if d.run == out[d.alert].alert.run:
            sent[d.alert].append(d)
    for id_, f in out.items():
        f.steps, f.deliveries = tuple(steps[id_]), sent[id_]
    return out


def open_alerts(s: Session) -> list[Found]:
    """All open alerts; one that is covered lies inside its covering alert."""
    all_ = found(s, s.scalars(select(Alert).where(Alert.open, ~HIDDEN)))
    for f in list(all_.values()):
        if f.alert.covered_by in all_:
            all_[str(f.alert.covered_by)].covered.append(f)
    return [f for f in all_.values() if f.alert.covered_by not in all_]


def one(s: Session, id_: str) -> Found | None:
    """One alert, open or closed, with those that it covers."""
    alert = s.get(Alert, id_)
    if alert is None:
        return None
    mine = found(s, [alert])[id_]
    mine.covered = list(found(s, s.scalars(select(Alert).where(Alert.open, Alert.covered_by == id_))).values())
    mine.by = s.get(Alert, alert.covered_by) if alert.covered_by else None
    return mine


def recent(s: Session, since: int) -> int:
    """Alerts of scope real opened or raised after `since` (µs wall clock)."""
    return s.scalar(select(func.count()).select_from(Audit).join(Alert, Alert.id == Audit.alert).where(
        Audit.at > since, Audit.act.in_(("opened", "raised")), Alert.scope == "real")) or 0


def newest_red(s: Session) -> int:
    """When a red was last opened or raised (µs wall clock); 0 = never."""
    return s.scalar(select(func.max(Alert.raised)).where(Alert.open, Alert.level == 4, Alert.scope == "real")) or 0


def items(s: Session) -> list[Item]:
    """The worklist of silence, oldest first."""
    return list(s.scalars(select(Item).where(Item.kind != REST).order_by(Item.since)))


def arrived(s: Session) -> int | None:
    """The newest clock of the log that the desk has seen (µs)."""
    return s.scalar(select(func.max(Offset.arrived))) or None


def muted(s: Session, post: str) -> Mute | None:
    """The mute of a post, over or not."""
    return s.get(Mute, post) if post else None


def last_closed(s: Session) -> Alert | None:
    """The alert that was closed last."""
    return s.scalar(select(Alert).where(~Alert.open, ~HIDDEN).order_by(Alert.closed.desc()).limit(1))


def history(s: Session, id_: str) -> list[Audit]:
    """The audit rows of an alert, newest first."""
    return list(s.scalars(select(Audit).where(Audit.alert == id_).order_by(Audit.seq.desc()).limit(300)))


def members(s: Session, id_: str) -> list[Member]:
    """The chains of detector events of an alert."""
    return list(s.scalars(select(Member).where(Member.alert == id_).order_by(Member.level.desc(), Member.id)))
