"""Signing in elsewhere and coming back."""

from __future__ import annotations

import structlog
from fastapi import APIRouter
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from streams.desk.api.sign import admit, form, inside
from streams.desk.api.who import site_of
from streams.desk.people.links import secret_of
from streams.desk.people.oidc import COOKIE, Refusal
from streams.desk.people.tables import AccountRow
from streams.desk.site import Site
from streams.desk.store import audit
from streams.errors import Unavailable

router = APIRouter(include_in_schema=False)
log = structlog.get_logger("wanglou.desk")


@router.get("/login/oidc")
async def leave(request: Request) -> Response:
    """To the issuer; back to the form, which says so, while it cannot be reached."""
    site, to = site_of(request), inside(request.query_params.get("next", "/"))
    if site.rules.foreign is None or not request.state.demanded:
        return RedirectResponse("/login", 303)
    base = site.rules.public or f"{'https' if request.state.secure else 'http'}://{request.headers.get('host', '')}"
    key = await run_in_threadpool(_key, site)
    try:
        return await site.rules.foreign.begin(request, f"{base}/login/oidc/back", to, key)
    except Unavailable as error:
        log.warning("single sign-on cannot be reached", error=str(error))
        return await run_in_threadpool(form, request, to, away=True)


@router.get("/login/oidc/back")
async def back(request: Request) -> Response:
    """With the issuer's word for who it is: a session of the account that has this subject."""
    site = site_of(request)
    if site.rules.foreign is None or not request.state.demanded:
        return RedirectResponse("/login", 303)
    key = await run_in_threadpool(_key, site)
    try:
        subject, to = await site.rules.foreign.finish(request, key)
    except Refusal as error:
        log.warning("single sign-on refused", error=str(error))
        answer = await run_in_threadpool(form, request, "/", wrong=True)
    except Unavailable as error:
        log.warning("single sign-on cannot be reached", error=str(error))
        answer = await run_in_threadpool(form, request, "/", away=True)
    else:
        answer = await run_in_threadpool(_admit, request, subject, inside(to))
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return answer


def _admit(request: Request, subject: str, to: str) -> Response:
    site = site_of(request)
    with site.store.read() as s:
        row = s.scalar(select(AccountRow).where(AccountRow.subject == subject, AccountRow.locked.is_(False)))
    if row is not None:
        return admit(request, row.name, "oidc", to)
    with site.store.begin() as s:
        audit(s, site.now(), "sign_in", what="refused", subject=subject, address=request.state.address)
    return form(request, to, wrong=True)


def _key(site: Site) -> str:
    with site.store.read() as s:
        return secret_of(s)
