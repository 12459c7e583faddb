"""JSON for programs, receipts from channels, health and metrics."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter, HTTPException, Query
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from detectors.level import Level
from streams.clock import iso
from streams.desk import acts
from streams.desk.alert import Refused
from streams.desk.api.who import site_of
from streams.desk.calling import calls, outbox
from streams.desk.exercise.mark import HIDDEN
from streams.desk.pages import ask
from streams.desk.people.current import permit
from streams.desk.people.rights import Act
from streams.desk.tables import Alert, Audit, Event, Member

router = APIRouter()
NONE: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing"}}
TIMES = (
    "time",
    "arrived",
    "onset",
    "since",
    "silent_since",
    "as_of",
    "opened",
    "raised",
    "called",
    "answered",
    "back",
    "acted",
    "due",
    "verified",
    "closed",
)
PLAIN = (
    "id",
    "state",
    "open",
    "pack",
    "indicator",
    "detector",
    "rule",
    "site",
    "area",
    "scope",
    "direction",
    "confidence",
    "check",
    "value",
    "score",
    "covers",
    "members",
    "covered_by",
    "retired",
    "withdrawn",
    "revised",
    "run",
    "ladder",
    "answered_by",
    "acted_by",
    "news",
    "offered",
    "verified_by",
    "closed_by",
    "disposition",
    "reason",
    "plan",
    "rev",
)


def alert_json(a: Alert) -> dict[str, Any]:
    """An alert as plain values: levels as words, times as ISO 8601 UTC; what does not apply is null."""
    out = {name: getattr(a, name) for name in PLAIN}
    out |= {"level": Level(a.level).word, "shown": Level(a.shown).word, "limit": a.bound}
    return out | {name: None if getattr(a, name) is None else iso(getattr(a, name)) for name in TIMES}


@router.get("/api/alerts")
def alerts(
    request: Request, open_: bool | None = Query(None, alias="open"), limit: int = Query(500, ge=1, le=5000)
) -> list[dict[str, Any]]:
    """Alerts, the newest first; `?open=true` for the open ones."""
    query = select(Alert).where(~HIDDEN).order_by(Alert.opened.desc(), Alert.id).limit(limit)
    if open_ is not None:
        query = query.where(Alert.open == open_)
    with site_of(request).store.read() as s:
        return [alert_json(a) for a in s.scalars(query)]


@router.get("/api/alerts/{id_}", responses=NONE)
def alert(request: Request, id_: str) -> dict[str, Any]:
    """One alert with its events, ladder, deliveries and audit."""
    with site_of(request).store.read() as s:
        found = ask.one(s, id_)
        if found is None:
            raise HTTPException(404, "no such alert")
        events = s.scalars(select(Event).join(Member, Member.id == Event.member).where(Member.alert == id_).order_by(Event.id))
        audit = s.scalars(select(Audit).where(Audit.alert == id_).order_by(Audit.seq))
        return alert_json(found.alert) | {
            "events": [e.body for e in events],
            "steps": [_step(x) for x in calls.steps_of(s, found.alert)],
            "deliveries": [
                {
                    "key": d.key,
                    "channel": d.channel,
                    "post": d.post,
                    "step": d.n,
                    "run": d.run,
                    "state": d.state,
                    "receipt": d.receipt,
                    "attempts": d.attempts,
                    "text": d.text,
                    "sent": iso(d.sent_at) if d.sent_at else None,
                    "detail": d.detail,
                    "folded": d.folded,
                }
                for d in found.deliveries
            ],
            "audit": [
                {"seq": r.seq, "at": iso(r.at), "act": r.act, "post": r.post, "what": r.what, "hash": r.hash} for r in audit
            ],
        }


def _step(x: Any) -> dict[str, Any]:
    return asdict(x) | {"due_at": iso(x.due_at), "until": iso(x.until) if x.until else None}


class Receipt(BaseModel):
    """What a channel's provider tells later of a delivery."""

    model_config = ConfigDict(extra="forbid")
    receipt: Literal["received", "read", "failed"]


@router.post("/api/deliveries/{key}/receipt", responses=NONE)
def receipt(request: Request, key: str, body: Receipt) -> dict[str, str]:
    """Take a receipt; it may be all that the step demanded."""
    site = site_of(request)
    try:
        with site.store.begin() as s:
            permit(Act.ANSWER_FOR)
            rows = [acts.receipt(s, row.key, body.receipt, site.moment) for row in outbox.together(s, key)]
            return {"key": key, "receipt": rows[0].receipt}
    except Refused as no:
        raise HTTPException(403, no.key) from None
    except IndexError:
        raise HTTPException(404, "no such delivery") from None


@router.get("/healthz", response_class=PlainTextResponse)
def healthz() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", responses={503: {"description": "It is not ready; `fault` says why"}})
def readyz(request: Request) -> Response:
    """Database, log and words are there; who leads."""
    site = site_of(request)
    try:
        seq, fault = site.store.head(), site.ready()
    except SQLAlchemyError as error:
        seq, fault = -1, f"database: {getattr(error, 'orig', error)}"
    said = {"ready": not fault, "fault": fault, "leader": site.leading(), "live": site.live(), "audit": seq}
    return JSONResponse(said, 503 if fault else 200)


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(generate_latest(site_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)
