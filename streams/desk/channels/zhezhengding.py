r"""浙政钉: a work notice (工作通知) to one account through the open platform's gateway. Address: the receiver's accountId.

**Read only, never called**: the platform is closed to those outside. What is here was read in public code of others and
in one article (ewbang.com 961480425): the paths `/gettoken.json` and `/message/workNotification`, the parameters, the HMAC
headers, the limits and the shape `{success, content: {success, data}}`. Not known and so not relied on: the codes of
refusals, whether a notice demands `access_token` beside the signature (it is sent), read receipts (none declared).
Try it on the test platform before trusting it with a red.

Signature = base64(HMAC-SHA256(app secret, METHOD \n time \n nonce \n path \n sorted key=value joined by &)).
`bizMsgId` makes it idempotent: a repeat is refused as 重复, which proves that the first arrived, and counts as sent.
Limits: the same words to the same user once a day (ours hold a time and a mark), 100 notices a day to one user, 2048 bytes.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from streams.clock import iso
from streams.desk.channels import Declared, Message, Options, Outcome, Result
from streams.desk.channels._http import Line, cut, refused
from streams.desk.channels._secrets import Missing, fill

__all__ = ["ZheZhengDing"]
URL = "https://openplatform-pro.ding.zj.gov.cn"
TOKEN, NOTICE = "/gettoken.json", "/message/workNotification"
BYTES = 2048
EIGHT_HOURS = 8 * 3600 * 1_000_000
EARLY = 60
"""Seconds before its end at which a token is no longer used."""


class ZheZhengDing:
    """Options: `app_key` and `app_secret` (names of secrets), `tenant`; `url` (test platform), `ip`, `mac` of this machine."""

    declared = Declared(
        rates=((100, 86_400.0),), idempotent=True, options=("url", "app_key", "app_secret", "tenant", "ip", "mac"),
        needs=("app_key", "app_secret", "tenant"), secrets=("app_key", "app_secret"), defaults={"url": URL},
    )

    def __init__(self, data: Path, options: Options = dict, timeout: float = 2.0) -> None:
        self.line, self.options, self.lock = Line(timeout), options, Lock()
        self.tokens: dict[str, tuple[str, int]] = {}

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt; with the token's it may take two requests."""
        options = self.options()
        try:
            key, secret = fill(options.get("app_key", "")), fill(options.get("app_secret", ""))
        except Missing as error:
            return Outcome(Result.NEVER, str(error))
        if not (address and key and secret):
            return Outcome(Result.NEVER, "no account" if not address else "app_key and app_secret are not set")
        token = self._token(message.at, options, key, secret)
        if isinstance(token, Outcome):
            return token
        notice = {"access_token": token, "tenantId": options.get("tenant", ""), "receiverIds": address, "bizMsgId": message.key,
                  "msg": text(message)}
        said = self._ask(NOTICE, notice, message.at, options, key, secret, address)
        if isinstance(said, Outcome):
            return said
        if taken(said):
            return Outcome(Result.SENT)
        if message.again and "重复" in json.dumps(said, ensure_ascii=False):
            return Outcome(Result.SENT, "an earlier attempt had arrived")
        with self.lock:
            self.tokens.pop(key, None)          # it may be the token that was refused
        return refused(code(said), said)

    def _token(self, at: int, options: Mapping[str, str], key: str, secret: str) -> str | Outcome:
        with self.lock:
            kept, until = self.tokens.get(key, ("", 0))
        if at < until:
            return kept
        said = self._ask(TOKEN, {"appkey": key, "appsecret": secret}, at, options, key, secret, "")
        if isinstance(said, Outcome):
            return said
        content = said.get("content")
        data = content.get("data") if isinstance(content, dict) else None
        got = data.get("accessToken") if isinstance(data, dict) else None
        if not taken(said) or not isinstance(data, dict) or not isinstance(got, str):
            return refused(code(said), {"token": "refused", "code": code(said)})
        lasts = data.get("expiresIn")
        seconds = lasts if isinstance(lasts, int) else 7200
        with self.lock:
            self.tokens[key] = got, at + max(seconds - EARLY, 0) * 1_000_000
        return got

    def _ask(self, path: str, form: dict[str, str], at: int, options: Mapping[str, str], key: str, secret: str,
             address: str) -> dict[str, Any] | Outcome:
        stamp, nonce = moment(at), f"{at // 1000}{secrets.randbelow(9000) + 1000}"
        headers = {"X-Hmac-Auth-Timestamp": stamp, "X-Hmac-Auth-Version": "1.0", "X-Hmac-Auth-Nonce": nonce, "apiKey": key,
                   "X-Hmac-Auth-Signature": signature(secret, path, stamp, nonce, form),
                   "X-Hmac-Auth-IP": options.get("ip", "127.0.0.1"), "X-Hmac-Auth-MAC": options.get("mac", "00:00:00:00:00:00")}
        hidden = (address, options.get("app_key", ""), options.get("app_secret", ""), form.get("access_token", ""))
        return self.line.ask(options.get("url", URL).rstrip("/") + path, at, hidden, headers=headers, data=form)


def signature(secret: str, path: str, stamp: str, nonce: str, form: Mapping[str, str]) -> str:
    """The sign of one request.

    >>> signature("secret", "/gettoken.json", "2026-06-24T02:20:00.000+08:00", "1", {"b": "2", "a": "1"})
    '8tqL3FdA2Bvb1iumgvftgpCbguE0WkN1yYrRaekrlBM='
    """
    words = "&".join(sorted(f"{name}={value}" for name, value in form.items()))
    signed = "\n".join(("POST", stamp, nonce, path, words))
    return base64.b64encode(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()).decode()


def moment(at: int) -> str:
    """The gateway's way to write a time.

    >>> moment(1_782_238_800_123_000)
    '2026-06-24T02:20:00.000+08:00'
    """
    return iso((at + EIGHT_HOURS) // 1_000_000 * 1_000_000).rstrip("Z") + ".000+08:00"


def text(message: Message) -> str:
    """The notice as JSON, within the limit."""
    words = f"{cut(message.text, BYTES - 200 - len(message.url.encode()))}\n{message.url}"
    return json.dumps({"msgtype": "text", "text": {"content": words}}, ensure_ascii=False, separators=(",", ":"))


def taken(said: Mapping[str, Any]) -> bool:
    """Both the gateway (outside) and the service behind it (inside) must say yes."""
    inside = said.get("content")
    return said.get("success") is True and (not isinstance(inside, dict) or inside.get("success", True) is True)


def code(said: Mapping[str, Any]) -> str:
    """Whatever it is that names the refusal: the names seen in public code."""
    inside = said.get("content")
    for where in (inside if isinstance(inside, dict) else {}, said):
        for name in ("responseCode", "errorCode", "bizErrorCode", "Code"):
            if where.get(name) not in (None, "", 0, "0", "OK"):
                return str(where[name])
    return "none"
