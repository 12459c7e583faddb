"""What a drill showed: who was called when, over what, what came back, after how many seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.clock import iso
from streams.desk.calling.ladder import Rung as State
from streams.desk.exercise.tables import CanaryRow, DrillRow
from streams.desk.tables import Alert, Audit, Delivery, Rung

LIVE = ("asked", "running")


@dataclass(frozen=True, slots=True)
class Call:
    """One step of one warning over one channel. Times are µs UTC; None = it did not come to that. `seconds` = call to answer."""

    alert: str
    site: str
    n: int
    post: str
    channel: str
    state: str                  # of the step: called, expired, answered …
    called: int | None
    sent: int | None
    received: int | None
    read: int | None
    answered: int | None
    seconds: float | None
    result: str                 # of the delivery: sent, parked …
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A drill as a whole. `detected` = seconds from the log to the warning, `canary` = those of the last self check."""

    id: str
    pack: str
    indicator: str
    level: int
    post: str
    state: str
    asked: int
    until: int
    ended: int | None
    ended_by: str
    fault: str
    warnings: int
    opened: int
    answered: int
    first_answer: float | None
    detected: float | None
    canary: float | None
    calls: tuple[Call, ...]


def report(s: Session, id_: str) -> Report | None:
    """The drill so far, or as it was; None when there is no such drill."""
    row = s.get(DrillRow, id_)
    if row is None:
        return None
    alerts = list(s.scalars(select(Alert).where(Alert.id.in_(row.alerts)).order_by(Alert.site)))
    calls = tuple(call for alert in alerts for call in _calls(s, alert))
    took = [a.answered - a.called for a in alerts if a.answered and a.called]
    late = [a.opened - row.told for a in alerts if row.told is not None]
    canary = s.get(CanaryRow, 1)
    return Report(
        row.id, row.pack, row.indicator, row.level, row.post, row.state, row.asked, row.until, row.ended, row.ended_by, row.fault,
        len(row.alerts), len(alerts), sum(a.answered is not None for a in alerts), _seconds(min(took, default=None)),
        _seconds(max(late, default=None)), _seconds(canary.took if canary else None), calls)


def _calls(s: Session, alert: Alert) -> list[Call]:
    got: dict[tuple[int, str, str], int] = {}
    rows = s.scalars(select(Audit).where(Audit.alert == alert.id, Audit.act.in_(("receipt", "answered"))).order_by(Audit.seq))
    for r in rows:
        if r.act == "receipt":
            got.setdefault((int(r.what.get("n", 0)), str(r.what.get("channel", "")), str(r.what.get("receipt", ""))), r.at)
    sent = {(d.n, d.channel): d for d in s.scalars(select(Delivery).where(Delivery.alert == alert.id, Delivery.run == alert.run))}
    out = []
    for step in s.scalars(select(Rung).where(Rung.alert == alert.id, Rung.run == alert.run).order_by(Rung.n)):
        answered = alert.answered if step.state == State.ANSWERED else None
        took = _seconds(answered - step.called_at) if answered and step.called_at else None
        for channel in step.channels:
            d = sent.get((step.n, channel))
            out.append(Call(alert.id, alert.site, step.n, step.post, channel, step.state, step.called_at,
                            d.sent_at if d else None,
                            got.get((step.n, channel, "received")), got.get((step.n, channel, "read")), answered, took,
                            d.state if d else "", d.detail if d else ""))
    return out


def _seconds(micros: int | None) -> float | None:
    return None if micros is None else round(micros / 1e6, 2)


def report_json(found: Report) -> dict[str, Any]:
    """As plain values: times as ISO 8601 UTC."""
    out = asdict(found)
    out["calls"] = [{k: iso(x) if k in ("called", "sent", "received", "read", "answered") and x is not None else x
                     for k, x in call.items()} for call in out["calls"]]
    return out | {k: iso(out[k]) if out[k] is not None else None for k in ("asked", "until", "ended")}
