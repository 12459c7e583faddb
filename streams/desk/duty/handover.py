"""交接班: what is handed from one shift to the next, and the two signatures without which it has not happened."""
from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.alert import Actor, Refused
from streams.desk.duty.deeds import is_person
from streams.desk.duty.roster import charge
from streams.desk.duty.tables import Handover, Shift
from streams.desk.exercise.mark import HIDDEN
from streams.desk.folding.fold import Moment
from streams.desk.local import MICRO
from streams.desk.store import audit
from streams.desk.tables import Alert, Audit, Delivery

RED = 4
TEN = 600 * MICRO
CHATTER = 3
WINDOW = 1800 * MICRO


@dataclass
class Load:
    """How heavy the watch was; drills and shadows are not counted. Times in µs."""

    windows: list[int] = field(default_factory=list)        # warnings in each ten minutes
    opened: int = 0
    closed: int = 0
    ladders: int = 0
    overdue: int = 0
    took: dict[int, list[int]] = field(default_factory=dict)    # level -> time to each answer
    old: list[int] = field(default_factory=list)            # how long open ones have been open
    chattering: dict[str, int] = field(default_factory=dict)    # detector -> alerts that went on and off
    top: list[tuple[str, int]] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Warnings in ten minutes."""
        return sum(self.windows) / len(self.windows) if self.windows else 0.0

    @property
    def crowded(self) -> int:
        """Stretches of ten minutes with more than ten."""
        return sum(n > 10 for n in self.windows)

    @property
    def in_time(self) -> int | None:
        """Percent of the ladders that somebody answered before their end."""
        return round(100 * (1 - self.overdue / self.ladders)) if self.ladders else None


def open_alerts(s: Session) -> list[Alert]:
    """Exactly what is open at this moment, the worst first; drills last."""
    rows = s.scalars(select(Alert).where(Alert.open, ~HIDDEN)).all()
    return sorted(rows, key=lambda a: (a.scope != "real", -a.shown, a.opened, a.id))


def reds(s: Session) -> list[str]:
    """Open reds: each must be ticked by who takes over."""
    return [a.id for a in open_alerts(s) if a.shown == RED and a.scope == "real"]


def load(s: Session, start: int, end: int) -> Load:
    """The load between two moments."""
    rows = s.execute(select(Audit, Alert).join(Alert, Alert.id == Audit.alert)
                     .where(Audit.at >= start, Audit.at < end, Alert.scope == "real").order_by(Audit.seq)).all()
    out, rises = Load([0] * max(1, -(-(end - start) // TEN))), defaultdict(list)
    by: Counter[str] = Counter()
    for row, alert in rows:
        if row.act in ("opened", "raised"):
            out.windows[(row.at - start) // TEN] += 1
            rises[alert.id].append(row.at)
            by[str(row.what.get("detector") or alert.detector or alert.rule)] += 1
        out.opened += row.act == "opened"
        out.closed += row.act == "closed"
        out.ladders += row.act == "ladder"
        out.overdue += row.act == "overdue"
        if row.act == "answered" and "took" in row.what:
            out.took.setdefault(alert.shown, []).append(row.what["took"])
    out.old = sorted((end - a.opened for a in open_alerts(s) if a.scope == "real"), reverse=True)
    names = {alert.id: alert.detector or alert.rule for _, alert in rows}
    on_off = [names[i] for i, at in rises.items() if any(b - a <= WINDOW for a, b in zip(at, at[CHATTER - 1:], strict=False))]
    out.chattering, out.top = dict(Counter(on_off)), by.most_common(10)
    return out


def unanswered(s: Session, start: int, end: int) -> list[tuple[Audit, Alert]]:
    """Steps that passed without an answer, and ladders that ended so."""
    rows = s.execute(select(Audit, Alert).join(Alert, Alert.id == Audit.alert)
                     .where(Audit.at >= start, Audit.at < end, Audit.act.in_(("expired", "overdue", "returned")),
                            Alert.scope == "real").order_by(Audit.seq.desc()).limit(40)).all()
    return [(row, alert) for row, alert in rows]


def faults(s: Session, start: int, end: int) -> list[tuple[str, str, int, str]]:
    """Deliveries that did not go at once: channel, state, how many, what the other side said last."""
    bad = (Delivery.attempts > 1) | (Delivery.state == "parked") | (Delivery.receipt == "failed")
    rows = s.scalars(select(Delivery).where(Delivery.created >= start, Delivery.created < end, Delivery.scope == "real", bad))
    out: dict[tuple[str, str], list[str]] = defaultdict(list)
    for d in rows:
        waits = "retry" if d.state == "pending" else "again"
        state = "parked" if d.state == "parked" else "failed" if d.receipt == "failed" else waits
        out[d.channel, state].append(d.detail)
    return [(channel, state, len(details), details[-1]) for (channel, state), details in sorted(out.items())]


def sheet(s: Session, shift: Shift, m: Moment) -> Handover:
    """The hand-over to a shift: as signed, else as it would be signed now (not written)."""
    row = s.get(Handover, shift.id)
    if row is not None and row.out_at and row.in_at:
        return row
    now = charge(s, shift.post, min(m.now, shift.end - 1), (shift.post,))
    before = now.shift if now.shift is not None and now.shift.id != shift.id else _before(s, shift)
    found = row or Handover(shift=shift.id, post=shift.post, out_at=None, in_at=None, out_by="", in_by="", seen=[], note="",
                            plan="")
    found.outgoing, found.incoming = before.person if before else "", shift.person
    return found


def plan_before(s: Session, shift: Shift) -> tuple[str, int] | None:
    """The plan that was handed over last at this post before this hand-over, and when (µs UTC); None where nobody signed one."""
    row = s.execute(select(Handover.plan, Handover.in_at).join(Shift, Shift.id == Handover.shift)
                    .where(Handover.post == shift.post, Shift.start < shift.start, Handover.plan != "",
                           Handover.in_at.is_not(None))
                    .order_by(Shift.start.desc()).limit(1)).first()
    return (row[0], row[1] or 0) if row else None


def _before(s: Session, shift: Shift) -> Shift | None:
    return s.scalar(select(Shift).where(Shift.post == shift.post, Shift.start < shift.start, Shift.person != "")
                    .order_by(Shift.start.desc()).limit(1))


def sign(s: Session, id_: str, comes: bool, seen: list[str], note: str, actor: Actor, m: Moment) -> Handover:
    """One signature: of who goes, or of who comes, who ticks every open red. KeyError: no such shift."""
    shift = s.get(Shift, id_, with_for_update=True)
    if shift is None:
        raise KeyError(id_)
    row = sheet(s, shift, m)
    may_sign(row, shift, comes, actor, m)
    if comes:
        left = [i for i in reds(s) if i not in seen]
        if left:
            raise Refused("duty.unticked", n=str(len(left)))
        row.in_at, row.in_by, row.seen = m.now, actor.who, list(seen)
    else:
        row.out_at, row.out_by = m.now, actor.who
    row.note, row.plan = note.strip() or row.note, m.names.hash
    s.add(row)
    row.seq = audit(s, m.now, "signed", post=actor.post, shift=id_, side="in" if comes else "out", outgoing=row.outgoing,
                    incoming=row.incoming, open=len(open_alerts(s)), seen=list(seen) if comes else None, note=note.strip(),
                    plan=row.plan)
    if row.out_at and row.in_at:
        audit(s, m.now, "changed", post=shift.post, shift=id_, outgoing=row.outgoing, incoming=row.incoming)
    return row


def may_sign(row: Handover, shift: Shift, comes: bool, actor: Actor, m: Moment) -> None:
    """Refused when this side cannot be signed by the actor now."""
    who = row.incoming if comes else row.outgoing
    if (row.in_at if comes else row.out_at) is not None:
        raise Refused("duty.signed")
    if m.now < shift.start - 3600 * MICRO:
        raise Refused("duty.early")
    if m.now >= shift.end:
        raise Refused("duty.over")
    if not who:
        raise Refused("duty.nobody")
    if not is_person(actor, who) or (not actor.account and actor.post != shift.post):
        raise Refused("duty.not_you", who=who)
    if row.outgoing != row.incoming and actor.account and actor.who in (row.out_by, row.in_by):
        raise Refused("duty.two")
