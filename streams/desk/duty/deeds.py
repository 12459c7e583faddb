"""What people do to the roster: put a sheet into force, man a gap, swap, subscribe. One transaction each with its audit row.

The audit names codes, never names or numbers. Refused says why not.
"""
from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from streams.desk.alert import REASON, Actor, Refused
from streams.desk.duty.roster import DAY, shift_id
from streams.desk.duty.sheet import REST, Sheet
from streams.desk.duty.tables import Calendar, Draft, Person, Shift, Swap
from streams.desk.folding.fold import Moment
from streams.desk.store import audit


@dataclass(frozen=True)
class Changes:
    """What a sheet would do: numbers of shifts, and the shifts that are left without a person."""

    new: int = 0
    other: int = 0
    gone: int = 0
    people: int = 0
    gaps: tuple[tuple[str, int, int], ...] = ()


def keep(s: Session, sheet: Sheet, m: Moment) -> str:
    """An uploaded sheet without faults as a draft; drafts of more than a day ago go."""
    s.execute(delete(Draft).where(Draft.at < m.now - DAY))
    row = Draft(id=secrets.token_urlsafe(12), at=m.now, body=sheet.plain())
    s.add(row)
    return row.id


def changes(s: Session, body: dict[str, Any], m: Moment) -> Changes:
    """What a draft would change now."""
    new = other = 0
    for post, start, end, person, label, stands in body["lines"]:
        row = s.get(Shift, shift_id(post, start))
        new += row is None
        other += row is not None and (row.end, row.person, row.label, row.stands_for) != (end, person, label, stands)
    gaps = tuple((post, start, end) for post, start, end, person, *_ in body["lines"] if not person)
    return Changes(new, other, len(_gone(s, body, m)), len(body["people"]), gaps)


def _gone(s: Session, body: dict[str, Any], m: Moment) -> list[Shift]:
    """Shifts that have not begun, within the sheet's span of their post, that the sheet does not have."""
    out: list[Shift] = []
    for post in {line[0] for line in body["lines"]}:
        starts = [line[1] for line in body["lines"] if line[0] == post]
        inside = (Shift.start >= max(min(starts), m.now), Shift.start <= max(starts), Shift.start.not_in(starts))
        out += s.scalars(select(Shift).where(Shift.post == post, *inside))
    return out


def posts_of(s: Session, draft: str) -> list[str]:
    """The posts that a draft is about; none when it is gone."""
    found = s.get(Draft, draft)
    return sorted({line[0] for line in found.body["lines"]}) if found else []


def enforce(s: Session, draft: str, actor: Actor, m: Moment) -> Changes:
    """Put a draft into force. Refused when it is gone."""
    found = s.get(Draft, draft)
    if found is None or found.at < m.now - DAY:
        raise Refused("duty.no_draft")
    return enforce_sheet(s, found.body, actor, m, found)


def enforce_sheet(s: Session, body: dict[str, Any], actor: Actor, m: Moment, draft: Draft | None = None) -> Changes:
    """Shifts and people of a sheet into the tables; what has begun and is not in the sheet stays."""
    done = changes(s, body, m)
    for row in _gone(s, body, m):
        s.delete(row)
    for code, (name, at) in body["people"].items():
        person = s.get(Person, code) or Person(code=code, name="", addresses={})
        person.name, person.addresses = name or person.name, person.addresses | at
        s.add(person)
    for post, start, end, person_, label, stands in body["lines"]:
        shift = s.get(Shift, shift_id(post, start)) or Shift(id=shift_id(post, start), post=post, start=start)
        shift.end, shift.person, shift.label, shift.stands_for = end, person_, label, stands
        s.add(shift)
    if draft is not None:
        s.delete(draft)
    audit(s, m.now, "roster", post=actor.post, new=done.new, other=done.other, gone=done.gone, people=done.people)
    return done


