"""Fakes that keep the vendors' limits: they check signs themselves, count messages, and fail as they are told (`mode`)."""

from __future__ import annotations

import base64
import hmac
import json
import re
import socketserver
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from werkzeug import Request, Response

MODES = ("ok", "time-out", "429", "code", "busy", "html", "portal", "500", "404")


def b64(key: str, words: str) -> str:
    """base64(HMAC-SHA256)."""
    return base64.b64encode(hmac.digest(key.encode(), words.encode(), "sha256")).decode()


def near(stamp: int, now: int) -> None:
    """A sign more than an hour old is refused."""
    assert abs(stamp - now) < 3600


@dataclass
class Fake:
    """One vendor behind HTTP. `read(request, fake)` checks the request and gives the key and the words of the message."""

    read: Callable[[Request, Fake], tuple[str, str]]
    good: Mapping[str, Any]
    bad: Mapping[str, Any]
    slow: Mapping[str, Any] | None = None
    drops: bool = False                     # refuses a key that it has
    now: int = 0
    mode: str = "ok"
    took: list[tuple[str, str]] = field(default_factory=list)
    free: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        """Answer as told; what is wrong with the request is kept for the test."""
        try:
            if request.path == "/gettoken.json":
                return self.token(request)
            key, words = self.read(request, self)
        except (AssertionError, KeyError, ValueError) as error:
            self.faults.append(f"{type(error).__name__} {error}")
            return Response("the fake does not understand", 400)
        if self.mode in ("ok", "time-out"):
            if self.drops and key in [k for k, _ in self.took]:
                return self.json({"success": False, "content": {"success": False, "responseMessage": "bizMsgId重复"}})
            self.took.append((key, words))
        if self.mode == "time-out":
            self.free.wait(3)
        return {
            "429": lambda: Response("slow down", 429, {"Retry-After": "30"}),
            "code": lambda: self.json(self.bad),
            "busy": lambda: self.json(self.slow or self.bad),
            "html": lambda: Response("<html>please log in</html>", 200),
            "portal": lambda: Response("", 302, {"Location": "http://portal.invalid/"}),
            "500": lambda: Response("oops", 500),
            "404": lambda: Response("", 404),
        }.get(self.mode, lambda: self.json(self.good))()

    def token(self, request: Request) -> Response:
        """浙政钉: the access token."""
        zzd_signed(request, self)
        assert (request.form["appkey"], request.form["appsecret"]) == ("the-app", "the-app-secret")
        return self.json({"success": True, "content": {"success": True, "data": {"accessToken": "tok", "expiresIn": 7200}}})

    @staticmethod
    def json(said: Mapping[str, Any]) -> Response:
        """As JSON."""
        return Response(json.dumps(said, ensure_ascii=False), content_type="application/json")


def webhook(request: Request, fake: Fake) -> tuple[str, str]:
    """Our own form."""
    body = request.get_json()
    assert request.args["token"] == "hook-secret" and request.headers["Idempotency-Key"] == body["key"]
    return body["key"], body["text"]


def dingtalk(request: Request, fake: Fake) -> tuple[str, str]:
    """Token and sign in the query; a title and a text; everybody is called for red."""
    stamp, body = request.args["timestamp"], request.get_json()
    near(int(stamp) // 1000, fake.now)
    assert request.args["access_token"] == "ding-token" and request.args["sign"] == b64("ding-key", f"{stamp}\nding-key")
    assert body["msgtype"] == "markdown" and body["markdown"]["title"] and body["at"]["isAtAll"] is False
    assert len(body["markdown"]["text"].encode()) <= 20_000
    return "", body["markdown"]["text"]


def wecom(request: Request, fake: Fake) -> tuple[str, str]:
    """A key in the query, 4096 bytes."""
    body = request.get_json()
    assert request.args["key"] == "wecom-key" and len(body["markdown"]["content"].encode()) <= 4096
    return "", body["markdown"]["content"]


def feishu(request: Request, fake: Fake) -> tuple[str, str]:
    """The token in the path, the sign in the body: the key signs nothing."""
    body = request.get_json()
    near(int(body["timestamp"]), fake.now)
    assert request.path.endswith("/feishu-token")
    assert body["sign"] == base64.b64encode(hmac.digest(f"{body['timestamp']}\nfeishu-key".encode(), b"", "sha256")).decode()
    return "", body["content"]["text"]


def zzd_signed(request: Request, fake: Fake) -> None:
    """The gateway's headers."""
    h = request.headers
    words = "&".join(sorted(f"{k}={v}" for k, v in request.form.items()))
    signed = "\n".join((request.method, h["X-Hmac-Auth-Timestamp"], h["X-Hmac-Auth-Nonce"], request.path, words))
    assert h["apiKey"] == "the-app" and h["X-Hmac-Auth-Version"] == "1.0"
    assert h["X-Hmac-Auth-Signature"] == b64("the-app-secret", signed)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+08:00", h["X-Hmac-Auth-Timestamp"])


def zhezhengding(request: Request, fake: Fake) -> tuple[str, str]:
    """A signed form; the message as JSON of at most 2048 bytes."""
    zzd_signed(request, fake)
    form = request.form
    assert (form["tenantId"], form["receiverIds"], form["access_token"]) == ("196729", "GE_12345", "tok")
    assert len(form["msg"].encode()) <= 2048
    return form["bizMsgId"], json.loads(form["msg"])["text"]["content"]


def gateway(request: Request, fake: Fake) -> tuple[str, str]:
    """As channels.yaml describes it."""
    body = request.get_json()
    assert request.headers["Authorization"] == "Bearer gate-secret" and body["phone"] == "13800000001"
    return body["id"], body["text"]


class Mail(socketserver.ThreadingTCPServer):
    """A mail server of one thread a connection; the same modes, in its own words."""

    daemon_threads = allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mode, self.took, self.free, self.faults, self.now = "ok", [], threading.Event(), [], 0  # type: ignore[var-annotated]
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()


class Session(socketserver.StreamRequestHandler):
    """One mail."""

    server: Mail

    def say(self, words: str) -> None:
        """A line."""
        self.wfile.write(words.encode() + b"\r\n")

    def handle(self) -> None:
        """Until the other side leaves, however it does."""
        with suppress(ConnectionError):
            self.talk()

    def talk(self) -> None:
        """EHLO, MAIL, RCPT, DATA, QUIT."""
        mode = self.server.mode
        if mode in ("html", "portal"):
            self.say("HTTP/1.1 400 Bad Request\r\n\r\n<html>no mail here</html>")
            return
        self.say("421 later" if mode == "500" else "220 fake")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.say("354 go on")
                self.data()
            elif word == b"RCPT" and mode in ("429", "404", "busy"):
                self.say("550 5.1.1 no such mailbox d@example.cn" if mode == "404" else "450 4.2.1 slow down")
            else:
                self.say("221 bye" if word == b"QUIT" else "250 ok")

    def data(self) -> None:
        """The mail itself; taken before the answer."""
        from email import message_from_bytes
        from email.policy import default

        raw = b""
        while not raw.endswith(b"\r\n.\r\n"):
            raw += self.rfile.readline()
        mail = message_from_bytes(raw, policy=default)
        if self.server.mode in ("ok", "time-out"):
            self.server.took.append((str(mail["Message-ID"]), str(mail["Subject"])))
        if self.server.mode == "time-out":
            self.server.free.wait(3)
        self.say("554 5.7.1 refused as spam" if self.server.mode == "code" else "250 queued")
