"""GET /detectors, /detectors/{pack}: what the city watches."""
from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.detectors import listed, one
from streams.desk.pages.render import page

router = APIRouter(include_in_schema=False)
NAV = (40, "/detectors", "rules.nav")


@router.get("/detectors")
def show(request: Request) -> Response:
    """All packs."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = listed(s, v, site.versions)
    return HTMLResponse(page("detectors.html", v, "/detectors", theme_of(request), **context, seq=site.head()))


@router.get("/detectors/{pack}")
def show_pack(request: Request, pack: str) -> Response:
    """One pack: `?site=` finds rows of the limits, `?diff=HASH` compares an earlier plan with the one in force."""
    site, q = site_of(request), request.query_params
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = one(s, v, site.versions, pack, q.get("site", "").strip()[:80], q.get("diff", ""))
    if context is None:
        return fault_page(request, "err.none", 404, pack)
    return HTMLResponse(page("detector_pack.html", v, f"/detectors/{pack}", theme_of(request), **context, seq=site.head()))
