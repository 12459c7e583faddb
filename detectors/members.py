"""What a detector said of a series, or a rule of a place, as a line over event time: the same in any order of arrival."""
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


class Standing(NamedTuple):
    """How a member stands: its level, since when (µs) it is at each level up to it, and whether a doubtful reading told that."""

    level: int = 0
    rises: tuple[int, ...] = (0, 0, 0, 0)
    doubts: tuple[bool, ...] = (False, False, False, False)

    @property
    def firm(self) -> int:
        """The highest level that no doubtful reading told."""
        return max((i + 1 for i in range(self.level) if not self.doubts[i]), default=0)


NORMAL = Standing()


class History:
    """The changes of one (detector, series), folded by id: the newest revision of each, withdrawals included."""

    __slots__ = ("_line", "base", "floor", "said")

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.base: list[tuple[int, int, bool]] = []     # (time, level, suspect): the rises to the level before `said`
        self.floor: int | None = None                   # event time before which nothing can be said any more
        self._line: list[tuple[int, Standing]] | None = None

    def add(self, change: Change) -> int:
        """Take a change in; the earliest event time it may have altered (µs)."""
        self._line = None
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

    def line(self) -> list[tuple[int, Standing]]:
        """When it came to stand how, in order."""
        if self._line is None:
            out: list[tuple[int, Standing]] = []
            last = NORMAL
            for time, level, suspect in self.base + [(s.time, s.to, s.suspect) for s in self.said if not s.withdrawn]:
                if level != last.level:
                    new = range(last.level, level)
                    last = Standing(level, tuple(time if i in new else last.rises[i] if i < level else 0 for i in range(4)),
                                    tuple(suspect if i in new else i < level and last.doubts[i] for i in range(4)))
                    out.append((time, last))
            self._line = out
        return self._line

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
