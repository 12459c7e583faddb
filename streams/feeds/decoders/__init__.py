"""What bytes mean. One decoder a file, the folder is the registry; pure: no clock, no I/O, no exception for bad input."""
from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Protocol

from streams.errors import UsageError
from streams.feeds.rules import GUESSES, Rules, meant
from streams.feeds.words import Reading, Refused


class Decoder(Protocol):
    """The one name of a file of this folder (`__all__`): every row of the input as a Reading or a Refused, in its order."""

    def __call__(self, data: bytes, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
        """`now` (µs UTC) = when the bytes came; None = a history that says itself when each reading arrived."""
        ...


def names() -> list[str]:
    """Every decoder of the folder."""
    return sorted(f.stem for f in Path(__file__).parent.glob("[a-z]*.py"))


@cache
def load(name: str) -> Decoder:
    """One decoder by its name; UsageError with a suggestion if there is none."""
    if name not in names():
        raise UsageError(f"no decoder {name!r}{meant(name, set(names()))} (there are: {', '.join(names())})")
    module = import_module(f"streams.feeds.decoders.{name}")
    (one,) = module.__all__
    decoder: Decoder = getattr(module, one)
    return decoder


def decode(name: str, data: bytes, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
    """One push through one decoder."""
    rules.guesses = GUESSES
    return load(name)(data, rules, now)
