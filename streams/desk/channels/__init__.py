"""How a message leaves: one channel a file, the folder is the registry.

A channel only says sent, try again (and when), or never. Retry, back-off, rates and the outbox live in deliver.py.
Files that begin with `_` are shared by channels and are none themselves; heavy libraries are imported at the first use.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

Options = Callable[[], Mapping[str, str]]
"""What `city/channels.yaml` says of one channel, in the plan in force."""


class Result(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    AGAIN = "again"      # perhaps it arrived, perhaps not: the next attempt is marked 重发
    NEVER = "never"      # it will not be taken as it is


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt: its result, why in words for the audit (at most a line), and in how many seconds it may be tried again."""

    result: Result
    detail: str = ""
    after: float | None = None      # None = as deliver.py thinks fit


@dataclass(frozen=True, slots=True)
class Message:
    """One call: `key` is the same at each attempt; `again` = an earlier attempt may have arrived; `at` = now, µs UTC.

    `speaks_for`: (key, alert) of each call in a folded message, its own first; empty for a call of its own.
    `answers`: the `url` is an answer link, so it belongs into what a person reads.
    """

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
    at: int = 0
    speaks_for: tuple[tuple[str, str], ...] = ()
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """What a channel promises and what it wants; `wanglou check` holds ladders, posts and channels.yaml against it."""

    rates: tuple[tuple[int, float], ...] = ()       # at most so many messages in so many seconds, to one address
    idempotent: bool = False                        # the other side drops a repeat under the same key
    receipts: tuple[str, ...] = ("sent",)           # what it can tell of a message (ladder.RECEIPTS)
    called_back: tuple[str, ...] = ()               # and what more where option `callback` is set
    takes: float = 0.0                              # seconds that a message commonly needs to be noticed
    person: bool = True                             # somebody is there at the other end
    longest: int = 0                                # characters that a message may have; 0 = it cuts them itself, or any
    address: str = "text"                           # text, url, or the words of secrets: "token [sign]"
    options: tuple[str, ...] = ()                   # keys of channels.yaml that it knows
    needs: tuple[str, ...] = ()                     # those that must be there
    secrets: tuple[str, ...] = ()                   # those that may only name an environment variable
    defaults: Mapping[str, str] = field(default_factory=dict)


CALLBACK = ("callback", "callback_key", "callback_state", "states")
"""Options of a channel whose other side posts receipts to `/receipt/NAME`."""
COMMON = ("per_minute",)
"""Options of every channel: the gateway's own contract may allow less than the vendor's general limit."""


class Channel(Protocol):
    """What a file of this folder exports. `data` is the installation's folder."""

    declared: Declared

    def __init__(self, data: Path, options: Options = dict) -> None: ...

    def send(self, message: Message, address: str) -> Outcome:
        """One attempt to `address`; it never raises for what the other side does."""


def names() -> list[str]:
    """All channels."""
    return sorted(f.stem for f in Path(__file__).parent.glob("[a-z]*.py"))


def load(data: Path, options: Callable[[str], Mapping[str, str]] = lambda _: {}) -> dict[str, Channel]:
    """Every channel, ready to send. `options` is asked at each message, so a new plan needs no new start."""
    return {name: _class(name)(data, lambda name=name: options(name)) for name in names()}


@cache
def declared(name: str) -> Declared:
    """What a channel of the folder declares."""
    said: Declared = _class(name).declared
    return said


def able(said: Declared, options: Mapping[str, str]) -> tuple[str, ...]:
    """The receipts that a channel can give as it is set up.

    >>> able(Declared(called_back=("received",)), {}), able(Declared(called_back=("received",)), {"callback": "$X"})
    (('sent',), ('sent', 'received'))
    """
    return said.receipts + (said.called_back if options.get("callback") else ())


def rates(said: Declared, options: Mapping[str, str]) -> tuple[tuple[int, float], ...]:
    """The limits to keep: the vendor's, and the installation's own `per_minute`."""
    own = options.get("per_minute", "")
    return said.rates + (((int(own), 60.0),) if own.isdigit() and int(own) else ())


def fault(name: str, options: Mapping[str, str]) -> tuple[str, str] | None:
    """The option of a channel that cannot be kept and why, beyond what its declaration says; None when there is none."""
    check = getattr(_class(name), "fault", None)
    found: tuple[str, str] | None = check(options) if check else None
    return found


def _class(name: str) -> Any:
    module = import_module(f"{__name__}.{name}")
    return getattr(module, module.__all__[0])
