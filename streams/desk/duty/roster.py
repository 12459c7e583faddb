"""Who keeps watch: on shift, in charge, and where a call reaches them.

A post of `duty.signs` changes hands only when both have signed: until then who went before is in charge, and calls go to both,
for twice is better than never. After a day without a signature the roster alone counts.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.pack import City
from streams.desk.duty.tables import Handover, Person, Shift
from streams.desk.folding.fold import Moment
from streams.desk.local import MICRO, local

DAY = 86_400 * MICRO
OWN = ("log",)
"""Channels that never get a person's address: they write it down."""


@dataclass(frozen=True)
class Charge:
    """Who answers at a post now. `incoming` = the shift that has begun and is not signed for yet."""

    shift: Shift | None = None
    incoming: Shift | None = None

    @property
    def person(self) -> str:
        """The code of who is in charge; "" = nobody."""
        return self.shift.person if self.shift else ""


def shift_id(post: str, start: int) -> str:
    """`city-desk.202606240800`."""
    return f"{post}.{local(start):%Y%m%d%H%M}"


def shift_at(s: Session, post: str, at: int) -> Shift | None:
    """The shift of the roster at a moment, manned or not."""
    return s.scalar(select(Shift).where(Shift.post == post, Shift.start <= at, Shift.end > at)
                    .order_by(Shift.start.desc()).limit(1))


def following(s: Session, post: str, at: int) -> Shift | None:
    """The next shift that begins after a moment."""
    return s.scalar(select(Shift).where(Shift.post == post, Shift.start > at).order_by(Shift.start).limit(1))


def charge(s: Session, post: str, at: int, signs: Sequence[str]) -> Charge:
    """Who is in charge of a post."""
    there = shift_at(s, post, at)
    manned = there if there is not None and there.person else None
    if post not in signs:
        return Charge(manned)
    last = s.scalar(select(Handover).where(Handover.post == post, Handover.in_at <= at, Handover.out_at <= at)
                    .order_by(Handover.in_at.desc()).limit(1))
    held = s.get(Shift, last.shift) if last else None
    if held is None or at - held.end > DAY or (manned and (manned.id == held.id or manned.person == held.person)):
        return Charge(manned)
    return Charge(held, manned)


def addresses(s: Session, post: str, channel: str, m: Moment) -> list[str]:
    """Where a call of a post goes over a channel: to who is in charge (and who should be), else to the post's own address."""
    found = m.names.posts.get(post)
    own = found.addresses.get(channel, "") if found else ""
    if channel in OWN:
        return [own]
    now = charge(s, post, m.now, m.names.city.duty.signs)
    people = [s.get(Person, x.person) for x in (now.shift, now.incoming) if x is not None]
    return list(dict.fromkeys((p.addresses.get(channel) or own) if p else own for p in people)) or [own]


def on_shift_at(city: City, url: str | None, when: Mapping[str, int]) -> dict[str, str]:
    """Post -> code of who is in charge at a moment; empty where there is no desk database (none is made)."""
    from streams.desk.store import Store
    from streams.settings import settings

    address = settings(desk_url=url).desk_url
    if address.startswith("sqlite") and not Path(address.split("///", 1)[-1]).exists():
        return {}
    store = Store(address)
    try:
        with store.read() as s:
            found = {post: charge(s, post, at, city.duty.signs).person for post, at in when.items()}
    finally:
        store.close()
    return {post: code for post, code in found.items() if code}


def gaps(s: Session, cover: Sequence[str], start: int, end: int) -> list[tuple[str, int, int]]:
    """Unmanned stretches `(post, from, to)` between two moments: shifts without a person; where posts must be covered, holes."""
    rows = s.scalars(select(Shift).where(Shift.end > start, Shift.start < end).order_by(Shift.post, Shift.start)).all()
    out = [(r.post, r.start, r.end) for r in rows if not r.person]
    for post in cover:
        reached = start
        for r in (r for r in rows if r.post == post):
            if r.start > reached:
                out.append((post, reached, r.start))
            reached = max(reached, r.end)
        if reached < end:
            out.append((post, reached, end))
    return sorted(out, key=lambda g: (g[1], g[0]))
