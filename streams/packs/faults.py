"""All faults and hints of one configs folder, gathered while it is read, so that people see them at once."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import NamedTuple

from streams.errors import Fault

SHOWN = 20
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

    found: dict[Fault, None] = field(default_factory=dict)
    noted: dict[Fault, None] = field(default_factory=dict)

    @property
    def items(self) -> list[Fault]:
        """The faults, in the order they were found."""
        return list(self.found)

    @property
    def hints(self) -> list[Fault]:
        """The hints."""
        return list(self.noted)

    def add(self, place: Place, what: str) -> None:
        """Note a fault; the same one is noted once."""
        self.found[Fault(*place, what)] = None

    def hint(self, place: Place, what: str) -> None:
        """Note a hint: nothing is wrong, but the author should know."""
        self.noted[Fault(*place, what)] = None

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
