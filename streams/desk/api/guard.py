"""Before and after every request: hosts, unsafe methods from elsewhere, headers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.desk.words import say

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
SAFE = ("GET", "HEAD", "OPTIONS")


def foreign(headers: Headers, proven: bool = False) -> bool:
    """Whether a browser says that another site sent it. What sends neither header is no browser: no cookie is borrowed.

    Over plain HTTP on a network browsers send no `Sec-Fetch-Site`, and `Origin: null` for the policy `no-referrer`: that is
    taken only where the request must prove itself in another way (`proven`: a session's token, an answer link).
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    if origin == "null" and proven:
        return False
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


class Guard:
    """ASGI middleware. `hosts` are the names that the desk answers to; empty = any. `proven`: whether a path proves itself."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...], proven: Callable[[str], bool] = lambda _: False) -> None:
        self.app, self.hosts, self.proven = app, hosts, proven

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if scope.get("state", {}).get("secure"):
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        headers = Headers(scope=scope)
        host = headers.get("host", "").rsplit(":", 1)[0] if not headers.get("host", "").endswith("]") else headers["host"]
        unsafe = scope["method"] not in SAFE and foreign(headers, self.proven(scope["path"]))
        if (self.hosts and host not in self.hosts) or unsafe:
            words = {"error": "err.site", "message": say("err.site", "zh") + " · " + say("err.site", "en")}
            await JSONResponse(words, status_code=403)(scope, receive, answer)
            return
        await self.app(scope, receive, answer)
