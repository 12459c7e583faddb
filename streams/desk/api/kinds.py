"""GET /kinds: with what a city may be watched."""
from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.kinds import shelves
from streams.desk.pages.render import page

router = APIRouter(include_in_schema=False)


@router.get("/kinds")
def kinds(request: Request) -> Response:
    """The catalogue; `?q=` leaves what speaks of a word."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
    asked = request.query_params.get("q", "").strip()[:80]
    return HTMLResponse(page("kinds.html", v, "/kinds", theme_of(request), **shelves(v, asked), seq=site.head()))
