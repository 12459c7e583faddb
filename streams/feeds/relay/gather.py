"""Columns of readings gathered into blocks, one open a partition: 4 096 readings, or all of 25 ms. Pure: time is an argument.

A block's dictionary of series is all that its partition was ever told of here, in the order of their first reading, as long as
that is not much more than the block needs: so a busy partition says the same dictionary again and again, and the judge knows it.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.reading import GUEST, Block
from streams.feeds.blocks import LIMIT
from streams.feeds.relay.columns import Columns
from streams.shards import partition

WAIT = 25_000
"""Half of what other feeds wait (µs): a message has waited in its own topic already."""
SPARE = 2
"""A dictionary may name so many series a reading."""


class Full(NamedTuple):
    """A block to be sent; `first` = number of the oldest answer that it holds readings of, `packs` = readings of each pack."""

    partition: int
    first: int
    block: Block
    packs: dict[str, int]


class _Open:
    """A block that is being filled: pieces of columns."""

    def __init__(self, opened: int, first: int) -> None:
        self.opened, self.first, self.size = opened, first, 0
        self.pieces: list[tuple[Any, ...]] = []


class Gather:
    """The open blocks of one source. `names` and `packs` are those of the reader that numbers the series."""

    def __init__(self, names: Sequence[str], packs: Sequence[str], partitions: int, source: str, wait: int = WAIT,
                 limit: int = LIMIT, guests: Mapping[str, frozenset[int]] | None = None) -> None:
        self.names, self.partitions, self.source, self.wait, self.limit = names, partitions, source, wait, limit
        self.home = np.array([partition(name.partition("@")[2], partitions) for name in names], np.int64)
        self.place = np.full((partitions if guests else 1, len(names)), -1, np.int32)      # in the dictionary of its partition
        self.guest = [np.array([p in (guests or {}).get(name, ()) for name in names], bool) & (self.home != p)
                      for p in range(partitions)] if guests else []
        self.packs = sorted(set(packs))
        self.pack = np.array([self.packs.index(pack) for pack in packs], np.int64)
        self.known: list[NDArray[np.int64]] = [np.zeros(0, np.int64) for _ in range(partitions)]
        self._said: list[tuple[str, ...]] = [() for _ in range(partitions)]
        self._open: dict[int, _Open] = {}
        self._full: list[Full] = []
        self._now = -(1 << 62)

    def add(self, columns: Columns, answer: int, now: int) -> None:
        """Readings of an answer (numbered upwards) that came at `now` (µs UTC), in order."""
        self._now = now = max(now, self._now)
        home = self.home[columns.series]
        if self.guest:
            self._with_guests(columns, home, answer, now)
            return
        for p in np.flatnonzero(np.bincount(home, minlength=self.partitions)).tolist() if len(home) else ():
            self._add(p, columns, np.flatnonzero(home == p), columns.flag, answer, now)

    def _with_guests(self, columns: Columns, home: NDArray[np.int64], answer: int, now: int) -> None:
        """Each also into the partitions whose sites feed on it, flagged GUEST there (design 9.10)."""
        for p in range(self.partitions):
            away = self.guest[p][columns.series]
            where = np.flatnonzero((home == p) | away)
            if len(where):
                self._add(p, columns, where, np.where(away, columns.flag | GUEST, columns.flag).astype(np.uint8), answer, now)

    def _add(self, p: int, columns: Columns, where: NDArray[np.int64], flag: NDArray[np.uint8], answer: int, now: int) -> None:
        series, place = columns.series[where], self.place[p if self.guest else 0]
        places = place[series]
        if places.min() < 0:
            self._learn(p, series, place)
            places = place[series]
        self._put(p, (places, columns.t[where], columns.x[where], flag[where]), answer, now)

    def _learn(self, p: int, series: NDArray[np.int64], place: NDArray[np.int32]) -> None:
        new = np.array(list(dict.fromkeys(series[place[series] < 0].tolist())), np.int64)
        place[new] = np.arange(len(self.known[p]), len(self.known[p]) + len(new))
        self.known[p] = np.concatenate([self.known[p], new])
        self._said[p] += tuple(self.names[k] for k in new.tolist())

    def _put(self, p: int, piece: tuple[Any, ...], answer: int, now: int) -> None:
        at, size = 0, len(piece[0])
        while at < size:
            block = self._open.get(p)
            if block is None:
                block = self._open[p] = _Open(now, answer)
            some = min(size - at, self.limit - block.size)
            block.pieces.append(tuple(column[at:at + some] for column in piece))
            block.size += some
            at += some
            if block.size == self.limit:
                self._close(p)

    def _close(self, p: int) -> None:
        block = self._open.pop(p)
        index, t, x, flag = (np.concatenate(parts) for parts in zip(*block.pieces, strict=True))
        own = index if not self.guest else index[(flag & GUEST) == 0]
        counts = np.bincount(self.pack[self.known[p][own]], minlength=len(self.packs)).tolist()
        series = self._said[p]
        if len(series) > SPARE * block.size:
            few, index = np.unique(index, return_inverse=True)
            series = tuple(series[i] for i in few.tolist())
        n = block.size
        self._full.append(Full(p, block.first, Block(
            series, index.astype(np.int32), t, x, flag, np.full(n, block.opened, np.int64), (self.source,),
            np.zeros(n, np.uint8)),
            {pack: count for pack, count in zip(self.packs, counts, strict=True) if count}))

    def close(self, now: int | None = None) -> list[Full]:
        """The blocks that are full, and those opened `wait` µs ago or earlier; with None every one."""
        for p in [p for p, b in self._open.items() if now is None or now - b.opened >= self.wait]:
            self._close(p)
        full, self._full = self._full, []
        return full

    def due(self) -> int | None:
        """When the oldest open block must be closed (µs UTC); None = nothing is open."""
        return min((b.opened + self.wait for b in self._open.values()), default=None)

    def oldest(self) -> int | None:
        """The oldest answer of which a reading is still here; None = none is."""
        return min((b.first for b in self._open.values()), default=None)
