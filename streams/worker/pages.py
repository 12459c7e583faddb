"""Which rows of a judge's state a snapshot writes: what changed since the last one, and now and then a shard as a whole.

A page holds every row of a shard that was ever heard of. Between two of them only the rows that changed are written, beside it;
once these weigh about as much as the page (another share in each shard, so that they do not all come due together), or are many,
the page is written anew. So a snapshot costs what was read, not what there is, and a start reads at most about twice the rows.

The rows are copied between two records, in one piece of memory a table; they become bytes later, in the thread that writes them.
"""
from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.state import State
from detectors.store import LAYOUT, Cut, cut
from streams.shards import SHARDS, shard
from streams.worker.snapshots import Page

_pack = msgspec.msgpack.Encoder().encode
MOST = 64
"""Parts beside a page, at most."""


def share(number: int) -> float:
    """The weight of what lies beside a page, of the page's own, at which it is written anew."""
    return 0.5 + number * 37 % SHARDS / (2 * SHARDS)


_SHARE = np.array([share(number) for number in range(SHARDS)])


class Held(Page):
    """A snapshot that is not yet bytes: copies of rows, by shard. Asking for `pages` or `added` makes them bytes."""

    def __init__(self, cuts: list[tuple[Cut, NDArray[np.int64]]], whole: NDArray[np.bool_], shards: NDArray[np.int64], plan: str,
                 now: int) -> None:
        for name, value in (("cuts", cuts), ("whole", whole), ("shards", shards), ("plan", plan), ("now", now)):
            object.__setattr__(self, name, value)

    cuts: list[tuple[Cut, NDArray[np.int64]]]       # with the place at which the rows of each shard begin
    whole: NDArray[np.bool_]
    shards: NDArray[np.int64]

    @cached_property
    def pages(self) -> dict[int, bytes]:
        """Whole shards."""
        return {n: self._bytes(n) for n in self.shards.tolist() if self.whole[n]}

    @cached_property
    def added(self) -> dict[int, bytes]:
        """Rows beside what is there."""
        return {n: self._bytes(n) for n in self.shards.tolist() if not self.whole[n]}

    def _bytes(self, number: int) -> bytes:
        rows: list[Any] = []
        for one, begins in self.cuts:
            rows += one.written(int(begins[number]), int(begins[number + 1]))
        return _pack(rows)


class Shelf:
    """What the pages of one partition weigh in SQL, and so what is to be written next."""

    def __init__(self, state: State, shards: dict[int, list[str]]) -> None:
        self.more = np.zeros(SHARDS)                # floats written beside each page
        self.parts = np.zeros(SHARDS, np.int64)
        self.due = np.zeros(SHARDS, bool)           # to be written as a whole, whatever it weighs
        self.loaded: set[int] = set()               # the first that comes of a shard is its page
        self.hold(state, shards)

    def hold(self, state: State, shards: dict[int, list[str]]) -> None:
        """These shards, in this state."""
        self.state = state
        self.mine = np.zeros(SHARDS, bool)
        self.mine[list(shards)] = True
        of = {site: number for number, sites in shards.items() for site in sites}
        self.codes = [np.fromiter(map(of.__getitem__, t.sites), np.uint8, len(t.sites)) for t in state.tables]

    def moved(self, state: State, shards: dict[int, list[str]]) -> None:
        """Another plan: every page is written anew, also one that has lost all its rows."""
        self.due |= self.mine
        self.hold(state, shards)
        self.due |= self.mine

    def load(self, page: bytes) -> None:
        """A page, or rows beside one, from the last snapshot."""
        rows = msgspec.msgpack.decode(page)
        self.state.load(rows)
        first = next((row for row in rows if row[0] != LAYOUT), None)
        if first is None:
            return
        number = shard(first[0].partition("@")[2])
        if number in self.loaded:
            self.parts[number] += 1
            self.more[number] += sum(len(row[2]) for row in rows) / 8
        self.loaded.add(number)

    def take(self, plan: str) -> Held:
        """A copy of what must be written; it counts as written from here on."""
        changed, known = np.zeros(SHARDS), np.zeros(SHARDS)
        for table, codes in zip(self.state.tables, self.codes, strict=True):
            width = table.matrix.shape[1]
            changed += width * np.bincount(codes[table.dirty], minlength=SHARDS)
            known += width * np.bincount(codes[table.dirty | table.known], minlength=SHARDS)
        touched = (changed > 0) | self.due
        whole = touched & (self.due | (self.more + changed >= _SHARE * known) | (self.parts >= MOST))
        cuts = [self._cut(n, whole) for n in range(len(self.codes))]
        self.more = np.where(whole, 0.0, self.more + changed)
        self.parts = np.where(whole, 0, self.parts + touched)
        self.due &= ~whole
        return Held(cuts, whole, np.flatnonzero(touched), plan, self.state.now)

    def _cut(self, number: int, whole: NDArray[np.bool_]) -> tuple[Cut, NDArray[np.int64]]:
        table, codes = self.state.tables[number], self.codes[number]
        rows = np.flatnonzero(table.dirty | (table.known & whole[codes]))
        rows = rows[np.argsort(codes[rows], kind="stable")]
        return cut(table, rows, self.state.sources), np.searchsorted(codes[rows], np.arange(SHARDS + 1))

    def give_back(self, page: Held) -> None:
        """It could not be written: those shards must be written as a whole another time."""
        self.due[page.shards] = True
