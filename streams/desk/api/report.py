"""GET and POST /report: 人工接报, a form and a spreadsheet that make readings or a warning with source `manual`."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from detectors.level import LEVELS
from streams.desk.alert import Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.mutes import facts_of_scope, moment_of
from streams.desk.api.who import acting, demand, lang_of, site_of, theme_of
from streams.desk.pages.render import page
from streams.desk.pages.report import report
from streams.desk.people.rights import Act
from streams.desk.publish import hand, xlsx
from streams.desk.words import say
from streams.feeds.words import Reading
from streams.feeds.words import Refused as Fault

router = APIRouter(include_in_schema=False)
NAV = (70, "/report", "report.nav")
LARGEST = 2 << 20


@router.get("/report")
def show(request: Request) -> Response:
    """The page."""
    return _page(request, {}, "", [], 200)


def _page(request: Request, typed: dict[str, str], notice: str, faults: list[Fault], status: int, taken: int = 0) -> Response:
    site, lang = site_of(request), lang_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang)
        context = report(s, v, typed, faults)
    done = say("report.taken", lang, n=taken) if taken else ""
    return HTMLResponse(page("report.html", v, "/report", theme_of(request),
                             **(context | {"notice": notice, "done": done, "seq": site.head()})), status)


@router.post("/report/alert")
async def alert(request: Request) -> Response:
    """A warning by hand; it climbs the normal ladder."""
    fields = await fields_of(request)
    return await run_in_threadpool(_alert, request, fields)


def _alert(request: Request, fields: dict[str, str]) -> Response:
    site = site_of(request)
    try:
        kind, _, place = fields.get("place", "").partition("=")
        scope = {"pack": fields.get("pack", ""), "site": place if kind == "site" else "", "area": place if kind == "area" else ""}
        level = int(LEVELS.get(fields.get("level", ""), 0))
        with site.store.begin() as s:
            m = site.moment
            demand(request, Act.REPORT, facts_of_scope(scope, m.names, level))
            onset = moment_of(fields["when"]) if fields.get("when") else m.now
            made = hand.raise_alert(s, scope["pack"], fields.get("what", ""), scope["site"], scope["area"], level, onset,
                                    acting(request), fields.get("reason", ""), m, fields.get("drill") == "1")
            id_ = made.id
    except Refused as no:
        return _no(request, no, fields)
    return JSONResponse({"ok": True, "id": id_}) if wants_json(request) else RedirectResponse(f"/w/{id_}", 303)


def _no(request: Request, no: Refused, fields: dict[str, str]) -> Response:
    return refused(request, no, lambda words: _page(request, fields, words, [], 409))


@router.post("/report/readings")
async def readings(request: Request) -> Response:
    """Readings of a spreadsheet or of the text field: all of them or, with every fault by row and column, none."""
    try:
        form: Any = await request.form()
        fields = {k: x for k, x in form.items() if isinstance(x, str)}
        upload = form.get("file")
        data = await upload.read(LARGEST + 1) if isinstance(upload, UploadFile) and upload.filename else b""
        await form.close()
    except ValueError:
        fields, data = {}, b""
    return await run_in_threadpool(_readings, request, fields, data or fields.get("rows", "").encode())


def _readings(request: Request, fields: dict[str, str], data: bytes) -> Response:
    site = site_of(request)
    try:
        if len(data) > LARGEST:
            raise Refused("report.big")
        m = site.moment
        found: list[Reading] = []
        faults = [] if data.strip() else [Fault("size", "", say("report.nothing", lang_of(request)))]
        if data.strip():
            try:
                found, faults = hand.read(m.names.city, xlsx.as_csv(data) if xlsx.is_xlsx(data) else data, m.now)
            except ValueError as error:
                faults = [Fault("encoding", "", str(error))]
        if not faults:
            with site.store.begin() as s:
                for at in {(r.pack, r.site) for r in found}:
                    demand(request, Act.REPORT, facts_of_scope({"pack": at[0], "site": at[1]}, m.names, 0))
                hand.report(s, found, acting(request), fields.get("reason", ""), m)
    except Refused as no:
        return _no(request, no, fields)
    if wants_json(request):
        rows = [{"reason": f.reason, "place": f.place, "what": f.what} for f in faults]
        return JSONResponse({"ok": not faults, "accepted": 0 if faults else len(found), "rejected": rows}, 422 if faults else 202)
    if faults:
        return _page(request, fields, say("report.faults", lang_of(request), n=len(faults)), faults, 422)
    return _page(request, {}, "", [], 200, len(found))
