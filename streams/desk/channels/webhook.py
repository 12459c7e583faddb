"""HTTP POST of a call as JSON, with `Idempotency-Key`. Success is what the answer says, not its status alone.

Taken: 2xx with an empty body, or with a JSON object whose `code` / `errcode` / `StatusCode` is absent or 0.
Address: a URL, which may hold `$WANGLOU_SECRET_…`. The receiver is asked to drop a repeat by its key; whether it does
is its own affair.
"""
from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from streams.desk.channels import CALLBACK, Declared, Message, Options, Outcome, Result
from streams.desk.channels._gateway import callback_fault
from streams.desk.channels._http import Line, refused
from streams.desk.channels._secrets import masked

__all__ = ["Webhook"]
CODES = ("code", "errcode", "StatusCode")


class Webhook:
    """One client for all addresses."""

    declared = Declared(idempotent=True, called_back=("received", "read", "answered"), address="url", options=CALLBACK,
                        secrets=("callback",))
    fault = staticmethod(callback_fault)

    def __init__(self, data: Path, options: Options = dict, timeout: float = 4.0) -> None:
        self.line = Line(timeout)

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt."""
        if not address.startswith(("http://", "https://", "$")):
            return Outcome(Result.NEVER, f"no web address: {masked(address)!r}")
        said = self.line.ask(address, message.at, json=asdict(message), headers={"Idempotency-Key": message.key})
        if isinstance(said, Outcome):
            return said
        code = next((said[name] for name in CODES if name in said), 0)
        return Outcome(Result.SENT) if str(code) == "0" else refused(code, said)
