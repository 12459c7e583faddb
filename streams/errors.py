"""What can go wrong, as one small tree.

WanglouError            something asked for is wrong; exit 1
├── ConfigError         a configs folder has faults; carries all of them
├── UsageError          the call itself is wrong; exit 2
├── Unavailable         a broker, a database or a page cannot be reached
└── Rejected            an input was refused; carries its place and reason
"""
from __future__ import annotations

from dataclasses import dataclass


class WanglouError(Exception):
    """Something asked for is wrong."""


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of a configs folder: file, line and column (from 1), what was got and what is allowed."""

    file: str
    line: int
    column: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.what}"


class ConfigError(WanglouError):
    """A configs folder has faults."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


class UsageError(WanglouError):
    """The call itself is wrong."""


class Unavailable(WanglouError):
    """A broker, a database or a page cannot be reached."""


class Rejected(WanglouError):
    """An input was refused: `reason` is one word for the metric, `place` says where, the message says what."""

    def __init__(self, reason: str, place: str, what: str) -> None:
        self.reason, self.place = reason, place
        super().__init__(f"{place}: {what}" if place else what)
