"""`POST /readings[?source=ID]`: JSON, NDJSON or CSV by Content-Type; answered once the readings are safe.

202 `{"accepted": 3, "rejected": [{"reason", "place", "what"} …], "durable": "kafka" | "buffer"}` when at least one was taken;
422 the same with accepted 0; 400 no such source; 401 wrong push token, or none from another machine; 413 over 10 MB;
415 another type; 503 without a plan, or when neither Kafka nor the disk takes more: send the whole push again (repeats
do no harm).
"""
from __future__ import annotations

import asyncio
import hmac
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import Receive, Scope, Send

from detectors.pack import FeedSource
from streams import clock
from streams.errors import UsageError, WanglouError
from streams.feeds.buffer import Full
from streams.feeds.decoders import decode
from streams.feeds.intake import Intake, Receipt
from streams.feeds.plan import PlanWatch
from streams.feeds.rules import Rules
from streams.feeds.words import Refused

MOST = 10_000_000
"""Bytes of one push."""

TYPES = {"application/json": ("json", {}), "application/x-ndjson": ("json", {"format": "ndjson"}),
         "application/ndjson": ("json", {"format": "ndjson"}), "application/jsonl": ("json", {"format": "ndjson"}),
         "text/csv": ("csv", {}), "application/csv": ("csv", {})}


UNNAMED = "push"
"""Source of pushes that name none, where the plan does not say it for them."""
CHARSETS = ("", "utf-8", "utf8", "gbk", "gb2312", "gb18030")


class Refusal(Exception):
    """A push that is not even decoded."""

    def __init__(self, status: int, what: str, **more: Any) -> None:
        self.status, self.body = status, {"error": what, **more}
        super().__init__(what)


