"""GET /city: the city at a glance; `?wall=1` for a wall: large, without controls, it turns its pages by itself."""
from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.city import city
from streams.desk.pages.render import page

router = APIRouter(include_in_schema=False)
NAV = (20, "/city", "city.nav")
PAGES = ("map", "matrix", "open")
SECONDS = 20


@router.get("/city")
def show(request: Request) -> Response:
    """The page. On a wall it stays with the districts while a red waits for an answer."""
    site, q = site_of(request), request.query_params
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = city(s, v)
    wall, at = q.get("wall") == "1", q.get("page", "")
    at = at if at in PAGES else PAGES[0]
    held = any(x["word"] == "red" and x["waits"] for x in context["open"])
    then = PAGES[0] if held else PAGES[(PAGES.index(at) + 1) % len(PAGES)]
    words = {"big": wall, "only": (PAGES[0] if held else at) if wall else "", "leading": site.leading(), "live_now": site.live()}
    html = page("city.html", v, "/city", theme_of(request), **(context | words), seq=site.head())
    headers = {"Refresh": f"{SECONDS}; url=/city?wall=1&page={then}&lang={v.lang}"} if wall else {}
    return HTMLResponse(html, headers=headers)
