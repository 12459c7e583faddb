"""POST /receipt/CHANNEL: what a gateway tells later of a message: delivered, failed, key 1 pressed.

The token, a secret that channels.yaml names, comes as `Authorization: Bearer …` or as `?token=…`;
the body is a JSON object, a list of them, or a form.
"""
from __future__ import annotations

import json
from collections.abc import Mapping
from hmac import compare_digest
from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streams.desk import acts
from streams.desk.alert import Move, Refused
from streams.desk.api.who import site_of
from streams.desk.calling import outbox
from streams.desk.calling.calls import UNANSWERED
from streams.desk.channels._gateway import found, states
from streams.desk.channels._secrets import Missing, fill
from streams.desk.folding.fold import Moment
from streams.desk.tables import Alert, Delivery

router = APIRouter(include_in_schema=False)
LONGEST = 65_536
"""Bytes of a callback."""


@router.post("/receipt/{channel}")
async def receipt(request: Request, channel: str) -> Response:
    """Receipts for messages of one channel. 403 for a wrong token, 404 for a channel without callback or an unknown message."""
    site = site_of(request)
    options = site.names().city.channels.get(channel, {})
    if not options.get("callback"):
        return JSONResponse({"ok": False, "error": "no callback"}, 404)
    given = request.query_params.get("token") or request.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        if not compare_digest(given.encode(), fill(options["callback"]).encode()):
            return JSONResponse({"ok": False, "error": "token"}, 403)
        body = await _body(request)
    except Missing as error:
        return JSONResponse({"ok": False, "error": str(error)}, 503)
    except ValueError:
        return JSONResponse({"ok": False, "error": "body"}, 400)

    def do() -> list[str]:
        with site.store.begin() as s:
            return [one(s, item, channel, options, site.moment) for item in body]

    said = await run_in_threadpool(do)
    return JSONResponse({"ok": "unknown" not in said, "said": said}, 404 if set(said) == {"unknown"} else 200)


async def _body(request: Request) -> list[Any]:
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > LONGEST:
            raise ValueError("too long")
    if "form" in request.headers.get("content-type", ""):
        from urllib.parse import parse_qsl

        return [dict(parse_qsl(raw.decode()))]
    body = json.loads(raw)
    return body if isinstance(body, list) else [body]


def one(s: Session, item: object, channel: str, options: Mapping[str, str], m: Moment) -> str:
    """One report; what was made of it: a receipt, `passed`, `unknown` (no such message) or `ignored`."""
    got = states(options).get(found(item, options.get("callback_state", "")) or "", "ignored")
    rows = [r for r in outbox.together(s, found(item, options.get("callback_key", "")) or "") if r.channel == channel]
    if not rows:
        return "unknown"
    for row in rows if got != "ignored" else ():
        if got != "passed":
            acts.receipt(s, row.key, got, m)
        if got in ("answered", "passed"):
            _pressed(s, row, Move.ANSWER if got == "answered" else Move.PASS, m)
    return got


def _pressed(s: Session, row: Delivery, move: Move, m: Moment) -> None:
    """A key pressed is a deed of the post that was called, also after its time, as long as it is legal."""
    alert = s.get_one(Alert, row.alert)
    if row.run == alert.run and (alert.state in UNANSWERED or alert.offered == row.post):
        try:
            acts.perform(s, row.alert, move, m.names.actor(row.post), m)
        except Refused:
            return      # somebody else was quicker, or nobody follows: the receipt is on record
