"""A telephone for a trial: each call is a line of calls.jsonl in the data folder, and of the process's own log."""
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from threading import Lock

import structlog

from streams.desk.channels import Declared, Message, Options, Outcome, Result

__all__ = ["Log"]
say = structlog.get_logger(__name__)


class Log:
    """Writes the call down. Nothing is rung. A secret in an address stays a name here."""

    declared = Declared(person=False)

    def __init__(self, data: Path, options: Options = dict) -> None:
        self.file, self.lock = data / "calls.jsonl", Lock()

    def send(self, message: Message, address: str) -> Outcome:
        """Sent once the line is on disk; a full disk is tried again."""
        line = json.dumps(asdict(message) | {"address": address}, ensure_ascii=False)
        try:
            with self.lock:
                self.file.parent.mkdir(parents=True, exist_ok=True)
                with self.file.open("a", encoding="utf-8") as out:
                    out.write(line + "\n")
        except OSError as error:
            return Outcome(Result.AGAIN, str(error))
        say.info("call", post=message.post, alert=message.alert, text=message.text, again=message.again)
        return Outcome(Result.SENT)
