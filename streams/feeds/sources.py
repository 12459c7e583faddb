"""What a feed says of its sources: up or not, and when each was last heard. Pure: time is an argument."""
from __future__ import annotations

from collections.abc import Iterable

from detectors.pack import FeedSource
from detectors.reading import Source

EVERY = 30_000_000
"""µs between two words about a source that has not changed (older than 90 s by ticks = the feed itself is down)."""

NEVER = 1e11
"""Seconds that stand for `silent: never`: three thousand years."""


class Sources:
    """The sources of one feed. One that was never heard counts from when the feed first knew it: it gets its `silent` time."""

    def __init__(self) -> None:
        self._silent: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._said: dict[str, tuple[bool, int]] = {}

    def know(self, sources: Iterable[FeedSource], now: int) -> None:
        """The sources of the plan; those that left it are forgotten."""
        self._silent = {s.id: int(min(s.silent, NEVER) * 1e6) for s in sources}
        for name in self._silent:
            self._seen.setdefault(name, now)
        for name in set(self._seen) - set(self._silent):
            del self._seen[name]
            self._said.pop(name, None)

    def heard(self, name: str, now: int) -> None:
        """Anything came from it, good or bad: it lives."""
        self._silent.setdefault(name, 90_000_000)
        self._seen[name] = max(now, self._seen.get(name, now))

    def knows(self, name: str) -> bool:
        """Whether it was heard, or is of the plan."""
        return name in self._seen

    def due(self, now: int) -> list[Source]:
        """What is to be written now: every change, and every source not spoken of for 30 s."""
        found = []
        for name, up, seen in self.state(now):
            was_up, said = self._said.get(name, (not up, 0))
            if up != was_up or now - said >= EVERY:
                self._said[name] = (up, now)
                found.append(Source(name, up, seen, now))
        return found

    def state(self, now: int) -> list[tuple[str, bool, int]]:
        """(name, up, last heard in µs UTC) of each."""
        return [(name, now - seen <= self._silent[name], seen) for name, seen in sorted(self._seen.items())]
