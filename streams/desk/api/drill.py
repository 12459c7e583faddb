"""GET and POST /drill: drills called and reported. JSON of the same under /api/drills."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from detectors.level import LEVELS
from streams.desk.alert import Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, demand, lang_of, site_of, theme_of
from streams.desk.exercise import drill
from streams.desk.exercise.report import report, report_json
from streams.desk.exercise.tables import DrillRow
from streams.desk.pages.drill import drills, one
from streams.desk.pages.render import page
from streams.desk.people import rights

router = APIRouter()
NAV = (80, "/drill", "drill.nav")


@router.get("/drill", include_in_schema=False)
def show(request: Request) -> Response:
    """The form and what was drilled before."""
    return _page(request, {}, "", 200)


def _page(request: Request, typed: dict[str, str], notice: str, status: int) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = drills(s, v, typed) | {"notice": notice, "seq": site.head()}
    return HTMLResponse(page("drill.html", v, "/drill", theme_of(request), **context), status)


@router.get("/drill/{id_}", include_in_schema=False)
def show_one(request: Request, id_: str) -> Response:
    """The report of one, also while it runs."""
    site = site_of(request)
    with site.store.read() as s:
        v, found = site.view(s, acting(request), lang_of(request)), report(s, id_)
        if found is None:
            return fault_page(request, "err.none", 404, id_)
        context = one(found, v) | {"seq": site.head()}
    return HTMLResponse(page("drill_report.html", v, f"/drill/{id_}", theme_of(request), **context))


@router.post("/drill", include_in_schema=False)
async def call(request: Request) -> Response:
    """Call one: pack, site, level, count, minutes. 303 to its report, or JSON with its id; 409 refused, 400 no numbers."""
    fields = await fields_of(request)
    return await run_in_threadpool(_call, request, fields)


def _call(request: Request, fields: dict[str, str]) -> Response:
    site = site_of(request)
    try:
        count, minutes = int(fields.get("count") or 1), float(fields.get("minutes") or drill.MINUTES)
        with site.store.begin() as s:
            demand(request, rights.Act.DRILL)
            level = int(LEVELS.get(fields.get("level") or "red", 0))
            where = (fields.get("pack", ""), fields.get("site", ""))
            id_ = drill.ask(s, site.moment, acting(request), *where, level, count, minutes).id
    except ValueError:
        return _no(request, Refused("drill.numbers", most=drill.MOST, hours=drill.LONGEST // 3600), fields)
    except Refused as no:
        return _no(request, no, fields)
    return JSONResponse({"ok": True, "id": id_}) if wants_json(request) else RedirectResponse(f"/drill/{id_}", 303)


@router.post("/drill/{id_}/end", include_in_schema=False)
def finish(request: Request, id_: str) -> Response:
    """End it now."""
    site = site_of(request)
    try:
        with site.store.begin() as s:
            demand(request, rights.Act.DRILL)
            row, actor = s.get(DrillRow, id_, with_for_update=True), acting(request)
            if row is None:
                return fault_page(request, "err.none", 404, id_)
            if not actor.post:
                raise Refused("err.post")
            drill.finish(s, row, site.moment, actor.post)
    except Refused as no:
        return _no(request, no, {})
    return JSONResponse({"ok": True, "id": id_}) if wants_json(request) else RedirectResponse(f"/drill/{id_}", 303)


def _no(request: Request, no: Refused, fields: dict[str, str]) -> Response:
    return refused(request, no, lambda words: _page(request, fields, words, 409))


@router.get("/api/drills")
def listed(request: Request) -> list[dict[str, Any]]:
    """The last drills, the newest first."""
    with site_of(request).store.read() as s:
        ids = s.scalars(select(DrillRow.id).order_by(DrillRow.asked.desc()).limit(20)).all()
        return [report_json(found) for id_ in ids if (found := report(s, id_)) is not None]


@router.get("/api/drills/{id_}", responses={404: {"description": "no such drill"}})
def reported(request: Request, id_: str) -> dict[str, Any]:
    """One drill: each step called when, sent, received, read, answered, in how many seconds."""
    with site_of(request).store.read() as s:
        found = report(s, id_)
    if found is None:
        raise HTTPException(404, "no such drill")
    return report_json(found)
