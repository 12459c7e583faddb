"""GET: the desk, one warning, the sheet and the script."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from streams.desk.api.who import acting, lang_of, site_of, theme_of
from streams.desk.mute import silent
from streams.desk.pages import ask
from streams.desk.pages.board import MOST, Filter, board
from streams.desk.pages.render import STATIC, page
from streams.desk.pages.warning import Kept, warning
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
NAV = (10, "/", "app.desk")
YEAR = 31_536_000


def filter_of(request: Request) -> Filter:
    """What the address asks for."""
    q = request.query_params
    sets = {
        name: frozenset(x for x in q.get(key, "").split(",") if x and x != "All")
        for name, key in (("levels", "level"), ("packs", "pack"), ("areas", "area"))
    }
    n = int(q["n"]) if q.get("n", "").isdecimal() and len(q["n"]) < 5 else MOST
    return Filter(q=q.get("q", "").strip()[:80], mine=q.get("mine") == "1", n=max(n, MOST), **sets)


@router.get("/")
@router.get("/desk")
def desk(request: Request) -> Response:
    """The desk."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = board(s, v, filter_of(request))
        muted = ask.muted(s, v.actor.post)
        red = ask.newest_red(s)
    until = muted.until // 1000 if muted and silent(muted.until, muted.at, red, site.now()) else 0
    html = page(
        "desk.html",
        v,
        "/",
        theme_of(request),
        leading=site.leading(),
        caught_up=site.live(),
        muted=until,
        seq=site.head(),
        **context,
    )
    return _answer(html, request)


@router.get("/w/{id_}")
def show(request: Request, id_: str) -> Response:
    """One warning."""
    return warning_page(request, id_, Kept(), "", 200)


def warning_page(request: Request, id_: str, kept: Kept, notice: str, status: int) -> Response:
    """The page of a warning; after a refusal with what was typed and why not."""
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        found = ask.one(s, id_)
        if found is None:
            return fault_page(request, "err.none", 404, id_)
        context = warning(s, found, v, kept)
    html = page("warning.html", v, f"/w/{id_}", theme_of(request), **(context | {"notice": notice, "seq": site.head()}))
    return _answer(html, request, status)


def fault_page(request: Request, key: str, status: int, detail: str = "", words: str = "") -> Response:
    """Never a blank page: what, and what still works. `words` = those of the key, where they are filled in already."""
    site, lang = site_of(request), lang_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang)
    what = words or say(key, lang)
    return HTMLResponse(page("error.html", v, "/", theme_of(request), what=what, detail=detail[:200], seq=0), status)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """The sheet and the script; their address holds a hash, so they may be kept."""
    if name not in {f.name for f in STATIC.iterdir()}:
        return Response(status_code=404)
    kind = {"css": "text/css", "js": "text/javascript"}[name.rsplit(".", 1)[-1]]
    return FileResponse(
        STATIC / name, media_type=f"{kind}; charset=utf-8", headers={"Cache-Control": f"public, max-age={YEAR}, immutable"}
    )


def _answer(html: str, request: Request, status: int = 200) -> Response:
    answer = HTMLResponse(html, status)
    if "lang" in request.query_params:
        answer.set_cookie("lang", lang_of(request), max_age=YEAR, httponly=True, samesite="lax")
    return answer
