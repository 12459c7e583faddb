"""One HTTP attempt, as all channels over HTTP make it: what the transport, the status and the body say, before the code.

Tried again: time-out, no connection, 3xx, 408, 425, 429, 5xx, anything but a JSON object (a portal in between). Other 4xx: never.
`Retry-After` is obeyed, in seconds or as a date. No secret reaches a log: the client's own request log is silenced.
"""
from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from streams.clock import micros
from streams.desk.channels import Outcome, Result
from streams.desk.channels._secrets import Missing, fill, hide

if TYPE_CHECKING:
    import httpx2

SLOW_DOWN = (408, 425, 429)
LONGEST_WAIT = 600.0
"""Seconds: no vendor's wish holds a call up for longer."""
WORDS = 120
"""Characters of an answer that the audit keeps."""


class Line:
    """A client for one channel; `timeout` seconds for each part of an attempt."""

    def __init__(self, timeout: float = 4.0) -> None:
        self.timeout = timeout

    @cached_property
    def client(self) -> httpx2.Client:
        """Made at the first message: the library is heavy."""
        import httpx2

        for name in ("httpx2", "httpcore2"):        # they write whole addresses, and ours hold tokens
            logging.getLogger(name).setLevel(logging.WARNING)
        return httpx2.Client(timeout=self.timeout, follow_redirects=False, trust_env=False)

    def ask(self, url: str, at: int, hidden: tuple[str, ...] = (), **request: Any) -> dict[str, Any] | Outcome:
        """POST; the JSON object of a 2xx ({} for an empty body), else what became of it. `hidden` never shows in its words.

        `$WANGLOU_SECRET_…` in the address and in headers is filled in here; bodies come filled.
        """
        import httpx2

        hidden = (url, *hidden)
        try:
            headers = {name: fill(value) for name, value in request.pop("headers", {}).items()}
            answer = self.client.post(fill(url), headers=headers, **request)
        except Missing as error:
            return Outcome(Result.NEVER, str(error))
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            return Outcome(Result.NEVER, hide(str(error), *hidden))
        except httpx2.HTTPError as error:
            return Outcome(Result.AGAIN, hide(f"{type(error).__name__}: {error}", *hidden))
        return understood(answer.status_code, answer.headers, hide(answer.text[:WORDS * 80], *hidden), at)


def understood(status: int, headers: Mapping[str, str], body: str, at: int) -> dict[str, Any] | Outcome:
    """What an answer means before its code is looked at."""
    words = " ".join(body[:WORDS].split())
    after = wait(headers.get("retry-after", ""), at)
    if 400 <= status < 500 and status not in SLOW_DOWN:
        return Outcome(Result.NEVER, f"HTTP {status}: {words}")
    if not 200 <= status < 300:
        return Outcome(Result.AGAIN, f"HTTP {status}: {words}", after)
    if not body.strip():
        return {}
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return Outcome(Result.AGAIN, f"not JSON: {words}")
    return said if isinstance(said, dict) else Outcome(Result.AGAIN, f"not an object: {words}")


def wait(said: str, at: int) -> float | None:
    """Seconds of a Retry-After header at `at` µs UTC; None when it says nothing that can be understood.

    >>> wait("30", 0), wait("Thu, 01 Jan 1970 00:00:20 GMT", 5_000_000), wait("soon", 0), wait("9999999", 0)
    (30.0, 15.0, None, 600.0)
    """
    try:
        seconds = float(said) if said.replace(".", "", 1).isdigit() else _until(said, at)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _until(said: str, at: int) -> float:
    when = parsedate_to_datetime(said)
    return (micros((when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()) - at) / 1e6


def refused(code: object, said: Mapping[str, Any], never: tuple[str, ...] = (),
            slow: Mapping[str, float] | None = None) -> Outcome:
    """A refusal inside 200: for good, until later, or as any other."""
    words = " ".join(json.dumps(said, ensure_ascii=False)[:WORDS].split())
    if str(code) in never:
        return Outcome(Result.NEVER, f"refused with code {code}: {words}")
    return Outcome(Result.AGAIN, f"refused with code {code}: {words}", (slow or {}).get(str(code)))


def cut(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, whole characters, with … where something is missing.

    >>> cut("水位", 6), cut("水位高", 8)
    ('水位', '水…')
    """
    raw = text.encode()
    return text if len(raw) <= most else raw[:max(most - 3, 0)].decode(errors="ignore") + "…"
