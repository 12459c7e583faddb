"""屏蔽 and maintenance windows: which alerts they speak for, and how long anything may be kept quiet.

A silence never hides: the alert is there, says by whom it is muted until when, and nobody is called. When its mute ends and it
still stands, its ladder starts. Red is held back no longer than its own limit, whatever silences follow each other.
"""
from __future__ import annotations

from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.level import Level
from detectors.pack import Outward
from streams.desk.alert import REASON, Actor, Refused
from streams.desk.calling import routes
from streams.desk.folding.fold import Moment
from streams.desk.publish.tables import Silence
from streams.desk.store import audit
from streams.desk.tables import Alert

OVER = "over"
SCOPE = ("pack", "indicator", "detector", "site", "area")


def fits(x: Silence, alert: Alert, areas: frozenset[str], level: int) -> bool:
    """Whether a silence's scope holds an alert at this level. Every field that it gives must fit."""
    return (level <= x.level and (not x.pack or x.pack == alert.pack) and (not x.indicator or x.indicator == alert.indicator)
            and (not x.detector or x.detector in (alert.detector, alert.rule)) and (not x.site or x.site == alert.site)
            and (not x.area or x.area in areas))


def speaking(s: Session, alert: Alert, level: int, m: Moment) -> Silence | None:
    """The silence that holds this alert now: of those that fit the one that lasts longest."""
    rows = s.scalars(select(Silence).where(Silence.state != OVER, Silence.start <= m.now, Silence.until > m.now)
                     .order_by(Silence.until.desc(), Silence.id)).all()
    if not rows or alert.scope == "shadow":
        return None
    areas = routes.areas_of(m.names.city, alert.site, alert.area)
    return next((x for x in rows if fits(x, alert, areas, level)), None)


def held(s: Session, alert: Alert, level: int, m: Moment) -> bool:
    """Whether an alert may not call now; what holds it is written on it. Nothing else happens here."""
    found = speaking(s, alert, level, m)
    since = alert.muted_at or m.now
    until = 0 if found is None else min(found.until, since + round(_longest(m.names.city.outward, found, level) * 1e6))
    if found is None or until <= m.now:
        return False
    if alert.muted != found.id or alert.muted_until != until:
        alert.muted, alert.muted_by, alert.muted_at, alert.muted_until = found.id, found.owner, since, until
        audit(s, m.now, "muted", alert, found.owner, silence=found.id, until=until, to=level, reason=found.reason)
    return True


def _longest(outward: Outward, x: Silence, level: int) -> float:
    """Seconds: a mute by the alert's own level; a window as long as it is, but for red."""
    return outward.mutes[level - 1] if x.kind == "mute" or level >= Level.RED else outward.windows


def free(s: Session, alert: Alert, m: Moment, keep: bool = False) -> None:
    """No silence holds it any more. `keep`: it is still known since when, so that red cannot be muted on and on."""
    if alert.muted is None:
        return
    audit(s, m.now, "unmuted", alert, silence=alert.muted)
    alert.muted, alert.muted_by, alert.muted_until = None, "", None
    if not keep:
        alert.muted_at = None


def mute(s: Session, kind: str, scope: dict[str, str], level: int, start: int, until: int, reason: str, actor: Actor,
         m: Moment) -> Silence:
    """A new silence. Refused without a scope, a reason or an end that its level allows."""
    outward, scope = m.names.city.outward, {name: scope.get(name, "") for name in SCOPE}
    if not actor.post:
        raise Refused("err.post")
    if not any(scope.values()):
        raise Refused("mutes.all")
    unknown = next((value for name, value in scope.items() if value and not _known(name, value, m)), "")
    if unknown:
        raise Refused("mutes.unknown", what=unknown[:80])
    if len(reason.strip()) < REASON:
        raise Refused("err.reason")
    if not Level.BLUE <= level <= Level.RED:
        raise Refused("mutes.level")
    start = max(start, m.now) if kind == "mute" else start
    longest = outward.windows if kind == "window" else outward.mutes[level - 1]
    if until <= max(start, m.now):
        raise Refused("mutes.past_end")
    if until - start > longest * 1e6:
        raise Refused("mutes.long", hours=f"{longest / 3600:g}")
    id_ = blake2b(f"{actor.post}|{m.now}|{kind}|{scope}|{level}|{until}".encode(), digest_size=6).hexdigest()
    row = Silence(id=id_, kind=kind, **scope, level=level, reason=reason.strip()[:400], owner=actor.post, made=m.now, start=start,
                  until=until, state="planned")
    s.add(row)
    audit(s, m.now, "silence", None, actor.post, silence=row.id, kind=kind, **{k: v for k, v in scope.items() if v}, to=level,
          start=start, until=until, reason=row.reason)
    return row


def _known(name: str, value: str, m: Moment) -> bool:
    names = m.names
    if name == "detector":
        return value in names.detectors or value in names.rules
    if name == "pack" or name == "indicator":
        return value in (names.packs if name == "pack" else names.indicators)
    return value in (names.city.sites if name == "site" else names.areas)


def end(s: Session, id_: str, actor: Actor, reason: str, m: Moment) -> Silence:
    """End it before its time. KeyError without such a silence."""
    row = s.get(Silence, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    if not actor.post:
        raise Refused("err.post")
    if row.state == OVER:
        raise Refused("mutes.over")
    row.ended_by, row.until = actor.post, min(row.until, m.now)
    audit(s, m.now, "silence_end", None, actor.post, silence=row.id, reason=reason.strip()[:400])
    return row
