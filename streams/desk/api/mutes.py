"""GET and POST /mutes: what is muted, by whom, why, until when; new silences and maintenance windows."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from detectors.level import LEVELS
from streams.clock import micros
from streams.desk.alert import Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, demand, lang_of, site_of, theme_of
from streams.desk.calling import routes
from streams.desk.local import ZONE
from streams.desk.names import Names
from streams.desk.pages.mutes import mutes
from streams.desk.pages.render import page
from streams.desk.people import rights
from streams.desk.publish import silences
from streams.desk.publish.tables import Silence

router = APIRouter(include_in_schema=False)
NAV = (60, "/mutes", "mutes.nav")


@router.get("/mutes")
def show(request: Request) -> Response:
    """The page. `?site=`, `?indicator=` … fill the form (from a warning)."""
    return _page(request, {k: x for k, x in request.query_params.items() if k in silences.SCOPE}, "", 200)


def _page(request: Request, typed: dict[str, str], notice: str, status: int) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = mutes(s, v, typed)
    return HTMLResponse(
        page("mutes.html", v, "/mutes", theme_of(request), **(context | {"notice": notice, "seq": site.head()})), status
    )


@router.post("/mutes")
async def make(request: Request) -> Response:
    """A new silence."""
    fields = await fields_of(request)
    return await run_in_threadpool(_make, request, fields)


def _make(request: Request, fields: dict[str, str]) -> Response:
    site = site_of(request)
    try:
        scope = {name: fields.get(name, "") for name in silences.SCOPE}
        level = int(LEVELS.get(fields.get("level", ""), 0))
        with site.store.begin() as s:
            demand(request, rights.Act.SILENCE, facts_of_scope(scope, site.names(), level))
            kind = "window" if fields.get("kind") == "window" else "mute"
            start = moment_of(fields.get("start", "")) if kind == "window" or fields.get("start") else site.now()
            row = silences.mute(
                s,
                kind,
                scope,
                level,
                start,
                moment_of(fields.get("until", "")),
                fields.get("reason", ""),
                acting(request),
                site.moment,
            )
            id_ = row.id
    except Refused as no:
        return _no(request, no, fields)
    return JSONResponse({"ok": True, "id": id_}) if wants_json(request) else RedirectResponse("/mutes", 303)


def _no(request: Request, no: Refused, fields: dict[str, str]) -> Response:
    return refused(request, no, lambda words: _page(request, fields, words, 409))


def facts_of_scope(scope: dict[str, str], names: Names, level: int) -> rights.Facts:
    """What a silence is about, for rights: its site or area, else the city as a whole."""
    if scope.get("site"):
        return rights.Facts(
            scope.get("pack", ""), routes.areas_of(names.city, scope["site"], ""), names.agency(scope["site"]), level
        )
    return rights.facts_of_area(scope.get("area", ""), names, "", level, scope.get("pack", ""))


def moment_of(text: str) -> int:
    """`2026-06-24 02:15` or `2026-06-24T02:15` of the city, as µs UTC. Refused when it is no time."""
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused("mutes.when") from None
    return micros((when if when.tzinfo else when.replace(tzinfo=ZONE)).isoformat())


@router.post("/mutes/{id_}/end")
async def end(request: Request, id_: str) -> Response:
    """End a silence before its time."""
    fields = await fields_of(request)

    def do() -> Response:
        site = site_of(request)
        try:
            with site.store.begin() as s:
                row = s.get(Silence, id_)
                if row is None:
                    return fault_page(request, "err.bad", 404)
                scope = {name: getattr(row, name) for name in silences.SCOPE}
                demand(request, rights.Act.SILENCE, facts_of_scope(scope, site.names(), row.level))
                silences.end(s, id_, acting(request), fields.get("reason", ""), site.moment)
        except Refused as no:
            return _no(request, no, {})
        return JSONResponse({"ok": True}) if wants_json(request) else RedirectResponse("/mutes", 303)

    return await run_in_threadpool(do)
