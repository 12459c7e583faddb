"""The moments at which members of one rule moved, kept so that a late one is put in its place and the rest is run again."""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from detectors.holding import Held
from detectors.tree import Key, State, Tree

KEPT = 256
"""Moments kept; what comes later than that runs all again from what is kept of the members."""

Move = tuple[int, Any]
"""At a time (µs) a member came to stand so."""


@dataclass(slots=True)
class Moment:
    """All that moves at one moment moves together."""

    time: int
    moves: dict[Key, Any] = field(default_factory=dict)
    before: dict[Key, Any] = field(default_factory=dict)
    after: State | None = None


class Timeline:
    """`lines` says of a member all moves that are known, in order."""

    def __init__(self, tree: Tree, lines: Callable[[Key], Iterable[Move]]) -> None:
        self.tree, self.lines = tree, lines
        self.moments: list[Moment] = []
        self.base: State = tree.root.start
        self.base_time: int | None = None       # nothing at or before it is kept
        self.stale = True                       # nothing was run yet

    @property
    def state(self) -> State:
        """How the condition stands after all that is known."""
        return self._after(len(self.moments) - 1)

    def _after(self, place: int) -> State:
        after = self.moments[place].after if place >= 0 else self.base
        assert after is not None
        return after

    def walk(self, keys: Iterable[Key], since: int, floor: int | None,
             settled: Callable[[Held], Held]) -> Iterator[tuple[int, State]]:
        """Put in what these members now say from `since` on; every moment from there, the tree standing as it was then.

        What is at or before `floor` is settled: after it the condition goes on from what was announced.
        """
        if self.stale or (self.base_time is not None and since <= self.base_time):
            yield from self._anew(floor, settled)
            return
        first = bisect_left(self.moments, since, key=lambda m: m.time)
        exact = first < len(self.moments) and self.moments[first].time == since
        later = self.moments[first + exact:]
        for moment in reversed(later):
            self._undo(moment)
        del self.moments[first + exact:]
        added: dict[int, Moment] = {moment.time: moment for moment in later}
        if exact:
            added[since] = self.moments[first]
        for key in keys:
            for moment in added.values():
                if moment.moves.pop(key, None) is not None and moment.time == since and exact:
                    self.tree.put(key, moment.before.pop(key))
            for time, to in self.lines(key):
                if time < since:
                    continue
                moment = added.setdefault(time, Moment(time))
                if time == since and exact:
                    moment.before.setdefault(key, self.tree.get(key))
                    self.tree.put(key, to)
                moment.moves[key] = to
        if exact:
            moment = self.moments.pop()
            if moment.moves:
                self.moments.append(moment)
                yield self._ran(moment, floor, settled)
            del added[since]
        yield from self._run((added[time] for time in sorted(added)), floor, settled)

    def _anew(self, floor: int | None, settled: Callable[[Held], Held]) -> Iterator[tuple[int, State]]:
        """From all that is kept of the members."""
        self.tree.clear()
        self.moments, self.base, self.base_time, self.stale = [], self.tree.root.start, None, False
        found: dict[int, Moment] = {}
        for key in [*self.tree.leaves_of, *(("", name) for name in sorted(self.tree.heard))]:
            for time, to in self.lines(key):
                found.setdefault(time, Moment(time)).moves[key] = to
        yield from self._run((found[time] for time in sorted(found)), floor, settled)

    def _run(self, moments: Iterable[Moment], floor: int | None, settled: Callable[[Held], Held]) -> Iterator[tuple[int, State]]:
        for moment in moments:
            if not moment.moves:
                continue
            moment.before = {key: self.tree.get(key) for key in moment.moves}
            for key, to in moment.moves.items():
                self.tree.put(key, to)
            self.moments.append(moment)
            yield self._ran(moment, floor, settled)
            if len(self.moments) > 2 * KEPT:
                self.base, self.base_time = self._after(KEPT - 1), self.moments[KEPT - 1].time
                del self.moments[:KEPT]

    def _ran(self, moment: Moment, floor: int | None, settled: Callable[[Held], Held]) -> tuple[int, State]:
        """The newest moment, worked out."""
        was = self._after(len(self.moments) - 2)
        before = self.moments[-2].time if len(self.moments) > 1 else self.base_time
        if floor is not None and moment.time > floor and (before is None or before <= floor):
            was = settled(was[0]), was[1]
        moment.after = self.tree.root.step(was, moment.time)
        return moment.time, moment.after

    def _undo(self, moment: Moment) -> None:
        for key, to in moment.before.items():
            self.tree.put(key, to)
