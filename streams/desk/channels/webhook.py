"""HTTP POST of a call as JSON, with `Idempotency-Key`. Success is what the answer says, not its status alone.

Taken: 2xx with an empty body, or with a JSON object whose `code` / `errcode` / `StatusCode` is absent or 0.
Anything else that may change is tried again: time-out, 408, 425, 429, 5xx, a refusal in JSON, HTML of a portal in between.
Other 4xx: never.
"""
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import httpx2

from streams.desk.channels import Message, Outcome, Result

__all__ = ["Webhook"]
CODES = ("code", "errcode", "StatusCode")
SLOW_DOWN = (408, 425, 429)


class Webhook:
    """One client for all addresses; 5 s an attempt."""

    def __init__(self, data: Path, timeout: float = 5.0) -> None:
        self.client = httpx2.Client(timeout=timeout, follow_redirects=False, trust_env=False)

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        if not address.startswith(("http://", "https://")):
            return Outcome(Result.NEVER, f"no web address: {address!r}")
        try:
            answer = self.client.post(address, json=asdict(message), headers={"Idempotency-Key": message.key})
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            return Outcome(Result.NEVER, str(error))
        except httpx2.HTTPError as error:
            return Outcome(Result.AGAIN, f"{type(error).__name__}: {error}")
        return judged(answer.status_code, answer.text)


def judged(status: int, body: str) -> Outcome:
    """What an answer means."""
    if 400 <= status < 500 and status not in SLOW_DOWN:
        return Outcome(Result.NEVER, f"HTTP {status}: {body[:120]}")
    if not 200 <= status < 300:
        return Outcome(Result.AGAIN, f"HTTP {status}: {body[:120]}")
    if not body.strip():
        return Outcome(Result.SENT)
    try:
        said = json.loads(body)
    except ValueError:
        return Outcome(Result.AGAIN, f"not JSON: {body[:120]}")
    if not isinstance(said, dict):
        return Outcome(Result.AGAIN, f"not an object: {body[:120]}")
    code = next((said[name] for name in CODES if name in said), 0)
    return Outcome(Result.SENT) if str(code) == "0" else Outcome(Result.AGAIN, f"refused with code {code}: {body[:120]}")
