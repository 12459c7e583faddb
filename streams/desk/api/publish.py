"""POST: a public warning submitted, released, refused; work handed out; a warning's level by hand. Each is one audited act."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from streams.desk.alert import Actor, Refused
from streams.desk.api.asked import fields_of, refused, wants_json
from streams.desk.api.look import fault_page, warning_page
from streams.desk.api.who import acting, demand, lang_of, site_of
from streams.desk.folding.fold import Moment
from streams.desk.pages.warning import Kept
from streams.desk.people import rights
from streams.desk.people.rights import Act
from streams.desk.publish import courier, hand, release, work
from streams.desk.publish.tables import Publication, WorkOrder
from streams.desk.store import audit
from streams.desk.tables import Alert
from streams.desk.words import say

router = APIRouter(include_in_schema=False)
Deed = Callable[[Session, Alert, Actor, Moment], object]


async def _act(request: Request, act: Act, find: Callable[[Session], str | None], deed: Deed, fields: dict[str, str]) -> Response:
    """One deed about one warning, if whoever asks may do it there: a redirect, the page with the reason, or JSON."""

    def do() -> tuple[str, Refused | None]:
        site, id_ = site_of(request), ""
        try:
            with site.store.begin() as s:
                id_ = find(s) or ""
                alert = s.get(Alert, id_)
                if alert is None:
                    raise KeyError(id_)
                demand(request, act, rights.facts_of(alert, site.names()))
                deed(s, alert, acting(request), site.moment)
        except Refused as no:
            return id_, no
        return id_, None

    try:
        id_, no = await run_in_threadpool(do)
    except KeyError:
        if wants_json(request):
            return JSONResponse({"ok": False, "error": "err.none", "message": say("err.none", lang_of(request))}, 404)
        return await run_in_threadpool(fault_page, request, "err.none", 404)
    if no is None:
        return JSONResponse({"ok": True, "id": id_}) if wants_json(request) else RedirectResponse(f"/w/{id_}", 303)
    return await run_in_threadpool(_refused, request, id_, no, fields)


def _refused(request: Request, id_: str, no: Refused, fields: dict[str, str]) -> Response:
    return refused(request, no, lambda words: warning_page(request, id_, Kept(typed=fields), words, 409))


@router.post("/publish/{id_}/submit")
async def submit(request: Request, id_: str) -> Response:
    """报批: an Alert, an Update or a Cancel of a warning."""
    fields = await fields_of(request)
    return await _act(
        request,
        Act.SUBMIT,
        lambda s: id_,
        lambda s, a, actor, m: release.submit(s, a.id, fields.get("kind", ""), actor, m, fields),
        fields,
    )


def _publication(id_: str) -> Callable[[Session], str | None]:
    def find(s: Session) -> str | None:
        row = s.get(Publication, id_)
        return row.alert if row else None

    return find


@router.post("/publish/{id_}/release")
async def let_out(request: Request, id_: str) -> Response:
    """批准发布."""
    return await _act(
        request, Act.RELEASE, _publication(id_), lambda s, a, actor, m: release.release(s, id_, actor, m),
        await fields_of(request)
    )


@router.post("/publish/{id_}/refuse")
async def refuse(request: Request, id_: str) -> Response:
    """退回, or 撤回 by whoever submitted it."""
    fields = await fields_of(request)

    def deed(s: Session, a: Alert, actor: Actor, m: Moment) -> None:
        row = s.get(Publication, id_)
        if row is not None and row.proposer != actor.who:
            demand(request, Act.RELEASE, rights.facts_of(a, m.names))
        release.refuse(s, id_, actor, m, fields.get("reason", ""))

    return await _act(request, Act.SUBMIT, _publication(id_), deed, fields)


@router.post("/work/{id_}/order")
async def order(request: Request, id_: str) -> Response:
    """派单."""
    fields = await fields_of(request)
    minutes = fields.get("minutes", "")

    def deed(s: Session, a: Alert, actor: Actor, m: Moment) -> None:
        due = m.now + int(minutes) * 60_000_000 if minutes.isdecimal() and len(minutes) < 6 else None
        work.order(s, a.id, fields.get("unit", ""), fields.get("text", ""), due, actor, m)

    return await _act(request, Act.ORDER, lambda s: id_, deed, fields)


@router.post("/work/{id_}/cancel")
async def cancel(request: Request, id_: str) -> Response:
    """撤销派单."""
    fields = await fields_of(request)

    def find(s: Session) -> str | None:
        row = s.get(WorkOrder, id_)
        return row.alert if row else None

    return await _act(
        request, Act.ORDER, find, lambda s, a, actor, m: work.cancel(s, id_, fields.get("reason", ""), actor, m), fields
    )


@router.post("/work/{id_}/again")
async def again(request: Request, id_: str) -> Response:
    """Send a work order again that could not be sent."""

    def find(s: Session) -> str | None:
        row = s.get(WorkOrder, id_)
        return row.alert if row else None

    def deed(s: Session, a: Alert, actor: Actor, m: Moment) -> None:
        if not actor.post:
            raise Refused("err.post")
        if not courier.again(s, id_, m):
            raise Refused("work.over")
        audit(s, m.now, "order_again", a, actor.post, order=id_)

    return await _act(request, Act.RESEND, find, deed, await fields_of(request))


@router.post("/report/{id_}/level")
async def level(request: Request, id_: str) -> Response:
    """人工定级 of a warning that was reported by hand."""
    fields = await fields_of(request)
    n = int(fields["level"]) if fields.get("level", "") in "01234" and fields.get("level") else -1
    return await _act(
        request,
        Act.REPORT,
        lambda s: id_,
        lambda s, a, actor, m: hand.change_level(s, id_, n, actor, fields.get("reason", ""), m),
        fields,
    )
