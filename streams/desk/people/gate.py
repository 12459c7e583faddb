"""Who asks? Before every request: its session or token, whether it may come in at all, and how often it came.

Without accounts, on this machine alone, everybody comes in as before.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streams.desk.people import sessions
from streams.desk.people.accounts import account_of
from streams.desk.people.current import CURRENT, NOBODY, Current
from streams.desk.people.limits import CALL_BACK, READ, WRITE
from streams.desk.words import say

if TYPE_CHECKING:
    from streams.desk.site import Site

FREE = ("/static/", "/healthz", "/readyz")
"""Shown to everybody, also while the database is away."""
OPEN = ("/login", "/prefs")
OWN_TOKEN = ("/a/", "/receipt/")
"""What carries a token of its own; a session is not even looked for."""
SAFE = ("GET", "HEAD", "OPTIONS")
LARGEST = 16 << 20
"""Bytes of a request that says how long it is."""


class Gate:
    """ASGI middleware over one desk. `open_` = beginnings of paths that modules of the desk show to everybody."""

    def __init__(self, app: ASGIApp, site: Site, open_: tuple[str, ...] = ()) -> None:
        self.app, self.site, self.open = app, site, (*OPEN, *open_)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with `state.account`, `state.address`, `state.secure` and the current asker set."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, rules = Headers(scope=scope), self.site.rules
        address, tls = rules.asker(scope, headers)
        current, demanded = Current(), False
        if scope["path"].startswith(FREE) or self._figures(scope, headers, address):
            current = NOBODY
        elif scope["path"].startswith(OWN_TOKEN):
            current = Current(None, how="link" if scope["path"].startswith("/a/") else "receipt")
        elif await run_in_threadpool(rules.demanded, self.site.store):
            current, demanded = await run_in_threadpool(self._who, headers), True
        state = scope.setdefault("state", {})
        state |= {"account": current.account, "address": address, "secure": tls, "demanded": demanded}
        answer = self._malformed(scope, headers) or self._too_often(scope, headers, current, address, demanded)
        if answer is None and demanded and current.account is None and not scope["path"].startswith(self.open):
            answer = self._sign_in(scope, headers)
        mark = CURRENT.set(current)
        try:
            await (answer or self.app)(scope, receive, send)
        finally:
            CURRENT.reset(mark)

    def _who(self, headers: Headers) -> Current:
        """A program's token, else the browser's session; NOBODY where neither is any good."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        bearer = kind.lower() == "bearer" and bool(token)
        token = token if bearer else cookie_parser(headers.get("cookie", "")).get(sessions.COOKIE, "")
        if not token:
            return NOBODY
        now, store = self.site.now(), self.site.store
        with store.read() as s:
            found = sessions.find(s, token, now)
        if found is None or (found[0].how == "token") != bearer:
            return NOBODY
        row, account = found
        if now - row.seen >= sessions.TOUCH:
            with suppress(OperationalError), store.begin() as s:     # a database that takes no writes must not stop reading
                sessions.touch(s, row.id, now)
        return Current(account_of(account), row.id, "" if bearer else sessions.csrf_of(token), row.how)

    def _malformed(self, scope: Scope, headers: Headers) -> Response | None:
        """What no database takes, and what no form here is."""
        size = headers.get("content-length", "0")
        if "\0" in scope["path"]:
            return JSONResponse({"error": "path"}, 400)
        return JSONResponse({"error": "too large"}, 413) if size.isdecimal() and int(size) > LARGEST else None

    def _too_often(
        self, scope: Scope, headers: Headers, current: Current, address: str, demanded: bool
    ) -> Response | None:
        path, limits = scope["path"], self.site.rules.limits
        if path.startswith("/receipt/") or not (demanded or path.startswith("/a/")):
            return None
        reads = scope["method"] in SAFE
        rate = CALL_BACK if path.startswith("/a/") else READ if reads else WRITE
        key = current.session or address
        wait = limits.take(f"{'a' if rate is CALL_BACK else 'r' if reads else 'w'}", key, rate, self.site.rules.now())
        later = {"Retry-After": str(max(1, round(wait + 0.5)))}
        return refuse("right.slow", 429, later, program(path, headers)) if wait else None

    def _figures(self, scope: Scope, headers: Headers, address: str) -> bool:
        """Figures for Prometheus, which name nobody, are for this machine without a token."""
        return scope["path"] == "/metrics" and address in ("127.0.0.1", "::1") and "x-forwarded-for" not in headers

    def _sign_in(self, scope: Scope, headers: Headers) -> Response:
        path = scope["path"]
        if path == "/events":       # a page whose session ended: it reloads and comes to the sign-in
            return Response("event: reload\ndata: signin\n\n", media_type="text/event-stream")
        if program(path, headers):
            return refuse("right.signin", 401, {"WWW-Authenticate": "Bearer"}, True)
        if scope["method"] not in SAFE:
            return refuse("right.signin", 401)
        query = scope.get("query_string", b"").decode("latin-1")
        return RedirectResponse(f"/login?next={quote(path + ('?' + query if query else ''), safe='')}", 303)


def program(path: str, headers: Headers) -> bool:
    """Whether a program or the page's script asks, which want JSON."""
    accepts = headers.get("accept", "")
    return path.startswith(("/api", "/metrics", "/openapi")) or ("json" in accepts and "html" not in accepts)


def refuse(key: str, status: int, headers: dict[str, str] | None = None, plain: bool = False) -> Response:
    """A short page, or JSON, that needs no database."""
    words: dict[str, Any] = {"ok": False, "error": key, "message": f"{say(key, 'zh')} · {say(key, 'en')}"}
    if plain:
        return JSONResponse(words, status, headers)
    return HTMLResponse(
        f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<title>{say("app.name", "zh")}</title><link rel="stylesheet" href="/static/desk.css"><main><div class="note red" '
        f'role="alert"><b>✕ {words["message"]}</b><a class="btn" href="/login">{say("sign.in", "zh")}</a></div></main>',
        status, headers,
    )
