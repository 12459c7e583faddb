"""GET /feeds/…: what is published, for everybody; open warnings besides for whoever signed in. With ETag (RFC 9110).

`alerts.rss` RSS 2.0 · `alerts.json` (`?all=1`: all open warnings, signed in) · `cap/ID.xml` CAP 1.2 · `cap/ID.sig` its detached
signature · `national/ID.xml` the national form. Drills are never among them.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streams.desk.api.data import NONE, alert_json
from streams.desk.api.who import account, lang_of, site_of
from streams.desk.exercise.mark import HIDDEN
from streams.desk.publish import feeds, release, signing
from streams.desk.publish.tables import Publication
from streams.desk.tables import Alert
from streams.desk.words import say

router = APIRouter()
OPEN = ("/feeds/",)
"""Shown without sign-in: everything here is published already."""


def _xml(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {f"application/{kind}": {}}}}


def _answer(request: Request, body: bytes, kind: str, private: bool = False) -> Response:
    """The body, or 304 when the asker has it."""
    tag = feeds.etag(body)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache" if private else "public, no-cache"}
    if not private:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    held = [x.strip().removeprefix("W/") for x in request.headers.get("if-none-match", "").split(",")]
    if tag in held or "*" in held:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@router.get("/feeds/alerts.rss", response_class=Response, responses=_xml("rss+xml"))
def rss(request: Request) -> Response:
    """Published warnings as RSS 2.0, the newest first."""
    site = site_of(request)
    with site.store.read() as s:
        rows = release.newest(s)
        body = feeds.rss(rows, say("pub.feed", lang_of(request)), _base(request), release.superseded(s, rows), site.now())
    return _answer(request, body, "application/rss+xml; charset=utf-8")


@router.get("/feeds/alerts.json", responses={401: {"description": "?all=1 is for whoever signed in"}})
def alerts(request: Request, all: bool = False) -> Response:
    """Published warnings as JSON; `?all=1` with all open ones, for whoever signed in (401 otherwise)."""
    site = site_of(request)
    if all and account(request) is None:
        return JSONResponse({"error": "right.signin"}, 401, {"WWW-Authenticate": "Bearer"})
    with site.store.read() as s:
        rows = release.newest(s)
        over = release.superseded(s, rows)
        out = [feeds.public_json(row, _base(request), over, site.now()) for row in rows]
        open_ = (
            [alert_json(a) for a in s.scalars(select(Alert).where(Alert.open, ~HIDDEN).order_by(Alert.opened.desc(), Alert.id))]
            if all
            else None
        )
    return _answer(request, feeds.document(out, open_), "application/json", all)


def _one(request: Request, id_: str) -> Publication | None:
    """A published message. One of a drill only for whoever signed in: it must not be taken for a warning."""
    with site_of(request).store.read() as s:
        row = s.get(Publication, id_)
    if row is None or row.state != "published" or (row.scope != "real" and account(request) is None):
        return None
    return row


@router.get("/feeds/cap/{id_}.xml", response_class=Response, responses=_xml("cap+xml") | NONE)
def cap(request: Request, id_: str) -> Response:
    """One message as CAP 1.2."""
    row = _one(request, id_)
    if row is None:
        return JSONResponse({"error": "no such message"}, 404)
    return _answer(request, row.cap.encode(), "application/cap+xml")


@router.get("/feeds/cap/{id_}.sig", responses=NONE)
def signature(request: Request, id_: str) -> Response:
    """The detached signature of a CAP message (publish/signing.py); 404 where no key is set."""
    row = _one(request, id_)
    signed = signing.signature(row.cap.encode()) if row else None
    return JSONResponse({"id": id_} | signed) if signed else JSONResponse({"error": "not signed"}, 404)


@router.get("/feeds/national/{id_}.xml", response_class=Response, responses=_xml("xml") | NONE)
def national(request: Request, id_: str) -> Response:
    """One message in the national form."""
    row = _one(request, id_)
    if row is None or not row.national:
        return JSONResponse({"error": "no such message"}, 404)
    return _answer(request, row.national.encode(), "application/xml")
