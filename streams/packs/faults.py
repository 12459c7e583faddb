"""All faults and hints of one configs folder, gathered while it is read, so that people see them at once."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from streams.errors import Fault

SHOWN = 12
"""Of a long list of allowed words only so many are shown."""


class Place(NamedTuple):
    """Where something stands: file, line and column (from 1)."""

    file: str
    line: int = 1
    column: int = 1

    def right(self, columns: int) -> Place:
        """The same line, further to the right."""
        return self._replace(column=self.column + columns)


@dataclass
class Faults:
    """What was found wrong (`items`) and what is only worth a look (`hints`)."""

    items: list[Fault] = field(default_factory=list)
    hints: list[Fault] = field(default_factory=list)

    def add(self, place: Place, what: str) -> None:
        """Note a fault; the same one is noted once."""
        fault = Fault(*place, what)
        if fault not in self.items:
            self.items.append(fault)

    def hint(self, place: Place, what: str) -> None:
        """Note a hint: nothing is wrong, but the author should know."""
        fault = Fault(*place, what)
        if fault not in self.hints:
            self.hints.append(fault)

    def unknown(self, place: Place, noun: str, word: str, allowed: Iterable[str]) -> None:
        """Note a word that is none of the allowed ones, with the nearest of them."""
        self.add(place, f"unknown {noun} {word!r}{meant(word, allowed)}")


def meant(word: str, allowed: Iterable[str]) -> str:
    """The end of a message: the nearest allowed word if there is one, and all that are allowed.

    >>> meant("yelow", ["blue", "yellow"])
    '; did you mean yellow? allowed: blue, yellow'
    """
    names = sorted(set(allowed))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    known = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return (f"; did you mean {near[0]}?" if near else ";") + f" allowed: {known or 'none here'}"
