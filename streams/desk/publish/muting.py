"""What time does to silences and to the alerts they hold: announced, begun, over; ladders held back and let go.

Runs inside the walk of ladders; everything in the transaction of its caller.
"""
from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from detectors.level import Level
from streams.desk.alert import State
from streams.desk.calling import calls, ladder, routes
from streams.desk.folding.fold import Moment
from streams.desk.local import local
from streams.desk.names import Names
from streams.desk.publish import silences
from streams.desk.publish.tables import Parcel, Silence
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert
from streams.desk.words import level, say


def walk(s: Session, m: Moment) -> None:
    """All that is due at `m.now`."""
    ahead = m.now + round(m.names.city.outward.ahead * 1e6)
    for x in s.scalars(select(Silence).where(Silence.state != silences.OVER, or_(
            (Silence.state == "planned") & (Silence.start <= ahead), (Silence.state == "told") & (Silence.start <= m.now),
            Silence.until <= m.now)).with_for_update()).all():
        _step(s, x, m)
    due = select(Alert.id).where(Alert.open, Alert.muted.is_not(None), Alert.muted_until <= m.now)
    for id_ in s.scalars(due).all():
        alert = alert_for(s, id_)
        if alert is not None:
            release(s, alert, m)


def _step(s: Session, x: Silence, m: Moment) -> None:
    if x.until <= m.now:
        begun, x.state = x.state == "running", silences.OVER
        audit(s, m.now, "silence_over", None, x.owner, silence=x.id)
        if x.kind == "window" and begun:
            announce(s, x, "end", m)
        s.flush()
        for alert in s.scalars(select(Alert).where(Alert.open, Alert.muted == x.id).with_for_update()).all():
            release(s, alert, m)
    elif x.start <= m.now:
        x.state = "running"
        audit(s, m.now, "silence_begins", None, x.owner, silence=x.id, until=x.until)
        if x.kind == "window":
            announce(s, x, "start", m)
        s.flush()
        _take(s, x, m)
    elif x.kind == "window" and x.state == "planned":
        x.state = "told"
        announce(s, x, "before", m)


def _take(s: Session, x: Silence, m: Moment) -> None:
    """Ladders under way that it speaks for stop where they are."""
    rows = s.scalars(select(Alert).where(Alert.open, Alert.level > 0, Alert.level <= x.level,
                                         Alert.state.in_(calls.UNANSWERED)).with_for_update())
    for alert in rows.all():
        areas = routes.areas_of(m.names.city, alert.site, alert.area)
        if silences.fits(x, alert, areas, alert.level) and silences.held(s, alert, alert.level, m):
            calls.hold(s, alert, m)


def release(s: Session, alert: Alert, m: Moment) -> None:
    """The mute of an alert is over: another one takes it on, or its ladder starts (or goes on) if it still stands."""
    if alert.level and silences.held(s, alert, alert.owed or alert.level, m):
        return
    silences.free(s, alert, m, keep=alert.level > 0)
    if alert.owed:
        calls.settle(s, alert, m)
    elif alert.state == State.CALLING and not alert.covered_by:
        calls.save(s, alert, ladder.resumed(calls.steps_of(s, alert), m.now), m)
        calls.walk_alert(s, alert, m)


def announce(s: Session, x: Silence, when: str, m: Moment) -> None:
    """Tell the owner and those who would have been called first, over the channels of their steps."""
    text = say(f"mutes.tell_{when}", "zh", scope=named(x, m.names, "zh"), level=level(x.level, "zh"),
               start=f"{local(x.start):%m-%d %H:%M}", until=f"{local(x.until):%m-%d %H:%M}", reason=x.reason,
               who=m.names.post(x.owner, "zh"))
    for post, channel, address in sorted(set(_who(x, m.names))):
        id_ = blake2b(f"{x.id}|{when}|{post}|{channel}".encode(), digest_size=8).hexdigest()
        s.add(Parcel(id=id_, kind="announce", ref=x.id, state="pending", next_at=m.now, created=m.now,
                     body={"post": post, "channel": channel, "address": address, "text": text}))


def _who(x: Silence, names: Names) -> Iterable[tuple[str, str, str]]:
    """`(post, channel, address)`."""
    packs, channels = [x.pack] if x.pack else list(names.packs), {"log"}
    for pack in packs:
        for n in range(Level.BLUE, x.level + 1):
            found = routes.ladder_of(names.city, pack, n, x.site, x.area)
            for step in found.steps[:1] if found else ():
                channels |= set(step.channels)
                for channel in step.channels:
                    if channel in names.posts[step.post].addresses:
                        yield step.post, channel, names.posts[step.post].addresses[channel]
    owner = names.posts.get(x.owner)
    for channel in sorted(channels) if owner else ():
        if owner and channel in owner.addresses:
            yield owner.id, channel, owner.addresses[channel]


def named(x: Silence, names: Names, lang: str) -> str:
    """A silence's scope in words."""
    parts = (names.pack(x.pack, lang) if x.pack else "", names.area(x.area, lang) if x.area else "",
             names.site(x.site, lang) if x.site else "", names.indicator(x.indicator, lang) if x.indicator else "", x.detector)
    return " · ".join(part for part in parts if part)
