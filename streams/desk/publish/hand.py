"""人工接报: readings and alerts that a person reports, with source `manual`.

Readings go the way of every feed: the decoder and rules of streams/feeds, then the log `readings`, so checks and detectors
see them as any other. An alert by hand is folded like an event of the log and climbs the normal ladder; it is raised, lowered
and ended by hand as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.event import Change, alert_id, event_id
from detectors.level import Level
from detectors.pack import City, FeedSource
from streams.desk.alert import REASON, Actor, Refused
from streams.desk.calling import calls
from streams.desk.folding.fold import Moment, fold
from streams.desk.publish.tables import Parcel
from streams.desk.store import alert_for, audit
from streams.desk.tables import Alert, Event
from streams.errors import Unavailable
from streams.feeds.blocks import Blocker
from streams.feeds.decoders import decode
from streams.feeds.guests import guests
from streams.feeds.rules import Rules
from streams.feeds.words import Reading
from streams.feeds.words import Refused as Fault
from streams.settings import Settings

SOURCE = "manual"
MOST = 5000
"""Rows of one report."""


def read(city: City, body: bytes, now: int) -> tuple[list[Reading], list[Fault]]:
    """A spreadsheet as CSV: the readings, and every fault by row and column. Times without a zone are the city's."""
    rules = Rules(city, FeedSource(SOURCE, options={"tz": "Asia/Shanghai"}))
    readings: list[Reading] = []
    faults: list[Fault] = []
    for one in decode("csv", body if body.endswith(b"\n") else body + b"\n", rules, now):
        (readings if isinstance(one, Reading) else faults).append(one)  # type: ignore[arg-type]
    if len(readings) > MOST:
        faults.append(Fault("size", "", f"{len(readings)} rows; at most {MOST} at once"))
    return readings, faults


def report(s: Session, readings: Sequence[Reading], actor: Actor, why: str, m: Moment) -> Parcel:
    """Readings on their way, with their audit row. Refused without a post, a reason or a row."""
    if not actor.post:
        raise Refused("err.post")
    if len(why.strip()) < REASON:
        raise Refused("err.reason")
    if not readings:
        raise Refused("report.nothing")
    seq = audit(
        s,
        m.now,
        "reported",
        None,
        actor.post,
        n=len(readings),
        series=sorted({r.series for r in readings})[:50],
        reason=why.strip()[:400],
    )
    row = Parcel(
        id=f"hand-{seq}",
        kind="readings",
        ref=str(seq),
        state="pending",
        next_at=m.now,
        created=m.now,
        body={"rows": [[r.series, r.site, r.pack, r.t, r.x, r.flag] for r in readings]},
    )
    s.add(row)
    return row


def sender(settings: Settings, now: Any, city: Callable[[], City] | None = None) -> Any:
    """What the courier puts readings into the log with. `now` gives µs UTC, `city` whose sites feed on which others."""

    def send(rows: Sequence[Sequence[Any]]) -> None:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        from streams.codec import encode

        blocker = Blocker(settings.partitions, guests=guests(city(), settings.partitions) if city else None)
        for series, site, pack, t, x, flag in rows:
            blocker.add(Reading(series, site, pack, t, x, flag), SOURCE, now())
        try:
            producer = KafkaProducer(
                bootstrap_servers=settings.broker.split(","), acks="all", delivery_timeout_ms=8_000, request_timeout_ms=4_000
            )
            try:
                for sent in [
                    producer.send(settings.topic("readings"), encode(c.block), partition=c.partition) for c in blocker.close()
                ]:
                    sent.get(10)
            finally:
                producer.close(5)
        except KafkaError as error:
            raise Unavailable(f"the broker did not take the readings: {error}") from error

    return send


def raise_alert(
    s: Session,
    pack: str,
    what: str,
    site: str,
    area: str,
    level: int,
    onset: int,
    actor: Actor,
    why: str,
    m: Moment,
    exercise: bool = False,
) -> Alert:
    """An alert by hand. The same thing at the same place reported again is the same 预警单, raised or lowered."""
    what = " ".join(what.split())[:80]
    if not actor.post:
        raise Refused("err.post")
    if pack not in m.names.packs or not (site in m.names.city.sites or area in m.names.areas) or len(what) < 2:
        raise Refused("report.what_fault")
    if not Level.BLUE <= level <= Level.RED:
        raise Refused("mutes.level")
    if len(why.strip()) < REASON:
        raise Refused("err.reason")
    if not m.now - 30 * 86_400_000_000 <= onset <= m.now + 60_000_000:
        raise Refused("report.when_fault")
    group, scope = f"{SOURCE}/{pack}/{what}", "exercise" if exercise else "real"
    key = "|".join((group, site or area, scope))
    open_ = s.scalar(select(Alert).where(Alert.key == key, Alert.open).with_for_update())
    id_ = open_.id if open_ is not None else alert_id(group, f"{site or area}|{scope}", m.now)
    return _say(s, id_, pack, what, site, "" if site else area, level, open_.onset if open_ else onset, scope, actor, why, m)


def change_level(s: Session, id_: str, level: int, actor: Actor, why: str, m: Moment) -> Alert:
    """An alert by hand at another level; 0 = it is over (已回落). KeyError without such an alert."""
    alert = alert_for(s, id_)
    if alert is None or alert.detector != SOURCE:
        raise KeyError(id_)
    if not actor.post:
        raise Refused("err.post")
    if not alert.open:
        raise Refused("err.closed")
    if not 0 <= level <= Level.RED or level == alert.level:
        raise Refused("mutes.level")
    if len(why.strip()) < REASON:
        raise Refused("err.reason")
    return _say(s, id_, alert.pack, alert.rule, alert.site, alert.area, level, alert.onset, alert.scope, actor, why, m)


def _say(
    s: Session,
    id_: str,
    pack: str,
    what: str,
    site: str,
    area: str,
    level: int,
    onset: int,
    scope: str,
    actor: Actor,
    why: str,
    m: Moment,
) -> Alert:
    known = s.scalar(select(func.max(Event.seq)).where(Event.member == id_))
    before = s.get(Alert, id_)
    time = onset if known is None else m.now
    change = Change(
        id=event_id(id_, 0 if known is None else known + 1),
        alert=id_,
        seq=0 if known is None else known + 1,
        time=time,
        arrived=m.now,
        pack=pack,
        site=site,
        area=area,
        detector=SOURCE,
        rule=what,
        before=before.level if before else 0,
        to=level,
        value=float(level),
        score=float(level),
        limit=float(level),
        since=time,
        onset=onset,
        group=f"{SOURCE}/{pack}/{what}",
        scope=scope,
        source=SOURCE,
        plan=m.names.hash,
    )
    alert = fold(s, change, m)
    assert alert is not None
    alert.value = alert.score = alert.bound = None  # nothing was measured
    audit(s, m.now, "by_hand", alert, actor.post, to=level, reason=why.strip()[:400])
    calls.settle(s, alert, m)
    return alert
