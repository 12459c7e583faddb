"""The desk's web application, made by a function."""

from __future__ import annotations

import secrets

import structlog
from fastapi import Depends, FastAPI
from sqlalchemy.exc import NoResultFound, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from streams.desk.alert import Refused
from streams.desk.api import look
from streams.desk.api.csrf import checked
from streams.desk.api.guard import HEADERS, Guard
from streams.desk.api.who import acting, lang_of, site_of
from streams.desk.pages.forms import in_words
from streams.desk.pages.nav import parts
from streams.desk.people.gate import Gate
from streams.desk.site import Site
from streams.desk.words import has, say

log = structlog.get_logger(__name__)


def make_app(site: Site) -> FastAPI:
    """The application over one desk."""
    app = FastAPI(title="Wanglou desk", docs_url=None, redoc_url=None)
    app.state.site = site
    for part in parts():
        app.include_router(part.router, dependencies=[Depends(checked)])
    app.add_middleware(Gate, site=site, open_=tuple(path for part in parts() for path in getattr(part, "OPEN", ())))
    app.add_middleware(Guard, hosts=site.hosts, proven=site.rules.proven)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(NoResultFound, _not_found)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(Exception, _broken)
    site.metrics.desk_clients.watch(lambda: {(): site.clients})
    site.metrics.desk_leader.watch(lambda: {(): int(site.leading())})
    return app


def _not_found(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if request.url.path.startswith("/api"):
        return JSONResponse({"detail": getattr(error, "detail", "")}, status)
    detail = str(getattr(error, "detail", ""))
    return look.fault_page(request, detail if has(detail) else "err.bad", status)


def _refused(request: Request, error: Exception) -> Response:
    """What a page did not tell in its own place: not allowed, or not legal now. `right.…` is 403, all else 409."""
    assert isinstance(error, Refused)
    site = site_of(request)
    with site.store.read() as s:
        words = in_words(error, site.view(s, acting(request), lang_of(request)))
    status = 403 if error.key.startswith("right.") else 409
    if request.url.path.startswith("/api") or "json" in request.headers.get("accept", ""):
        return JSONResponse({"ok": False, "error": error.key, "message": words}, status)
    return look.fault_page(request, error.key, status, words=words)


def _broken(request: Request, error: Exception) -> Response:
    """What failed, under a number that the log has too; plain enough to need no database."""
    number, lang = secrets.token_hex(4), lang_of(request)
    log.error("request failed", number=number, path=request.url.path, exc_info=error)
    away = (
        " · ".join(x for x in (say("off.leader", lang), say("off.leader_what", lang)))
        if isinstance(error, SQLAlchemyError)
        else ""
    )
    return HTMLResponse(
        f'<!doctype html><meta charset="utf-8"><title>{say("app.name", lang)}</title>'
        f'<link rel="stylesheet" href="/static/desk.css">'
        f'<main><div class="note red" role="alert"><b>✕ {say("err.page", lang)}</b><span>{away} {number}</span>'
        f'<a class="btn" href="/">{say("act.retry", lang)}</a></div></main>',
        500 if not away else 503,
        HEADERS,
    )
