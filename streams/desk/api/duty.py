"""The roster: its page, uploads with a look before, gaps manned, swaps by two, iCalendar, and the hand-over sheet."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from streams.desk.alert import Refused
from streams.desk.api.asked import words_of
from streams.desk.api.look import fault_page
from streams.desk.api.who import acting, demand, lang_of, site_of, theme_of
from streams.desk.duty import deeds, handover, ical
from streams.desk.duty.roster import charge, following
from streams.desk.duty.sheet import Sheet, read
from streams.desk.duty.tables import Calendar, Person, Shift, Swap
from streams.desk.local import moment
from streams.desk.pages import duty as page_duty
from streams.desk.pages import handover as page_handover
from streams.desk.pages.render import page
from streams.desk.people.rights import CITY, Act, facts_of_post
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
NAV = (50, "/duty", "app.duty")
OPEN = ("/ical/",)
LARGEST = 2 << 20
"""Bytes of a sheet."""
DAY = 86_400_000_000


@router.get("/duty")
def show(request: Request) -> Response:
    """The roster."""
    return _page(request)


def _page(request: Request, notice: str = "", status: int = 200, **more: Any) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        v = site.view(s, acting(request), lang_of(request))
        context = page_duty.duty(s, v, request.query_params.get("week", ""))
    given = {"preview": None, "link": "", "notice": notice, "may": _may(request, Act.ROSTER)} | more
    return HTMLResponse(page("duty.html", v, "/duty", theme_of(request), seq=site.head(), **context, **given), status)


def _may(request: Request, act: Act) -> str:
    """Why not, for no post at all; "" = allowed for one of them at least."""
    said = ""
    for post in ("", *(p.id for p in site_of(request).names().city.posts)):
        try:
            _for(request, act, post)
        except Refused as no:
            said = said or words_of(request, no)
        else:
            return ""
    return said


def _for(request: Request, act: Act, *posts: str) -> None:
    """Refused where one of these posts is not in the reach of who asks; without a post it is about the whole city."""
    names = site_of(request).names()
    for post in posts or ("",):
        demand(request, act, facts_of_post(post, names) if post else CITY)


async def _done(request: Request, do: Any) -> Response:
    """A deed of the roster in one transaction; back to the page, or the page with the reason."""

    def work() -> Response:
        try:
            with site_of(request).store.begin() as s:
                do(s)
        except (KeyError, NoResultFound):
            return fault_page(request, "duty.none", 404)
        except Refused as no:
            return _page(request, words_of(request, no), 409)
        return RedirectResponse("/duty", 303)

    return await run_in_threadpool(work)


@router.post("/duty/upload")
async def upload(request: Request) -> Response:
    """Read a sheet and show what it would change, or all its faults. Nothing is in force yet."""
    form = await request.form()
    file = form.get("file")
    data = await file.read(LARGEST + 1) if isinstance(file, UploadFile) else b""
    name = (file.filename or "")[:80] if isinstance(file, UploadFile) else ""

    def work() -> Response:
        try:
            if len(data) > LARGEST:
                raise Refused("duty.big")
            sheet = read_for(request, data)
            _for(request, Act.ROSTER, *{line.post for line in sheet.lines})
            return _page(request, preview=_preview(request, sheet, name))
        except Refused as no:
            return _page(request, words_of(request, no), 409)

    return await run_in_threadpool(work)


def read_for(request: Request, data: bytes) -> Sheet:
    """The sheet against the plan's posts and the people known."""
    site = site_of(request)
    with site.store.read() as s:
        known = list(s.scalars(select(Person.code)))
    return read(data, [p.id for p in site.names().city.posts], known)


def _preview(request: Request, sheet: Sheet, name: str) -> dict[str, Any]:
    site, lang = site_of(request), lang_of(request)
    told = [(f.row, f.column, say(f.key, lang, **f.values)) for f in sorted(sheet.faults, key=lambda f: (f.row, f.column))]
    hints = [(f.row, f.column, say(f.key, lang, **f.values)) for f in sheet.hints]
    out: dict[str, Any] = {"name": name, "faults": told, "hints": hints, "draft": ""}
    if not told:
        with site.store.begin() as s:
            found = deeds.changes(s, sheet.plain(), site.moment)
            out |= {
                "draft": deeds.keep(s, sheet, site.moment),
                "changes": found,
                "gaps": [(site.names().post(p, lang), moment(a, site.now(), lang, False)) for p, a, _ in found.gaps],
            }
    return out


@router.post("/duty/apply")
async def apply(request: Request) -> Response:
    """Put a sheet that was looked at into force."""
    draft = str((await request.form()).get("draft", ""))

    def do(s: Session) -> None:
        _for(request, Act.ROSTER, *deeds.posts_of(s, draft))
        deeds.enforce(s, draft, acting(request), site_of(request).moment)

    return await _done(request, do)


