"""GET /series, /series/{indicator}@{site} and its CSV: what was measured, over the time that the address says."""
from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.pages.render import page
from streams.desk.pages.series import found, series, table

router = APIRouter(include_in_schema=False)
NAV = (30, "/series", "series.nav")


@router.get("/series")
def all_(request: Request) -> Response:
    """The series; `?q=` finds some."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
    q = request.query_params.get("q", "").strip()[:80]
    return HTMLResponse(page("series_list.html", v, "/series", theme_of(request), **found(v, q), seq=site.head()))


@router.get("/series/{name}.csv")
def as_csv(request: Request, name: str) -> Response:
    """The readings of a series as a table for programs."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
    text = table(v, name, request.query_params)
    if text is None:
        return fault_page(request, "err.none", 404, name)
    headers = {"Content-Disposition": "attachment; filename=series.csv"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/series/{name}")
def show(request: Request, name: str) -> Response:
    """One series."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = series(s, v, name, request.query_params)
    if context is None:
        return fault_page(request, "err.none", 404, name)
    return HTMLResponse(page("series.html", v, f"/series/{name}", theme_of(request), **context, seq=site.head()))
