"""The log of events, folded into alerts: what a change means for the rows. Nobody is called here (calls.py does)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased

from detectors.event import Change
from streams.desk.alert import State
from streams.desk.folding import heard, items, leads
from streams.desk.names import Names
from streams.desk.store import audit
from streams.desk.tables import Alert, Event, Member
from streams.events import event_json, event_of

HOUR = 3600.0
NEVER = 1e12
EVIDENCE = ("direction", "confidence", "check", "value", "score", "time", "arrived", "since", "plan")


@dataclass(frozen=True)
class Moment:
    """What folding and calling depend on: wall clock (µs UTC), the plan's words, whether a history is being played."""

    now: int
    names: Names
    played: bool = False


def fold(s: Session, change: Change, m: Moment) -> Alert | None:
    """One record of `events` into the rows of this transaction; the alert that it moved, if it moved one. A lead calls nobody."""
    if change.report:
        leads.note(s, change, m.now)
        return None
    if change.forecast is not None:     # JSON knows no infinity: "never" is a very long time
        low, mid, high = (x if abs(x) < NEVER else NEVER for x in change.forecast)
        change = replace(change, forecast=(low, mid, high))
    heard.note(s, change)
    if change.kind == "level":
        return _level(s, change, m)
    if change.kind == "retired":
        return _retired(s, change, m)
    items.keep(s, change, m.now)
    if change.kind == "fresh" and change.site:
        for alert in _of_series(s, f"{change.indicator}@{change.site}"):
            _freshness(s, alert, change, m)
    return None


def key_of(change: Change, names: Names) -> str:
    """What one open 预警单 is for: group, place and scope (design 9.19)."""
    detector = names.detectors.get(change.detector)
    group = change.group or change.rule or f"{change.pack}/{change.indicator}"
    if detector is not None and detector.separate:
        group = change.detector
    return "|".join((group, change.site or change.area, change.scope))


def _level(s: Session, change: Change, m: Moment) -> Alert | None:
    member = s.get(Member, change.alert)
    if member is not None and _known(s, change):
        return None
    alert, member = _owner(s, change, member, m)
    if alert is None or member is None:
        return None
    s.add(
        Event(
            member=member.id,
            seq=change.seq,
            revision=change.revision,
            withdrawn=change.withdrawn,
            level=change.to,
            time=change.time,
            body=event_json(change),
        )
    )
    s.flush()
    standing = _standing(s, member.id)
    member.level = standing.level if standing else 0
    if not alert.open and member.level > 0:
        _reopen(s, alert, m)
    if alert.open:
        _refresh(s, alert, change, m)
    else:
        audit(s, m.now, "after", alert, **_said(change, alert.level, member.level))
    return alert


def _known(s: Session, change: Change) -> bool:
    return (
        s.scalar(
            select(Event.id).where(
                Event.member == change.alert,
                Event.seq == change.seq,
                Event.revision == change.revision,
                Event.withdrawn == change.withdrawn,
            )
        )
        is not None
    )


def _owner(s: Session, change: Change, member: Member | None, m: Moment) -> tuple[Alert | None, Member | None]:
    """The alert that this chain of events belongs to: the open one of its key, else the one it had, else a new one."""
    key = key_of(change, m.names)
    alert = s.scalar(select(Alert).where(Alert.key == key, Alert.open).with_for_update())
    if alert is None and member is not None:
        return s.get(Alert, member.alert, with_for_update=True), member
    if alert is None:
        if change.to <= 0 or change.withdrawn:
            return None, None
        alert = _open(s, change, key, m)
    if member is None:
        member = Member(
            id=change.alert,
            alert=alert.id,
            detector=change.detector or change.rule,
            series=f"{change.indicator}@{change.site or change.area}" if change.site or change.indicator else "",
            level=0,
        )
        s.add(member)
    elif member.alert != alert.id and change.to > 0:
        member.alert = alert.id  # its own alert was closed, another one speaks for the same thing now
    elif member.alert != alert.id:
        return s.get(Alert, member.alert, with_for_update=True), member
    s.flush()
    return alert, member


def _open(s: Session, change: Change, key: str, m: Moment) -> Alert:
    taken = s.get(Alert, change.alert)
    alert = Alert(
        id=change.alert if taken is None else f"{change.alert}-{change.seq}",
        key=key,
        state=State.DETECTED,
        pack=change.pack,
        indicator=change.indicator,
        detector=change.detector,
        rule=change.rule,
        site=change.site,
        area=change.area,
        scope=change.scope,
        level=0,
        shown=0,
        first=change.to,
        peak=0,
        opened=m.now,
        owed=0,
        run=0,
        onset=change.time if change.onset is None else change.onset,
        open=True,
        covers=change.covers,
    )
    s.add(alert)
    s.flush()
    return alert


def afresh(alert: Alert) -> None:
    """What was verified, offered or expected of an alert no longer counts: it begins again, or was closed."""
    alert.verified, alert.verified_by, alert.offered, alert.due, alert.idle_at = None, "", "", None, None


def _reopen(s: Session, alert: Alert, m: Moment) -> None:
    """A closed alert whose own detector says more again: the same 预警单."""
    alert.open, alert.state, alert.closed, alert.answered, alert.level, alert.back = True, State.DETECTED, None, None, 0, None
    afresh(alert)
    audit(s, m.now, "reopened", alert)


