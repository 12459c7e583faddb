"""What one detector has said of one series, as a line over event time: the same whatever order it arrived in."""
from __future__ import annotations

from typing import Any, NamedTuple

from detectors.event import Change

KEPT = 32
"""Changes kept of a member. Judge revises its last 8 (design 9.15); what is older becomes the base."""


class Said(NamedTuple):
    """One change: when (µs, event time), of which alert and sequence, to which level, and whether still said."""

    time: int
    onset: int
    seq: int
    id: str
    to: int
    revision: int
    withdrawn: bool
    suspect: bool


class Crossing(NamedTuple):
    """At `time` the member came to be at the level (`up`) or fell below it."""

    time: int
    up: bool
    suspect: bool


class History:
    """The changes of one (detector, series), folded by id: the newest revision of each, withdrawals included."""

    __slots__ = ("_lines", "base", "floor", "said")

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.base: list[tuple[int, int, bool]] = []     # (time, level, suspect): the rises to the level before `said`
        self.floor: int | None = None                   # event time before which nothing can be said any more
        self._lines: dict[int, list[Crossing]] = {}

    def add(self, change: Change) -> int:
        """Take a change in; the earliest event time it may have altered (µs)."""
        self._lines = {}
        new = Said(change.time, change.onset or 0, change.seq, change.id, change.to, change.revision, change.withdrawn,
                   change.confidence == "suspect")
        old = next((s for s in self.said if s.id == new.id), None)
        if old is not None:
            if (new.revision, new.withdrawn) <= (old.revision, old.withdrawn):
                return new.time
            self.said.remove(old)
        self.said.append(new)
        self.said.sort()
        if len(self.said) > KEPT:
            self._fold(self.said.pop(0))
        return min(new.time, old.time) if old else new.time

    def _fold(self, old: Said) -> None:
        """Into the base: the rises that lead to the level held now are all that is needed of the past."""
        if old.withdrawn:
            return
        self.floor = old.time
        self.base = [b for b in self.base if b[1] <= old.to]
        if old.to and (not self.base or self.base[-1][1] < old.to):
            self.base.append((old.time, old.to, old.suspect))

    @property
    def level(self) -> int:
        """The level held after all that was said."""
        held = [s.to for s in self.said if not s.withdrawn]
        return held[-1] if held else self.base[-1][1] if self.base else 0

    def crossings(self, at: int) -> list[Crossing]:
        """When it came to be at level `at` or above, and when it fell below, in order."""
        if at in self._lines:
            return self._lines[at]
        line = self.base + [(s.time, s.to, s.suspect) for s in self.said if not s.withdrawn]
        out: list[Crossing] = []
        for time, level, suspect in line:
            if (level >= at) != bool(out and out[-1].up):
                out.append(Crossing(time, level >= at, suspect))
        self._lines[at] = out
        return out

    def dump(self) -> list[Any]:
        """Plain lists."""
        return [list(self.said), list(self.base), self.floor]

    @classmethod
    def of(cls, body: list[Any]) -> History:
        """The way back."""
        history = cls()
        history.said = [Said(*s) for s in body[0]]
        history.base = [(b[0], b[1], b[2]) for b in body[1]]
        history.floor = body[2]
        return history
