"""The page of the roster: who is on shift, the week by post, gaps, swaps. People are shown by their code."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.duty import watch
from streams.desk.duty.deeds import is_person
from streams.desk.duty.roster import Charge, charge, following
from streams.desk.duty.tables import Handover, Person, Shift, Swap
from streams.desk.folding.fold import Moment
from streams.desk.local import MICRO, ZONE, local, moment, span
from streams.desk.pages.bits import MARKS
from streams.desk.pages.view import View
from streams.desk.people.rights import Act, facts_of_post, may
from streams.desk.tables import Delivery
from streams.desk.words import has, say

DAY = 86_400 * MICRO


class Veil:
    """Codes of people for who may read a post's people (Act.PEOPLE); for all others only that somebody is there."""

    def __init__(self, v: View) -> None:
        self.v = v
        self.known: dict[str, bool] = {}

    def sees(self, post: str) -> bool:
        """Whether the reader may."""
        if post not in self.known:
            self.known[post] = may(self.v.account, Act.PEOPLE, facts_of_post(post, self.v.names)) is None
        return self.known[post]

    def __call__(self, post: str, code: str) -> str:
        return code if not code or self.sees(post) else say("duty.masked", self.v.lang)


def monday(word: str, now: int) -> datetime:
    """The Monday (00:00 of the city) of the week that holds a date; of this week where it is none."""
    try:
        day = datetime.fromisoformat(word[:10]).replace(tzinfo=ZONE)
    except ValueError:
        day = local(now)
    return (day - timedelta(days=day.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def micros(when: datetime) -> int:
    """µs UTC."""
    return round(when.timestamp()) * MICRO


def duty(s: Session, v: View, week: str) -> dict[str, Any]:
    """Everything that duty.html shows."""
    first, veil = monday(week, v.now), Veil(v)
    days = [first + timedelta(days=n) for n in range(7)]
    start, end = micros(first), micros(first + timedelta(days=7))
    shifts = s.scalars(select(Shift).where(Shift.start >= start, Shift.start < end).order_by(Shift.start)).all()
    posts = [p.id for p in v.names.city.posts]
    known = {x.post for x in shifts} | set(s.scalars(select(Shift.post).distinct()))
    swaps = list(s.scalars(select(Swap).order_by(Swap.state != "asked", Swap.id.desc()).limit(12)))
    moving = {i for x in swaps if x.state == "asked" for i in (x.mine, x.theirs)}
    gaps = watch.ahead(s, Moment(v.now, v.names))
    return {
        "title": say("duty.week", v.lang, first=f"{first:%m-%d}", last=f"{days[-1]:%m-%d}"),
        "count": say(
            "duty.count", v.lang, posts=len(known & set(posts)), shifts=len(shifts), gaps=sum(not x.person for x in shifts)
        ),
        "weeks": [f"{first + timedelta(days=n):%Y-%m-%d}" for n in (-7, 7)],
        "gaps": [_gap(s, g, v) for g in gaps],
        "now": [_now(s, p, v, veil) for p in posts],
        "days": [
            (f"{d:%m-%d}", say(f"day.{d.weekday()}", v.lang), d.date() == local(v.now).date(), micros(d) + DAY <= v.now)
            for d in days
        ],
        "table": [
            (v.names.post(p, v.lang), _week([x for x in shifts if x.post == p], days, moving, v, veil))
            for p in posts
            if p in known
        ],
        "swaps": [_swap(s, x, v) for x in swaps if veil.sees(x.mine.partition(".")[0]) and veil.sees(x.theirs.partition(".")[0])],
        "mine": [(x.id, _named(x, v)) for x in shifts if x.start > v.now and x.person and _speaks(v, x)],
        "others": [
            (x.id, f"{x.person} {_named(x, v)}")
            for x in shifts
            if x.start > v.now and x.person and veil.sees(x.post) and v.actor.account != x.person
        ],
        "people": sorted(s.scalars(select(Person.code))) if all(map(veil.sees, posts)) else [],
        "known": bool(known),
    }


def _speaks(v: View, x: Shift) -> bool:
    return is_person(v.actor, x.person) and (bool(v.actor.account) or v.actor.post == x.post)


def _named(x: Shift, v: View) -> str:
    return f"{v.names.post(x.post, v.lang)} {local(x.start):%m-%d} {x.label or _hours(x)}"


def _hours(x: Shift) -> str:
    return f"{local(x.start):%H}–{local(x.end):%H}"


def _gap(s: Session, gap: tuple[str, int, int], v: View) -> dict[str, Any]:
    post, start, end = gap
    row = s.scalar(select(Shift.id).where(Shift.post == post, Shift.start == start, Shift.person == ""))
    when = say("duty.gap_now", v.lang) if start <= v.now else say("duty.gap_in", v.lang, span=span(start - v.now, v.lang))
    return {
        "post": v.names.post(post, v.lang),
        "from": f"{local(start):%m-%d %H:%M}",
        "to": f"{local(end):%m-%d %H:%M}",
        "when": when,
        "shift": row or "",
    }


def _now(s: Session, post: str, v: View, veil: Veil) -> dict[str, Any]:
    """One line of "now on shift"."""
    found: Charge = charge(s, post, v.now, v.names.city.duty.signs)
    after = following(s, post, v.now)
    known = s.get(Handover, found.shift.id) if found.shift else None
    signed = known.in_at if known and known.in_at and known.out_at else None
    to_sign = found.incoming or (found.shift if post in v.names.city.duty.signs and signed is None else None)
    return {
        "post": v.names.post(post, v.lang),
        "person": veil(post, found.person),
        "to": moment(found.shift.end, v.now, v.lang, False) if found.shift else "",
        "late": bool(found.incoming),
        "incoming": veil(post, found.incoming.person) if found.incoming else "",
        "signed": moment(signed, v.now, v.lang, False) if signed else "",
        "sign": to_sign.id if to_sign else "",
        "reach": _reach(s, post, v),
        "next": f"{moment(after.start, v.now, v.lang, False)} {veil(post, after.person) or say('duty.gap', v.lang)}"
        if after
        else "—",
        "handover": after.id if after else "",
    }


def _reach(s: Session, post: str, v: View) -> list[tuple[str, str, bool]]:
    """Channels of a post with what became of the last message of a day: mark, words, whether it failed."""
    found = v.names.posts.get(post)
    last: dict[str, str] = {}
    rows = s.execute(
        select(Delivery.channel, Delivery.receipt, Delivery.state)
        .where(Delivery.post == post, Delivery.created > v.now - DAY)
        .order_by(Delivery.created)
    )
    for channel, receipt, state in rows:
        last[channel] = "failed" if receipt == "failed" or state == "parked" else receipt or "pending"
    out = []
    for channel in sorted({*(found.addresses if found else ()), *last}):
        name = say(f"channel.{channel}", v.lang) if has(f"channel.{channel}") else channel
        out.append((MARKS.get(last.get(channel, ""), "·"), name, last.get(channel) == "failed"))
    return out


def _week(shifts: list[Shift], days: list[datetime], moving: set[str], v: View, veil: Veil) -> list[list[dict[str, Any]]]:
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for x in shifts:
        by[f"{local(x.start):%m-%d}"].append(
            {
                "label": x.label or _hours(x),
                "person": veil(x.post, x.person),
                "on": x.start <= v.now < x.end,
                "moving": x.id in moving,
                "stands": veil(x.post, x.stands_for),
                "id": x.id,
                "open": x.end > v.now,
            }
        )
    return [by[f"{d:%m-%d}"] for d in days]


def _swap(s: Session, x: Swap, v: View) -> dict[str, Any]:
    a, b = s.get(Shift, x.mine), s.get(Shift, x.theirs)
    mine = (
        x.state == "asked"
        and is_person(v.actor, x.other)
        and (bool(v.actor.account) or (b is not None and b.post == v.actor.post))
    )
    return {
        "id": x.id,
        "state": x.state,
        "asks": x.asks,
        "other": x.other,
        "reason": x.reason,
        "at": moment(x.at, v.now, v.lang),
        "mine": _named(a, v) if a else x.mine,
        "theirs": _named(b, v) if b else x.theirs,
        "may": mine,
        "words": say(f"swap.{x.state}", v.lang, who=x.other),
        "refusal": "" if mine else say("duty.not_you", v.lang, who=x.other),
    }