def man(s: Session, id_: str, person: str, actor: Actor, m: Moment) -> Shift:
    """Put somebody on a shift: into a gap, or as a substitute (代班). KeyError: no such shift."""
    row = s.get(Shift, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    if s.get(Person, person) is None:
        raise Refused("duty.f_person", got=person or "—", near="—")
    if row.end <= m.now:
        raise Refused("duty.over")
    _free(s, person, row, ())
    before = row.stands_for or row.person
    row.stands_for, row.person = before if before != person else "", person
    audit(s, m.now, "manned", post=actor.post, shift=id_, person=person, before=before)
    return row


def ask(s: Session, mine: str, theirs: str, reason: str, actor: Actor, m: Moment) -> Swap:
    """Propose a swap of two shifts that have not begun. KeyError: no such shift."""
    a, b = s.get_one(Shift, mine), s.get_one(Shift, theirs)
    if not is_person(actor, a.person):
        raise Refused("duty.not_you", who=a.person or "—")
    if len(reason.strip()) < REASON:
        raise Refused("err.reason")
    if min(a.start, b.start) <= m.now:
        raise Refused("duty.over")
    if not b.person or a.person == b.person:
        raise Refused("duty.same")
    _free(s, a.person, b, (mine, theirs))
    _free(s, b.person, a, (mine, theirs))
    row = Swap(mine=mine, theirs=theirs, asks=a.person, other=b.person, reason=reason.strip(), at=m.now, state="asked")
    s.add(row)
    s.flush()
    audit(s, m.now, "swap", post=actor.post, mine=mine, theirs=theirs, person=a.person, other=b.person, reason=row.reason)
    return row


def answer(s: Session, id_: int, yes: bool, actor: Actor, m: Moment) -> Swap:
    """The other one agrees or does not: it needs both. KeyError: no such swap."""
    row = s.get(Swap, id_, with_for_update=True)
    if row is None:
        raise KeyError(id_)
    a, b = s.get(Shift, row.mine, with_for_update=True), s.get(Shift, row.theirs, with_for_update=True)
    if row.state != "asked":
        raise Refused("duty.answered")
    if not is_person(actor, row.other) or (not actor.account and b is not None and actor.post != b.post):
        raise Refused("duty.not_you", who=row.other)
    if yes and (a is None or b is None or (a.person, b.person) != (row.asks, row.other) or min(a.start, b.start) <= m.now):
        raise Refused("duty.moved")
    if yes and a is not None and b is not None:
        a.person, b.person = row.other, row.asks
    row.state, row.answered = "agreed" if yes else "refused", m.now
    audit(s, m.now, "swapped", post=actor.post, mine=row.mine, theirs=row.theirs, person=row.asks, other=row.other,
          state=row.state)
    return row


def is_person(actor: Actor, code: str) -> bool:
    """Whether who acts is this person: by the account; where nobody signs in, any post speaks for its people."""
    return bool(code) and (actor.account == code if actor.account else bool(actor.post))


def _free(s: Session, person: str, shift: Shift, but: tuple[str, ...]) -> None:
    """Refused when the person has another shift then, or too little rest before or after it."""
    near = select(Shift.id).where(Shift.person == person, Shift.id != shift.id, Shift.id.not_in(but),
                                  Shift.start < shift.end + REST, Shift.end > shift.start - REST)
    found = s.scalar(near.limit(1))
    if found is not None:
        raise Refused("duty.rest", who=person, shift=found)


def subscribe(s: Session, post: str, actor: Actor, m: Moment) -> str:
    """A new token at which a post's shifts are read as iCalendar."""
    if post not in m.names.posts:
        raise Refused("err.to")
    token = secrets.token_urlsafe(24)
    s.add(Calendar(hash=hashed(token), post=post, at=m.now))
    audit(s, m.now, "calendar", post=actor.post, of=post)
    return token


def hashed(token: str) -> str:
    """What is kept of a token."""
    return blake2b(token.encode(), digest_size=16).hexdigest()
