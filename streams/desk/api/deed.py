"""POST: what people do. A form or JSON in; a redirect, a page with the reason, or JSON out."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from streams.desk import acts
from streams.desk.alert import Move, Refused
from streams.desk.api.asked import fields_of, said, wants_json, words_of
from streams.desk.api.look import YEAR, fault_page, warning_page
from streams.desk.api.who import THEMES, acting, lang_of, site_of
from streams.desk.pages import ask
from streams.desk.pages.render import row_html
from streams.desk.pages.row import row
from streams.desk.pages.warning import Kept
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
MANY = 200
"""Warnings of one common answer."""
LONGEST = 4000
"""Characters of a reason."""


@router.post("/prefs")
async def prefs(request: Request) -> Response:
    """Post, theme: cookies of this browser, no more."""
    fields = await fields_of(request)
    back = fields.get("back", "/")
    answer = RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)
    if "post" in fields:
        answer.set_cookie(
            "post", fields["post"][:64].encode("ascii", "ignore").decode(), max_age=YEAR, httponly=True, samesite="lax"
        )
    if "theme" in fields:
        answer.set_cookie("theme", fields["theme"] if fields["theme"] in THEMES else "", max_age=YEAR, samesite="lax")
    return answer


@router.post("/mute")
async def mute(request: Request) -> Response:
    """Sound off, ten minutes at most."""
    fields, site, actor = await fields_of(request), site_of(request), acting(request)

    def do() -> dict[str, Any]:
        with site.store.begin() as s:
            return {"ok": True, "until": acts.mute(s, actor, float(fields.get("seconds", "600")), site.moment).until // 1000}

    try:
        return JSONResponse(await run_in_threadpool(do))
    except (Refused, ValueError) as no:
        key = no.key if isinstance(no, Refused) else "err.bad"
        return JSONResponse({"ok": False, "error": key, "message": say(key, lang_of(request))}, 409)


@router.post("/answers")
async def answers(request: Request) -> Response:
    """One answer for several warnings: as itself where the post was called, else for the one that was. What can be done is."""
    fields = await fields_of(request)
    ids = dict.fromkeys(x for x in fields.get("ids", "").split(",")[:MANY] if x)
    done = {id_: await run_in_threadpool(_answer, request, id_, fields) for id_ in ids}
    if wants_json(request):
        no = {id_: words for id_, words in done.items() if words}
        return JSONResponse({"ok": not no, "done": [i for i in done if not done[i]], "refused": no}, 409 if no else 200)
    return RedirectResponse("/", 303)


def _answer(request: Request, id_: str, fields: dict[str, str]) -> str:
    """Why not; "" when it is answered."""
    site, actor = site_of(request), acting(request)
    try:
        with site.store.begin() as s:
            move = acts.answering(s, id_, actor, site.moment)
            reason = fields.get("reason") or fields.get("why", "")
            acts.perform(s, id_, move, actor, site.moment, reason[:LONGEST])
    except KeyError:
        return say("err.none", lang_of(request))
    except Refused as no:
        return words_of(request, no)
    return ""


@router.post("/w/{id_}/{act}")
async def deed(request: Request, id_: str, act: str) -> Response:
    """One deed on one warning, by the name of its move (alert.Move)."""
    try:
        fields = await said(request)
        move = next(m for m in acts.MOVES if m.value == act)
    except (ValueError, StopIteration):
        return await run_in_threadpool(_bad, request)
    return await run_in_threadpool(_do, request, id_, move, fields)


def _do(request: Request, id_: str, move: Move, fields: dict[str, str]) -> Response:
    site, reason = site_of(request), fields.get("reason", "")[:LONGEST]
    try:
        with site.store.begin() as s:
            acts.perform(s, id_, move, acting(request), site.moment, reason, fields.get("disposition", ""), fields.get("to", ""),
                         _seconds(fields.get("next", "")))
    except KeyError:
        return fault_page(request, "err.none", 404, id_) if not wants_json(request) else _json(request, id_, "err.none", 404)
    except Refused as no:
        return _refused(request, id_, move, no, Kept(move.value, reason, fields.get("disposition", ""), fields.get("to", "")))
    if wants_json(request):
        return _json(request, id_, "", 200)
    back = fields.get("back", "")
    return RedirectResponse("/" if back == "/" else f"/w/{id_}", 303)


def _seconds(minutes: str) -> float:
    """When one reports next, at most a week ahead; 0 = as the level asks."""
    return min(int(minutes), 10_080) * 60.0 if minutes.isdecimal() and len(minutes) < 6 else 0.0


def _refused(request: Request, id_: str, move: Move, no: Refused, kept: Kept) -> Response:
    words = words_of(request, no)
    if wants_json(request):
        return _json(request, id_, no.key, 409, words)
    return warning_page(request, id_, kept, words, 409)


def _json(request: Request, id_: str, error: str, status: int, words: str = "") -> Response:
    """`ok`, `state`, and the row as it is now, for the script to put in its place."""
    site = site_of(request)
    out: dict[str, Any] = {"ok": not error}
    if error:
        out |= {"error": error, "message": words or say(error, lang_of(request))}
    with site.store.read() as s:
        found = ask.one(s, id_)
        if found is not None:
            v = site.view(s, acting(request), lang_of(request))
            out |= {"id": id_, "state": found.alert.state, "answered_by": found.alert.answered_by, "rev": found.alert.rev}
            if found.alert.open:
                out["row"] = row_html(row(found, v), v)
    return JSONResponse(out, status)


def _bad(request: Request) -> Response:
    if wants_json(request):
        return JSONResponse({"ok": False, "error": "err.bad", "message": say("err.bad", lang_of(request))}, 400)
    return fault_page(request, "err.bad", 400)
