"""GET /outbox: what did not get through. POST /outbox/KEY/resend: a parked message once more."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from streams.desk.alert import Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, demand, lang_of, site_of, theme_of
from streams.desk.calling.resend import resend
from streams.desk.pages.outbox import outbox
from streams.desk.pages.render import page
from streams.desk.people import rights
from streams.desk.tables import Alert, Delivery
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
NAV = (65, "/outbox", "resend.nav")


@router.get("/outbox")
def show(request: Request) -> Response:
    """The page."""
    return _page(request, "", 200)


def _page(request: Request, notice: str, status: int) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = outbox(s, v)
    context |= {"notice": notice, "seq": site.head()}
    return HTMLResponse(page("outbox.html", v, "/outbox", theme_of(request), **context), status)


@router.post("/outbox/{key}/resend")
async def again(request: Request, key: str) -> Response:
    """Send it again: 303 back, or JSON; 404 no such delivery, 409 refused with the reason."""
    back = (await fields_of(request)).get("back", "/outbox")
    return await run_in_threadpool(_again, request, key, back)


def _again(request: Request, key: str, back: str) -> Response:
    site, lang = site_of(request), lang_of(request)
    try:
        with site.store.begin() as s:
            m, found = site.moment, s.get(Delivery, key)
            if found is None:
                raise KeyError(key)
            demand(request, rights.Act.RESEND, rights.facts_of(s.get_one(Alert, found.alert), m.names))
            alert = resend(s, key, acting(request), m).alert
    except KeyError:
        if wants_json(request):
            return JSONResponse({"ok": False, "error": "err.none", "message": say("err.none", lang)}, 404)
        return fault_page(request, "err.none", 404, key)
    except Refused as no:
        return refused(request, no, lambda words: _page(request, words, 409))
    if wants_json(request):
        return JSONResponse({"ok": True, "key": key})
    return RedirectResponse(f"/w/{alert}#tried" if back.startswith("/w/") else "/outbox", 303)