@router.post("/duty/man")
async def man(request: Request) -> Response:
    """Put somebody on a shift: a gap, or a substitute."""
    form = await request.form()

    def do(s: Session) -> None:
        _for(request, Act.ROSTER, s.get_one(Shift, str(form.get("shift", ""))).post)
        deeds.man(s, str(form.get("shift", "")), str(form.get("person", "")), acting(request), site_of(request).moment)

    return await _done(request, do)


@router.post("/duty/swap")
async def swap(request: Request) -> Response:
    """Propose a swap."""
    form = await request.form()

    def do(s: Session) -> None:
        _for(request, Act.SIGN, s.get_one(Shift, str(form.get("mine", ""))).post)
        deeds.ask(
            s,
            str(form.get("mine", "")),
            str(form.get("theirs", "")),
            str(form.get("reason", "")),
            acting(request),
            site_of(request).moment,
        )

    return await _done(request, do)


@router.post("/duty/swap/{id_}")
async def swap_answer(request: Request, id_: int) -> Response:
    """Agree to a swap, or not."""
    yes = (await request.form()).get("answer") == "yes"

    def do(s: Session) -> None:
        _for(request, Act.SIGN, s.get_one(Shift, s.get_one(Swap, id_).theirs).post)
        deeds.answer(s, id_, yes, acting(request), site_of(request).moment)

    return await _done(request, do)


@router.post("/duty/calendar")
async def subscribe(request: Request) -> Response:
    """A new address of a post's shifts, shown once."""
    post = str((await request.form()).get("post", ""))

    def work() -> Response:
        site = site_of(request)
        try:
            with site.store.begin() as s:
                demand(request, Act.PEOPLE, facts_of_post(post, site.names()))
                token = deeds.subscribe(s, post, acting(request), site.moment)
        except Refused as no:
            return _page(request, words_of(request, no), 409)
        return _page(request, link=f"/ical/{token}.ics")

    return await run_in_threadpool(work)


@router.get("/ical/{token}.ics")
def calendar(request: Request, token: str) -> Response:
    """A post's shifts, of the last week and all to come; the token is the right to read."""
    site, lang = site_of(request), lang_of(request)
    with site.store.read() as s:
        row = s.get(Calendar, deeds.hashed(token))
        if row is None:
            return Response("no such calendar\n", 404, media_type="text/plain")
        shifts = s.scalars(
            select(Shift).where(Shift.post == row.post, Shift.end > site.now() - 7 * DAY).order_by(Shift.start)
        ).all()
    text = ical.calendar(site.names().post(row.post, lang), shifts, site.now(), say("duty.gap", lang))
    return Response(text, media_type="text/calendar; charset=utf-8")


@router.get("/handover")
def current(request: Request) -> Response:
    """The sheet that one's own post needs next."""
    site, actor = site_of(request), acting(request)
    with site.store.read() as s:
        now = charge(s, actor.post, site.now(), (actor.post,))
        found = now.incoming or following(s, actor.post, site.now()) or now.shift
    if found is None:
        return _page(request, say("duty.no_shift", lang_of(request)))
    return RedirectResponse(f"/handover/{found.id}", 303)


@router.get("/handover/{shift}")
def sheet(request: Request, shift: str) -> Response:
    """The hand-over to a shift."""
    return _sheet(request, shift, [], "", "", 200)


def _sheet(request: Request, shift: str, seen: list[str], note: str, notice: str, status: int) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        row = s.get(Shift, shift)
        if row is None:
            return fault_page(request, "duty.none", 404)
        v = site.view(s, acting(request), lang_of(request))
        context = page_handover.page_of(s, row, v, site.versions, seen, note)
        html = page(
            "handover.html", v, f"/handover/{shift}", theme_of(request), seq=site.head(), **(context | {"notice": notice})
        )
    return HTMLResponse(html, status)


@router.post("/handover/{shift}/sign")
async def sign(request: Request, shift: str) -> Response:
    """One of the two signatures."""
    form = await request.form()
    seen, note = [str(x) for x in form.getlist("seen")], str(form.get("note", ""))[:4000]

    def work() -> Response:
        site = site_of(request)
        try:
            with site.store.begin() as s:
                post = s.get_one(Shift, shift).post
                demand(request, Act.SIGN, facts_of_post(post, site.names()))
                handover.sign(s, shift, form.get("side") == "in", seen, note, acting(request), site.moment)
        except Refused as no:
            return _sheet(request, shift, seen, note, words_of(request, no), 409)
        except LookupError:
            return fault_page(request, "duty.none", 404)
        return RedirectResponse(f"/handover/{shift}", 303)

    return await run_in_threadpool(work)
