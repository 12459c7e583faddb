"""How a message leaves: one channel a file, the folder is the registry.

A channel only says sent, try again, or never. Retry, back-off and the outbox live in deliver.py.
"""
from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Protocol


class Result(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    AGAIN = "again"      # perhaps it arrived, perhaps not: the next attempt is marked 重发
    NEVER = "never"      # it will not be taken as it is


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt: its result, and why in words for the audit (at most a line)."""

    result: Result
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One call: `key` is the same at each attempt; `again` = an earlier attempt may have arrived."""

    key: str
    alert: str
    level: str
    scope: str
    text: str
    post: str
    step: int
    until: str
    again: bool
    url: str


class Channel(Protocol):
    """What a file of this folder exports. `data` is the installation's folder."""

    def __init__(self, data: Path) -> None: ...

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt to `address`; it never raises for what the other side does."""


def names() -> list[str]:
    """All channels."""
    return sorted(f.stem for f in Path(__file__).parent.glob("[a-z]*.py"))


def load(data: Path) -> dict[str, Channel]:
    """Every channel, ready to send."""
    out: dict[str, Channel] = {}
    for name in names():
        module = import_module(f"{__name__}.{name}")
        out[name] = getattr(module, module.__all__[0])(data)
    return out
