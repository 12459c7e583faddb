"""Gaps of the roster that are near are alerts of the desk's own pack `self`: called for, answered and closed like any other."""
from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.event import Change, alert_id, event_id
from detectors.level import Level
from streams.desk.calling import calls
from streams.desk.duty.roster import DAY, gaps
from streams.desk.folding.fold import Moment, fold
from streams.desk.tables import Alert, Event, Member

RULE = "self/duty-gap"
AHEAD = 7 * DAY


def ahead(s: Session, m: Moment) -> list[tuple[str, int, int]]:
    """The gaps of the next week, of posts that the plan has."""
    return [g for g in gaps(s, m.names.city.duty.cover, m.now, m.now + AHEAD) if g[0] in m.names.posts]


def watch(s: Session, m: Moment) -> int:
    """A yellow alert for each gap that begins within `gap`; it is back when somebody is found. How many changes were made."""
    near = [g for g in ahead(s, m) if g[1] <= m.now + round(m.names.city.duty.gap * 1e6)]
    wanted = {_id(post, end): post for post, _, end in near}
    open_ = {i for i in s.scalars(select(Member.id).join(Alert, Alert.id == Member.alert)
                                  .where(Alert.open, Alert.pack == "self", Alert.rule == RULE, Member.level > 0))}
    for id_ in wanted.keys() - open_:
        _say(s, id_, wanted[id_], Level.YELLOW, m)
    for id_ in open_ - wanted.keys():
        area = s.scalar(select(Alert.area).join(Member, Member.alert == Alert.id).where(Member.id == id_)) or ""
        _say(s, id_, area.removeprefix("post:"), Level.NORMAL, m)
    return len(wanted.keys() ^ open_)


def _id(post: str, end: int) -> str:
    """One gap by its end: its beginning moves with the clock once it has begun."""
    return alert_id(RULE, f"post:{post}", end)


def _say(s: Session, id_: str, post: str, level: Level, m: Moment) -> None:
    seq = s.scalar(select(func.count()).select_from(Event).where(Event.member == id_)) or 0
    change = Change(id=event_id(id_, seq), alert=id_, seq=seq, time=m.now, arrived=m.now, onset=m.now, pack="self", rule=RULE,
                    area=f"post:{post}", before=0 if level else int(Level.YELLOW), to=int(level), group=f"{RULE}/{id_}",
                    since=m.now, value=float(bool(level)), score=float(bool(level)), limit=1.0)
    alert = fold(s, change, m)
    if alert is not None:
        alert.value = alert.bound = None      # nothing was measured
        calls.settle(s, alert, m)
