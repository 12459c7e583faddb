"""短信 through the installation's own HTTP gateway (see _gateway.py for its description). Address: a number.

"Taken" says that the gateway has it. Where it posts back (option `callback`), a delivery report is `received` and a
reply is `answered`.
"""
from __future__ import annotations

from dataclasses import replace

from streams.desk.channels import Declared, Message, Outcome
from streams.desk.channels._gateway import NEEDS, OPTIONS, Gateway

__all__ = ["Sms"]


class Sms(Gateway):
    """Idempotent as far as the gateway keeps `{key}`; nothing is promised. A phone shows it after a while, or not at all."""

    declared = Declared(called_back=("received", "answered"), takes=10.0, longest=500, options=OPTIONS, needs=NEEDS,
                        secrets=("callback",))

    def send(self, message: Message, address: str) -> Outcome:
        """An answer link goes behind the text, unless the installation's body has a place of its own for it."""
        if message.answers and "{url}" not in self.options().get("body", ""):
            message = replace(message, text=f"{message.text} {message.url}")
        return super().send(message, address)