def _refresh(s: Session, alert: Alert, change: Change, m: Moment) -> None:
    members = list(s.scalars(select(Member).where(Member.alert == alert.id)))
    before, alert.level = alert.level, max((x.level for x in members), default=0)
    _evidence(s, alert, members, change)
    if alert.level > before:
        alert.owed, alert.raised = alert.level, m.now
    alert.owed = min(alert.owed, alert.level)
    alert.shown, alert.peak = alert.level or alert.shown, max(alert.peak, alert.level)
    alert.back = (alert.back or change.time) if alert.level == 0 else None
    alert.revised = max(alert.revised or 0, change.revision)
    alert.withdrawn = _withdrawn(s, alert)
    if change.fresh == "fresh" or alert.silent_since is None:
        alert.silent_since = None if change.fresh == "fresh" else change.time
    alert.as_of = change.time if old(alert, m) else None
    audit(s, m.now, _act(change, before, alert.level, alert.rev == 0), alert, **_said(change, before, alert.level))


def _evidence(s: Session, alert: Alert, members: list[Member], change: Change) -> None:
    """The alert shows the evidence of the member that decides: the highest; of these a measured one, then the newest."""
    top = change
    holding = [(x.level, e.time, event_of(e.body)) for x in members if x.level and (e := _standing(s, x.id))]
    if holding:
        level = max(h[0] for h in holding)
        measured_first = [(h[2].forecast is None, h[1], h[2]) for h in holding if h[0] == level]
        top = max(measured_first, key=lambda h: h[:2])[2]
        told = [h[2] for h in holding if h[2].forecast is not None]
        said = max(told, key=lambda c: (c.to, c.time), default=None)
        alert.forecast = None if said is None or said.forecast is None else [said.time, *said.forecast, said.limit]
    for name in EVIDENCE:
        setattr(alert, name, getattr(top, name))
    alert.bound = top.limit
    alert.detector, alert.rule = top.detector, top.rule
    if change.rule:
        alert.members, alert.covers = list(change.members), change.covers


_later = aliased(Event)
_same = (_later.member == Event.member, _later.seq == Event.seq)
_newest = and_(
    Event.revision == select(func.max(_later.revision)).where(*_same).scalar_subquery(),
    ~exists().where(*_same, _later.revision == Event.revision, _later.withdrawn),
)
"""Rows that stand and that no later revision of their seq replaces: a look into the index each, for a rule may have thousands."""
_LAST = (
    select(Event)
    .where(Event.member == bindparam("of"), ~Event.withdrawn, _newest)
    .order_by(Event.time.desc(), Event.seq.desc())
    .limit(1)
)
_STANDS = (
    select(Event.id)
    .join(Member, Member.id == Event.member)
    .where(Member.alert == bindparam("of"), ~Event.withdrawn, _newest)
    .limit(1)
)


def _standing(s: Session, member: str) -> Event | None:
    """The last event of a member, by its own time, that was not withdrawn, if any (as `alert.level_of` tells it)."""
    return s.scalar(_LAST, {"of": member})


def _withdrawn(s: Session, alert: Alert) -> bool:
    """Whether nothing that any member said still stands."""
    return s.scalar(_STANDS, {"of": alert.id}) is None


def _act(change: Change, before: int, level: int, first: bool) -> str:
    if first:
        return "opened"
    if level > before:
        return "raised"
    if change.withdrawn:
        return "withdrawn"
    if level < before:
        return "lowered" if level else "back"
    return "revised" if change.revision else "moved"


def _said(change: Change, before: int, level: int) -> dict[str, Any]:
    return {
        "from": before,
        "to": level,
        "says": change.to,
        "detector": change.detector or change.rule,
        "value": change.value,
        "limit": change.limit,
        "time": change.time,
        "revision": change.revision or None,
        "event": change.id,
        "partition": change.partition if change.offset >= 0 else None,
        "offset": change.offset if change.offset >= 0 else None,
    }


def old(alert: Alert, m: Moment) -> bool:
    """Whether the evidence is too old to call for it as if it were of now (design 9.21)."""
    names = [alert.indicator] if alert.indicator else [str(x).split("@", 1)[0] for x in alert.members or ()]
    silent = max([HOUR, *(m.names.silent(n) for n in names)])
    return ((alert.arrived if m.played else m.now) - alert.time) / 1e6 > silent


def _retired(s: Session, change: Change, m: Moment) -> Alert | None:
    member = s.get(Member, change.alert)
    alert = s.get(Alert, member.alert, with_for_update=True) if member else None
    if alert is not None and alert.open and not alert.retired:
        alert.retired = True
        audit(s, m.now, "retired", alert, detector=change.detector or change.rule)
    return alert


def _of_series(s: Session, series: str) -> list[Alert]:
    ids = select(Member.alert).where(Member.series == series)  # no DISTINCT: PostgreSQL compares no JSON
    return list(s.scalars(select(Alert).where(Alert.id.in_(ids), Alert.open).order_by(Alert.id)))


def _freshness(s: Session, alert: Alert, change: Change, m: Moment) -> None:
    silent = None if change.fresh == "fresh" else items.since(change)
    if (silent is None) != (alert.silent_since is None):
        alert.silent_since = silent
        audit(s, m.now, "silent" if silent else "heard", alert, time=silent or change.time)
