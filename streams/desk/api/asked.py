"""What a request says, and the answer when it is refused: one way for all that people do."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streams.desk.alert import Refused
from streams.desk.api.who import acting, lang_of, site_of
from streams.desk.pages.forms import in_words


async def said(request: Request) -> dict[str, str]:
    """The fields of a form or of a JSON object, as text; without NUL, which PostgreSQL refuses. ValueError for others."""
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(await request.body() or b"{}")
        except RecursionError:
            raise ValueError("nested too deep") from None
        if not isinstance(body, dict):
            raise ValueError("not an object")
        return {str(k): str(x).replace("\0", "") for k, x in body.items() if x is not None}
    return {k: x.replace("\0", "") for k, x in (await request.form()).items() if isinstance(x, str)}


async def fields_of(request: Request) -> dict[str, str]:
    """The same; none where nothing can be read, so that the act itself says what it lacks."""
    try:
        return await said(request)
    except ValueError:
        return {}


def wants_json(request: Request) -> bool:
    """The script and programs say so."""
    kinds = request.headers.get("accept", "") + request.headers.get("content-type", "")
    return "application/json" in kinds


def words_of(request: Request, no: Refused) -> str:
    """A refusal in the reader's words."""
    site = site_of(request)
    with site.store.read() as s:
        return in_words(no, site.view(s, acting(request), lang_of(request)))


def refused(request: Request, no: Refused, page: Callable[[str], Response]) -> Response:
    """409 as JSON, or the page again with the words."""
    words = words_of(request, no)
    return JSONResponse({"ok": False, "error": no.key, "message": words}, 409) if wants_json(request) else page(words)
