"""POST /receipt/work/TOKEN: what a unit says of its work order. The token is in the address, the body signed."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streams.desk.alert import Refused
from streams.desk.api.who import site_of
from streams.desk.channels._secrets import Missing
from streams.desk.publish import signing, work

router = APIRouter(include_in_schema=False)
LONGEST = 16_384
"""Bytes of a body."""


@router.post("/receipt/work/{token}")
async def status(request: Request, token: str) -> Response:
    """`{"status": …, "note": …}`: 200 taken (also when known already), 403 signature, 404 token, 409 not from where it stands."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return JSONResponse({"ok": False, "error": "too long"}, 413)
    return await run_in_threadpool(_take, request, token, bytes(body))


def _take(request: Request, token: str, body: bytes) -> Response:
    site = site_of(request)
    try:
        with site.store.begin() as s:
            m, row = site.moment, work.find(s, token)
            if row is None:
                return JSONResponse({"ok": False, "error": "no such order"}, 404)
            unit = work.unit(m, row.unit)
            if unit is None or not signing.right(unit.secret, body, request.headers.get("x-wanglou-signature", "")):
                return JSONResponse({"ok": False, "error": "signature"}, 403)
            said = json.loads(body)
            if not isinstance(said, dict):
                raise ValueError("not an object")
            changed = work.heard(s, row, str(said.get("status", "")), str(said.get("note") or ""), m)
            return JSONResponse({"ok": True, "changed": changed, "status": row.state})
    except Refused as no:
        return JSONResponse({"ok": False, "error": no.key}, 409)
    except ValueError:
        return JSONResponse({"ok": False, "error": "body"}, 400)
    except Missing as error:
        return JSONResponse({"ok": False, "error": str(error)}, 503)