class Lingering(JSONResponse):
    """Answers at once and then lets a sender that is still sending finish a little, so that it reads the answer and no reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Headers and body first, then what still comes, thrown away: at most 4 × MOST bytes, and 5 s."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        size, more = 0, True
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                while more and size < 4 * MOST:
                    message = await receive()
                    size += len(message.get("body", b""))
                    more = message["type"] == "http.request" and message.get("more_body", False)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def make_app(intake: Intake, plan: PlanWatch, default: str = "", environ: Mapping[str, str] = os.environ) -> FastAPI:
    """The pages of one feed. `default` = the source of pushes that name none; `environ` holds the push tokens."""
    app = FastAPI(title="Wanglou feed", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/readings")
    async def readings(request: Request) -> Response:
        """Take a push."""
        try:
            return await _push(request, intake, plan, default, environ)
        except Refusal as refusal:
            answer = Lingering if refusal.status == 413 else JSONResponse
            return answer(refusal.body, refusal.status, {"Retry-After": "5"} if refusal.status == 503 else None)
        except Full as full:
            return JSONResponse({"error": f"{full}: send the whole push again", "accepted": 0}, 503, {"Retry-After": "5"})

    @app.get("/healthz")
    def healthz() -> dict[str, Any]:
        """It lives: always 200 while the process can answer."""
        return _state(intake, plan)

    @app.get("/readyz")
    def readyz() -> Response:
        """200 when a push would be taken now."""
        state = _state(intake, plan)
        return JSONResponse(state, 200 if plan.city is not None and not intake.outlet.full else 503)

    @app.get("/metrics")
    def metrics() -> Response:
        """For Prometheus."""
        intake.gauge_sources(clock.now())
        return Response(generate_latest(intake.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _state(intake: Intake, plan: PlanWatch) -> dict[str, Any]:
    return {"feed": intake.names.feed, "plan": plan.hash or None, "kafka": intake.outlet.online,
            "buffer_bytes": len(intake.outlet.buffer), "full": intake.outlet.full}


async def _push(request: Request, intake: Intake, plan: PlanWatch, default: str, environ: Mapping[str, str]) -> Response:
    if plan.city is None:
        raise Refusal(503, "there is no plan yet: nobody knows which sites and indicators there are")
    source = _source(request, plan, default)
    _authorize(request, source, environ)
    name, rules = _decoder(request, source, plan)
    body = await _body(request, intake, source.id, name)
    now = clock.now()
    intake.sources.heard(source.id, now)
    receipt = await intake.push(decode(name, body, rules, now), source.id, name)
    return JSONResponse(_answer(receipt), 202 if receipt.accepted or not receipt.rejected else 422)


def _answer(receipt: Receipt) -> dict[str, Any]:
    return {"accepted": receipt.accepted, "durable": receipt.where,
            "rejected": [{"reason": r.reason, "place": r.place, "what": r.what} for r in receipt.rejected]}


def _source(request: Request, plan: PlanWatch, default: str) -> FeedSource:
    """Whom a push is from: `?source=`, else the feed's own, else the only one of the plan, else nobody in particular.

    Where a source has a token, who does not say who he is would go round it: then he must.
    """
    known = plan.sources("http")
    asked = request.query_params.get("source", default)
    if not asked:
        if len(known) > 1 and any(s.token for s in known):
            raise Refusal(400, f"say whom this is from: ?source= one of {', '.join(s.id for s in known)}")
        return known[0] if len(known) == 1 else FeedSource(UNNAMED)
    try:
        return plan.known(asked, "http") if known else FeedSource(asked) if asked == default else plan.known(asked, "http")
    except UsageError as error:
        raise Refusal(400, str(error)) from None


def _authorize(request: Request, source: FeedSource, environ: Mapping[str, str]) -> None:
    """The push token of the source; one without a token takes pushes from this machine only."""
    if not source.token:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            raise Refusal(401, f"source {source.id} has no push token in feeds.yaml: it is taken from this machine only")
        return
    secret = environ.get(source.token, "")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if not secret or scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), secret.encode()):
        raise Refusal(401, f"source {source.id} needs its push token: Authorization: Bearer …")


def _decoder(request: Request, source: FeedSource, plan: PlanWatch) -> tuple[str, Rules]:
    """The decoder and rules for this Content-Type; a push without one is read as its source says."""
    kind, _, more = request.headers.get("content-type", "").partition(";")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "send it without Content-Encoding")
    if not kind.strip():
        return source.decoder, plan.rules(source)
    try:
        name, options = TYPES[kind.strip().lower()]
    except KeyError:
        raise Refusal(415, f"Content-Type {kind.strip()[:60]!r} is none of {', '.join(TYPES)}") from None
    charset = next((v.strip().strip('"') for k, _, v in (p.partition("=") for p in more.split(";"))
                    if k.strip().lower() == "charset"), "")
    if charset.lower() not in CHARSETS or (name == "json" and charset.lower() not in CHARSETS[:3]):
        raise Refusal(415, f"charset {charset[:20]!r}: send UTF-8" + (" or GBK" if name == "csv" else ""))
    if name == "csv" and charset.lower() not in CHARSETS[:3]:
        options = {"encoding": charset.lower()}
    if not options:
        return name, plan.rules(source)
    return name, plan.rules(FeedSource(f"{source.id} as {kind} {charset}", source.transport, source.decoder, source.silent,
                                       {**source.options, **options}, source.scale))


async def _body(request: Request, intake: Intake, source: str, decoder: str) -> bytes:
    """The body, given up as soon as it is too long: it is never held, and what follows is not read."""
    length = request.headers.get("content-length", "")
    parts, size = [], 0
    if not (length.isdigit() and int(length) > MOST):
        async for part in request.stream():
            size += len(part)
            parts.append(part)
            if size > MOST:
                break
        else:
            return b"".join(parts)
    what = f"a push may have {MOST // 1_000_000} MB: send it in parts"
    await intake.refuse(Refused("size", "", what, b"".join(parts[:1])), source, decoder)
    raise Refusal(413, what, accepted=0, rejected=[{"reason": "size", "place": "", "what": what}])


async def serve(app: FastAPI, host: str, port: int) -> None:
    """Serve until cancelled; pushes under way are answered first (10 s). WanglouError when the port is taken."""
    import uvicorn

    class Server(uvicorn.Server):
        """Signals are the business of the command."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise WanglouError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    server = Server(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=10,
                                   server_header=False, limit_concurrency=512))
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
