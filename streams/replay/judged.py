"""A history judged by `judge` itself: when each detector was known to be at which level, at each site."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City
from detectors.plan import Plan
from detectors.reading import Block, Fit, Flag
from streams.clock import MICRO
from streams.replay.offline import NOT_JUDGED
from streams.replay.refit import records

if TYPE_CHECKING:
    from streams.replay.history import History

DAY = 86_400 * MICRO
_NAMED = {"": 0} | dict.fromkeys(NOT_JUDGED, 2)       # 1: by a check


class Span(NamedTuple):
    """From `start` to `end`, µs UTC; an alarm that still lasts ends with the history."""

    start: int
    end: int


class Judged:
    """A history judged: the level of each detector and site as it was known, and how many readings were judged.

    `whole`: the history of which this one is the part of some sites (halves.py); its span counts.
    """

    def __init__(self, city: City, history: History, compiled: bool = True,
                 progress: Callable[[int], None] | None = None, whole: History | None = None) -> None:
        self.scored: Counter[str] = Counter()
        self.steps: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._last: dict[tuple[str, str], tuple[int, int]] = {}
        self._said: dict[tuple[str, str], dict[tuple[int, int], int]] = {}
        self.doubts: dict[str, NDArray[np.int64]] = {}     # series -> arrivals (µs UTC) of what a check doubted or failed
        self.derived: dict[str, list[tuple[int, float, int]]] = {}     # series -> (t, value, flag) as it was made
        plan = Plan(city)
        state = State(plan, compiled=compiled)
        state.kept = {d.indicator for d in plan.detectors.values()}
        for block in records(city, history):
            if isinstance(block, Fit):
                state.control(block)
                continue
            self._take(judge(plan, state, block))
            self._count(state, block)
            if progress is not None:
                progress(len(block))
        span = whole or history
        self.first, self.last = (int(span.t.min()), int(span.arrived.max())) if len(span) else (0, 0)
        self._take(tick(plan, state, self.last))
        self.days = (max(self.last, int(span.t.max())) - self.first) / DAY if len(span) else 0.0

    def join(self, other: Judged) -> Judged:
        """With what other sites of the same history gave."""
        self.scored.update(other.scored)
        self.steps.update(other.steps)
        self.derived.update(other.derived)
        self.doubts.update(other.doubts)
        return self

    def _take(self, changes: Iterable[Change]) -> None:
        for change in sorted((c for c in changes if c.kind == "level"), key=lambda c: c.arrived):
            key = (change.detector, change.site)
            said = self._said.setdefault(key, {})
            place = (change.onset or change.time, change.seq)
            if change.withdrawn:
                said.pop(place, None)
                self._last[key] = max(said, default=(0, 0))
            else:
                said[place] = change.to
                self._last[key] = max(self._last.get(key, place), place)
            self.steps.setdefault(key, []).append((change.arrived, said.get(self._last[key], 0)))

    def _count(self, state: State, block: Block) -> None:
        flags = np.asarray(state.flags)
        named = np.fromiter(map(_NAMED.get, state.named, repeat(1)), np.uint8, len(flags))
        self._doubt(block, np.flatnonzero((named == 1) & (flags >= Flag.SUSPECT) & (flags < Flag.MISSING)))
        good = (named < 2) & (flags < Flag.FAIL)
        for series, count in zip(block.series, np.bincount(block.index[good], minlength=len(block.series)).tolist(), strict=True):
            self.scored[series.partition("@")[0]] += count
        for series, t, x, read, *_ in state.derived:
            self.derived.setdefault(series, []).append((t, x, read))
            self.scored[series.partition("@")[0]] += read < Flag.FAIL

    def _doubt(self, block: Block, rows: NDArray[np.int64]) -> None:
        if not len(rows):
            return
        order = rows[np.argsort(block.index[rows], kind="stable")]
        numbers, first = np.unique(block.index[order], return_index=True)
        for number, part in zip(numbers.tolist(), np.split(block.arrived[order], first[1:]), strict=True):
            name = block.series[number]
            self.doubts[name] = np.concatenate([self.doubts[name], part]) if name in self.doubts else part

    def doubted(self, series: str) -> list[Span]:
        """Each reading that a check doubted or failed, as a moment."""
        return [Span(moment, moment) for moment in self.doubts[series].tolist()] if series in self.doubts else []

    def alarms(self, path: str, site: str, level: int) -> list[Span]:
        """When the detector was known to be at the level or above at the site."""
        spans: list[Span] = []
        began: int | None = None
        for moment, now in self.steps.get((path, site), []):
            if now >= level and began is None:
                began = moment
            elif now < level and began is not None:
                spans.append(Span(began, moment))
                began = None
        return spans if began is None else [*spans, Span(began, max(self.last, began))]
