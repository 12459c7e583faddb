"""Every deed of a session carries its token: in the form, in the JSON, or as the header X-CSRF-Token.

What has no session (a program with its bearer token, an answer link, a desk without accounts) borrows nothing; those are
kept by the check of `Sec-Fetch-Site` and `Origin` alone (guard.py).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from hmac import compare_digest

from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.desk.people.current import CURRENT
from streams.desk.people.gate import SAFE


async def checked(request: Request) -> AsyncIterator[None]:
    """403 right.csrf where the token is missing or another one. Files of a form are closed in the end."""
    await _proven(request)
    try:
        yield
    finally:
        await request.close()


async def _proven(request: Request) -> None:
    csrf = CURRENT.get().csrf
    if request.method in SAFE or not csrf or request.url.path == "/login":     # that brings its own proof: a password
        return
    given = request.headers.get("x-csrf-token") or await _said(request)
    if not compare_digest(given.encode(), csrf.encode()):
        raise HTTPException(403, "right.csrf")


async def _said(request: Request) -> str:
    """What the body says; it is kept, so that the handler may read it again."""
    raw, kind = await request.body(), request.headers.get("content-type", "")
    if "form" in kind:
        found = (await request.form()).get("csrf")
    elif "json" in kind:
        try:
            said = json.loads(raw or b"{}")
        except ValueError:
            return ""
        found = said.get("csrf") if isinstance(said, dict) else None
    else:
        return ""
    return found if isinstance(found, str) else ""
