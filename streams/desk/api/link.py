"""Answer links: GET shows one warning to the post that was called and changes nothing; POST answers, once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from streams.desk.alert import Refused
from streams.desk.api.who import lang_of, site_of, theme_of
from streams.desk.pages import ask
from streams.desk.pages.answer import answer
from streams.desk.pages.forms import in_words
from streams.desk.pages.render import plain
from streams.desk.people import links
from streams.desk.people.links import Link
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
GONE = 410
DONE = {"answer": "link.done_answer", "pass": "link.done_pass"}


@router.get("/a/{token}")
def show(request: Request, token: str) -> Response:
    """Level, value, limit, what to do, until when. Chat applications fetch it to preview it: nothing is changed."""
    site = site_of(request)
    with site.store.read() as s:
        link = links.find(s, token, site.now())
        return _page(request, token, link, s)


@router.post("/a/{token}")
async def act(request: Request, token: str) -> Response:
    """Answer or pass on, by the button that was pressed."""
    fields = await request.form()
    return await run_in_threadpool(_act, request, token, str(fields.get("act", "")))


def _act(request: Request, token: str, name: str) -> Response:
    site, move = site_of(request), links.MOVES.get(name)
    if move is None:
        return show(request, token)
    try:
        with site.store.begin() as s:
            link = links.use(s, token, move, site.moment)
            return _page(request, token, link, s, done=move.value)
    except Refused as no:
        with site.store.begin() as s:
            link = links.find(s, token, site.now())
            links.refuse(s, link, site.moment, no.key)
            return _page(request, token, link, s, refused=no)


def _page(request: Request, token: str, link: Link, s: Any, done: str = "", refused: Refused | None = None) -> Response:
    """The page of a good link, of one that was just used, and of one that is no good: that shows nothing of the warning."""
    site, lang = site_of(request), lang_of(request)
    context: dict[str, Any] = {"link": not link.why, "done": "", "notice": "", "w": None}
    if link.why:
        context["notice"] = say("link.bad", lang)
    else:
        row = link.rows[0]
        v = site.view(s, site.names().actor(row.post, lang), lang)
        context["w"] = answer([ask.one(s, r.alert) for r in link.rows], row, v, links.GRACE)
        context["done"] = say(DONE[done], lang, time=context["w"].now) if done else ""
        context["notice"] = in_words(refused, v) if refused else ""
    html = plain("answer.html", lang, theme_of(request), f"/a/{token}?" if not link.why else "/login?", site.now(), **context)
    status = GONE if link.why else 409 if refused else 200
    return HTMLResponse(html, status, {"X-Robots-Tag": "noindex"})
