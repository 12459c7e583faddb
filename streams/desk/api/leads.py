"""GET /leads: the worklist of leads, nobody was called for them. POST /leads/ID/close and /reopen. GET /api/leads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from detectors.level import Level
from streams.clock import iso
from streams.desk import lead_acts
from streams.desk.alert import Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.deed import LONGEST
from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.folding import leads
from streams.desk.pages.leads import Kept, worklist
from streams.desk.pages.render import page
from streams.desk.tables import Lead
from streams.desk.words import say

router = APIRouter()
NAV = (68, "/leads", "leads.nav")
PLAIN = ("id", "path", "pack", "indicator", "site", "area", "value", "members", "closed_by", "outcome", "reason")


@router.get("/leads", include_in_schema=False)
def show(request: Request) -> Response:
    """The page."""
    return _page(request, Kept(), "", 200)


def _page(request: Request, kept: Kept, notice: str, status: int) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = worklist(s, v, kept)
    html = page("leads.html", v, "/leads", theme_of(request), **(context | {"notice": notice, "seq": site.head()}))
    return HTMLResponse(html, status)


@router.get("/api/leads")
def listed(request: Request, open: bool = True) -> list[dict[str, Any]]:
    """Open leads, the newest first; `?open=false` for those that people closed, the last first."""
    with site_of(request).store.read() as s:
        return [lead_json(x) for x in (leads.listed(s) if open else leads.done(s, 0))]


def lead_json(x: Lead) -> dict[str, Any]:
    """A lead as plain values: levels as words, times as ISO 8601 UTC; what does not apply is null."""
    out = {name: getattr(x, name) for name in PLAIN} | {"level": Level(x.level).word, "peak": Level(x.peak).word}
    return out | {"since": iso(x.since), "time": iso(x.time), "closed": None if x.closed is None else iso(x.closed)}


@router.post("/leads/{id_}/close", include_in_schema=False)
async def close(request: Request, id_: str) -> Response:
    """Looked into: `disposition` (true, false, fault) and `reason`. 303 back, or JSON; 404 no such lead, 409 refused."""
    fields = await fields_of(request)
    outcome, reason = fields.get("disposition", ""), fields.get("reason", "")[:LONGEST]
    site = site_of(request)
    return await run_in_threadpool(_do, request, Kept(id_, outcome, reason), lambda s: lead_acts.close(
        s, id_, outcome, reason, acting(request), site.moment))


@router.post("/leads/{id_}/reopen", include_in_schema=False)
async def reopen(request: Request, id_: str) -> Response:
    """Closed too early: `reason`."""
    reason = (await fields_of(request)).get("reason", "")[:LONGEST]
    site = site_of(request)
    return await run_in_threadpool(_do, request, Kept(id_, "", reason), lambda s: lead_acts.reopen(
        s, id_, reason, acting(request), site.moment))


def _do(request: Request, kept: Kept, deed: Callable[[Session], Lead]) -> Response:
    try:
        with site_of(request).store.begin() as s:
            done = lead_json(deed(s))
    except KeyError:
        if wants_json(request):
            return JSONResponse({"ok": False, "error": "leads.missing", "message": say("leads.missing", lang_of(request))}, 404)
        return fault_page(request, "leads.missing", 404, kept.id)
    except Refused as no:
        return refused(request, no, lambda words: _page(request, kept, words, 409))
    return JSONResponse({"ok": True, "lead": done}) if wants_json(request) else RedirectResponse("/leads", 303)
