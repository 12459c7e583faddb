"""The chain judge → combine without a broker: the same `judge`, the same `Board`, the same ids.

The clock is the data's own: due moments fire at each new `arrived` and once at the end (design 9.1).
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City
from detectors.plan import Plan
from detectors.reading import Block, Fit, Part

SIZE = 4096
"""Readings judged at once; the results do not depend on it."""


class Offline:
    """One city judged in this process, block by block. `sites` (None = all) limits the rows that are held."""

    def __init__(self, city: City, plan_hash: str = "", *, sites: Iterable[str] | None = None, compiled: bool = True,
                 trace: bool = False) -> None:
        self.plan = Plan(city, plan_hash)
        self.state = State(self.plan, sites=sites, compiled=compiled, trace=trace)
        self.board = Board(self.plan)
        self.now: int | None = None

    def feed(self, block: Block) -> list[Change]:
        """Judge one block (its `arrived` never falls) and return the events in the order of the log."""
        if not len(block):
            return []
        made: list[tuple[int, Change | Part]] = [(change.arrived, change) for change in judge(self.plan, self.state, block)]
        made = sorted([*made, *self.state.told_parts()], key=lambda one: one[0])
        events: list[Change] = []
        following = 0
        for moment in np.unique(block.arrived).tolist():
            while following < len(made) and made[following][0] < moment:
                events += self._say(*made[following])
                following += 1
            events += self._tick(moment)
        for came, one in made[following:]:
            events += self._say(came, one)
        return events

    def finish(self, until: int | None = None) -> list[Change]:
        """The last tick: at `until` (µs UTC) if that is later than the newest `arrived`, else there."""
        ends = [moment for moment in (self.now, until) if moment is not None]
        if not ends:
            return []
        events = [event for change in tick(self.plan, self.state, max(ends)) for event in self._say(change.arrived, change)]
        events += [event for came, part in self.state.told_parts() for event in self._say(came, part)]
        return events + self._tick(max(ends))

    def _say(self, came: int, one: Change | Part) -> list[Change]:
        return self._tick(came) + (self.board.summed(one) if isinstance(one, Part) else self.board.change(one))

    def _tick(self, moment: int) -> list[Change]:
        if self.now is not None and moment <= self.now:
            return []
        self.now = moment
        return self.board.tick(0, moment)


NOT_JUDGED = ("late", "duplicate", "future", "old", "unknown", "guest")
"""What `state.named` calls readings that no detector has seen."""


def run(city: City, blocks: Iterable[Block | Fit], plan_hash: str = "", compiled: bool = True, until: int | None = None,
        unjudged: Counter[str] | None = None) -> Iterator[Change]:
    """All events of a history, in the order in which they would have been said.

    Readings that were not judged (late, duplicate, future, old) are counted by their word in `unjudged`.
    """
    offline = Offline(city, plan_hash, compiled=compiled)
    for block in blocks:
        if isinstance(block, Fit):
            offline.state.control(block)
            continue
        yield from offline.feed(block)
        if unjudged is not None:
            unjudged.update(word for word in offline.state.named if word in NOT_JUDGED)
    yield from offline.finish(until)


def final(changes: Iterable[Change]) -> list[Change]:
    """The last word on each event: revisions folded, withdrawn ones left out, in the order of their event time."""
    last: dict[tuple[str, int], Change] = {}
    others: list[Change] = []
    for change in changes:
        if change.kind != "level":
            others.append(change)
            continue
        key = (change.alert, change.seq)
        last.pop(key, None)
        if not change.withdrawn:
            last[key] = change
    return sorted([*last.values(), *others], key=lambda change: change.time)
