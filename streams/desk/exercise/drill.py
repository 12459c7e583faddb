"""A drill: a person calls it, and the whole calling chain runs as in earnest, marked [演练], counted nowhere.

Its events are written into the log `levels` as a judge writes them, with scope exercise and a detector that no plan has
(`PACK/drill`): so combine passes them on and counts them in no area and no rule; the desk opens warnings of their own
beside the real ones, with the real routes, ladders, words and channels. Feed and judge are not in it, for a reading that
is only an exercise does not exist; the canary proves those two every ten minutes. It ends by itself, or by a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.event import Change, alert_id, event_id
from detectors.level import Scope
from detectors.pack import SELF, Detector, Limit
from streams.desk.alert import Actor, Refused
from streams.desk.exercise.ending import end
from streams.desk.exercise.tables import DrillRow
from streams.desk.folding.fold import Moment
from streams.desk.names import Names, number
from streams.desk.store import Store, audit
from streams.desk.tables import Alert
from streams.errors import Unavailable

log = structlog.get_logger(__name__)
MOST = 500
"""Stations of one drill: a storm."""
LONGEST = 4 * 3600
MINUTES = 30
AGAIN = 5.0
Write = Callable[[Sequence[Change]], None]
"""Changes into the log `levels`; Unavailable when it does not take them."""


def ask(s: Session, m: Moment, actor: Actor, pack: str, site: str = "", level: int = 4, count: int = 1, minutes: float = MINUTES,
        by_command: bool = False) -> DrillRow:
    """Call a drill; the leading desk begins it at its next look. Refused without a post, or for what the plan does not have."""
    if not actor.post and not by_command:
        raise Refused("err.post")
    if not 1 <= count <= MOST or not 0 < minutes * 60 <= LONGEST or not 1 <= level <= 4:
        raise Refused("drill.numbers", most=MOST, hours=LONGEST // 3600)
    indicator, sites = chosen(m.names, pack, level, site, count)
    busy = set(s.scalars(select(Alert.site).where(Alert.open, Alert.scope == Scope.EXERCISE.value, Alert.indicator == indicator)))
    free = [x for x in sites if x not in busy][:count]
    if not free:
        raise Refused("drill.busy")
    id_ = blake2b(f"{m.now}|{pack}|{indicator}|{free}".encode(), digest_size=4).hexdigest()
    row = DrillRow(id=id_, post=actor.post, pack=pack, indicator=indicator, sites=free, level=level, asked=m.now,
                   until=m.now + round(minutes * 60e6), state="asked", ended_by="", fault="",
                   alerts=[alert_id(f"{pack}/drill", f"{indicator}@{x}", m.now) for x in free])
    s.add(row)
    audit(s, m.now, "drill", None, actor.post, drill=id_, pack=pack, indicator=indicator, n=len(free), to=level, until=row.until)
    return row


def chosen(names: Names, pack: str, level: int, site: str, count: int) -> tuple[str, list[str]]:
    """The indicator with the most stations that have this level, and these stations: one `site`, or all of them."""
    if pack not in names.packs or pack == SELF:
        raise Refused("drill.pack")
    found: dict[str, list[str]] = {}
    for detector in names.packs[pack].detectors:
        if detector.scope == Scope.REAL and any(limit.level == level for limit in detector.limits):
            sites = detector.sites or names.indicators[detector.indicator].sites
            found.setdefault(detector.indicator, []).extend(x for x in sites if site in ("", x))
    best = max(found, key=lambda i: (len(set(found[i])) >= count, len(found[i])), default="")
    if not best or not found[best]:
        raise Refused("drill.site")
    return best, sorted(set(found[best]))


def limit_of(names: Names, pack: str, indicator: str, level: int, site: str) -> tuple[float, bool]:
    """The limit of that level at the station and whether it is an upper one, for the words of the call."""
    rows: list[tuple[Detector, Limit]] = [(d, x) for d in names.packs[pack].detectors for x in d.limits
                                          if d.indicator == indicator and x.level == level and d.scope == Scope.REAL]
    for _, x in sorted(rows, key=lambda row: not names.on_axis(row[0].path)):
        at = number(x.at, site)
        if at == at:
            return at, x.above
    return 0.0, True


def changes(row: DrillRow, m: Moment, over: bool) -> list[Change]:
    """What the drill says: every station at the limit of its level, or back to normal."""
    out = []
    for site, id_ in zip(row.sites, row.alerts, strict=True):
        at, above = limit_of(m.names, row.pack, row.indicator, row.level, site)
        now = m.now if over else row.told or row.asked
        out.append(Change(
            id=event_id(id_, int(over)), alert=id_, seq=int(over), time=now, arrived=now, onset=row.told or row.asked, since=now,
            pack=row.pack, site=site, indicator=row.indicator, detector=f"{row.pack}/drill", before=row.level if over else 0,
            to=0 if over else row.level, value=at, score=at, limit=at, direction="high" if above else "low",
            group=f"{row.pack}/{row.indicator}", scope=Scope.EXERCISE.value, plan=m.names.hash))
    return out


def finish(s: Session, row: DrillRow, m: Moment, post: str = "") -> None:
    """End it: what is still open of it is closed with the disposition drill. A second time changes nothing."""
    if row.state in ("ending", "ended"):
        return
    for alert in s.scalars(select(Alert).where(Alert.id.in_(row.alerts), Alert.open).with_for_update()):
        end(s, alert, m, post)
    row.state, row.ended, row.ended_by = "ending", m.now, post
    audit(s, m.now, "drill_ended", None, post, drill=row.id)


class Drills:
    """The leading desk's part: writes what was asked for, ends what is over. `pump` is called again and again."""

    def __init__(self, store: Store, moment: Callable[[], Moment], write: Write) -> None:
        self.store, self.moment, self.write, self.next = store, moment, write, 0

    def pump(self) -> None:
        """One look."""
        m = self.moment()
        if m.now < self.next:
            return
        with self.store.read() as s:
            rows = s.scalars(select(DrillRow).where(DrillRow.state != "ended")).all()
        for row in rows:
            try:
                self._one(row, m)
            except Unavailable as error:
                log.error("a drill cannot be written into the log", drill=row.id, error=str(error))
                self._set(row.id, fault=str(error)[:300])
                self.next = m.now + round(AGAIN * 1e6)

    def _one(self, row: DrillRow, m: Moment) -> None:
        if row.state == "asked" and m.now < row.until:
            row.told = row.told or m.now
            self._set(row.id, told=row.told)
            self.write(changes(row, m, False))
            self._set(row.id, state="running", fault="")
        elif row.state == "ending":
            if row.told is not None:
                self.write(changes(row, m, True))
            self._set(row.id, state="ended", fault="")
        else:
            with self.store.begin() as s:
                known = s.scalars(select(Alert.open).where(Alert.id.in_(row.alerts))).all()
                if m.now >= row.until or (len(known) == len(row.alerts) and not any(known)):
                    finish(s, s.get_one(DrillRow, row.id), m)

    def _set(self, id_: str, **values: object) -> None:
        with self.store.begin() as s:
            row = s.get_one(DrillRow, id_)
            for name, value in values.items():
                if not (name == "state" and value == "running" and row.state != "asked"):       # ended meanwhile by a person
                    setattr(row, name, value)
