"""GET /leads: the worklist of leads. Nobody was called for them."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.leads import worklist
from streams.desk.pages.render import page

router = APIRouter(include_in_schema=False)
NAV = (68, "/leads", "leads.nav")


@router.get("/leads")
def show(request: Request) -> Response:
    """The page."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = worklist(s, v)
    return HTMLResponse(page("leads.html", v, "/leads", theme_of(request), **context, seq=site.head()))
