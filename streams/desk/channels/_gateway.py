"""SMS and voice have no standard: a gateway is described in `city/channels.yaml`, and this is what reads the description.

    gateway_sms:
      url: https://sms.example.cn/send
      authorization: Bearer $WANGLOU_SECRET_SMS
      body: '{"phone": "{address}", "text": "{text}", "id": "{key}"}'   # {level} {post} {url} {until} too
      success: result.code=0                # where the code lies, and what it is when taken (0|OK)
      never: 4001|4002                       # codes for which trying again is of no use
      busy: 4290                             # codes that mean "later"
      callback: $WANGLOU_SECRET_SMS_BACK     # the gateway posts to /receipt/gateway_sms with this token
      callback_key: data.id                  # where its post has our key
      callback_state: data.status            # … and what became of it
      states: DELIVRD=received UNDELIV=failed 1=answered 2=passed

`{name}` is replaced by the value, as the inside of a JSON text (`type: json`) or percent-encoded (`type: form`);
other braces stay.
"""
from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from streams.desk.channels import CALLBACK, Message, Options, Outcome, Result
from streams.desk.channels._http import Line, refused
from streams.desk.channels._secrets import NAME, Missing, fill

OPTIONS = ("url", "body", "type", "success", "never", "busy", "authorization", *CALLBACK)
NEEDS = ("url", "body", "success")
PLACES = ("address", "text", "key", "level", "post", "url", "until", "again")
PLACE = re.compile(r"\{(" + "|".join(PLACES) + r")\}")
GOT = ("received", "read", "answered", "passed", "failed")
"""What a callback's state may mean."""
BUSY = 30.0
"""Seconds to wait where the gateway says "later" and not when."""


class Gateway:
    """One channel over a gateway that the installation describes."""

    @staticmethod
    def fault(options: Mapping[str, str]) -> tuple[str, str] | None:
        """What `wanglou check` says of the description."""
        return fault(options)

    def __init__(self, data: Path, options: Options = dict, timeout: float = 4.0) -> None:
        self.line, self.options = Line(timeout), options

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        options = self.options()
        missing = [name for name in NEEDS if not options.get(name)]
        if missing or not address:
            return Outcome(Result.NEVER, f"channels.yaml: {', '.join(missing)} missing" if missing else "no number")
        form = options.get("type", "json") == "form"
        try:
            body = written(options["body"], message, address, form)
        except Missing as error:
            return Outcome(Result.NEVER, str(error))
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        headers = {"Content-Type": kind, "Idempotency-Key": message.key}
        if options.get("authorization"):
            headers["Authorization"] = options["authorization"]
        hidden = (address, options["body"], options.get("authorization", ""))
        said = self.line.ask(options["url"], message.at, hidden, headers=headers, content=body.encode())
        return said if isinstance(said, Outcome) else judged(said, options)


def judged(said: Mapping[str, Any], options: Mapping[str, str]) -> Outcome:
    """What the code in the answer means."""
    where, _, good = options["success"].partition("=")
    code = found(said, where)
    if code is not None and code in good.split("|"):
        return Outcome(Result.SENT)
    slow = dict.fromkeys(options.get("busy", "").split("|"), BUSY)
    return refused("none" if code is None else code, said, tuple(options.get("never", "").split("|")), slow)


def found(said: object, where: str) -> str | None:
    """The text at a dotted path (numbers are places of a list); None when there is none.

    >>> found({"data": [{"code": 0}]}, "data.0.code"), found({"ok": True}, "ok"), found({}, "a.b")
    ('0', 'true', None)
    """
    for step in where.strip().split("."):
        if isinstance(said, list) and step.isdigit() and int(step) < len(said):
            said = said[int(step)]
        elif isinstance(said, dict) and step in said:
            said = said[step]
        else:
            return None
    return None if isinstance(said, dict | list) or said is None else str(said).lower() if isinstance(said, bool) else str(said)


def written(body: str, message: Message, address: str, form: bool) -> str:
    """The body with its places filled, each value escaped. Missing when a secret is not set."""
    values = {"address": address, "text": message.text, "key": message.key, "level": message.level, "post": message.post,
              "url": message.url, "until": message.until, "again": str(message.again).lower()}
    safe = quote_plus if form else _inside
    named = NAME.sub(lambda m: safe(fill(m[0])), body)
    return PLACE.sub(lambda m: safe(values[m[1]]), named)


def _inside(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def states(options: Mapping[str, str]) -> dict[str, str]:
    """What the gateway's words mean. ValueError for a meaning that is none.

    >>> states({"states": "DELIVRD=received 1=answered"})
    {'DELIVRD': 'received', '1': 'answered'}
    """
    out = {}
    for pair in options.get("states", "").split():
        word, sign, got = pair.partition("=")
        if not sign or got not in GOT:
            raise ValueError(f"{pair!r}: write WORD={'|'.join(GOT)}")
        out[word] = got
    return out


def fault(options: Mapping[str, str]) -> tuple[str, str] | None:
    """The option that cannot be kept and why, for `wanglou check`; None when all can."""
    if options.get("type", "json") not in ("json", "form"):
        return "type", f"unknown {options['type']!r}; allowed: form, json"
    if options.get("type", "json") == "json" and "body" in options:
        try:
            json.loads(PLACE.sub("x", NAME.sub("x", options["body"])))
        except ValueError as error:
            return "body", f"not JSON once it is filled: {error}"
    for name in ("address", "text"):
        if "body" in options and "{" + name + "}" not in options["body"]:
            return "body", f"{{{name}}} has no place in it"
    if "success" in options and not all(options["success"].partition("=")):
        return "success", "write PATH=CODE, as result.code=0"
    return callback_fault(options)


def callback_fault(options: Mapping[str, str]) -> tuple[str, str] | None:
    """The option of a callback that cannot be kept and why; None when all can."""
    try:
        states(options)
    except ValueError as error:
        return "states", str(error)
    if options.get("callback") and not all(options.get(name) for name in CALLBACK):
        return "callback", f"needs {', '.join(CALLBACK[1:])} too"
    return None
