"""Readings gathered into blocks: one partition, 50 ms or 4 096 readings, whichever comes first. Pure: time is an argument."""
from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from detectors.reading import GUEST, Block
from streams.feeds.words import Reading
from streams.shards import partition

WAIT = 50_000
LIMIT = 4_096


class Closed(NamedTuple):
    """A block that is ready to be sent. `serial` is what `add` said when a reading went into it."""

    serial: int
    partition: int
    block: Block


class _Open:
    """A block that is being filled."""

    def __init__(self, serial: int, opened: int) -> None:
        self.serial, self.opened = serial, opened
        self.series: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.index: list[int] = []
        self.t: list[int] = []
        self.x: list[float] = []
        self.flag: list[int] = []
        self.arrived: list[int] = []
        self.source: list[int] = []

    def add(self, reading: Reading, flag: int, arrived: int, source: str) -> None:
        self.index.append(self.series.setdefault(reading.series, len(self.series)))
        self.t.append(reading.t)
        self.x.append(reading.x)
        self.flag.append(flag)
        self.arrived.append(arrived)
        self.source.append(self.sources.setdefault(source, len(self.sources)))

    def block(self) -> Block:
        return Block(tuple(self.series), np.array(self.index, np.int32), np.array(self.t, np.int64), np.array(self.x, np.float64),
                     np.array(self.flag, np.uint8), np.array(self.arrived, np.int64), tuple(self.sources),
                     np.array(self.source, np.uint8))


class Blocker:
    """The open blocks of one feed, one a partition.

    `guests` says which series other partitions feed on as well (design 9.10): series -> those partitions; such a
    reading is written there too, flagged GUEST. A live feed stamps all readings of a block with the moment it was
    opened, which never goes back; with `played` each keeps the time at which it says that it arrived (else its own t).
    """

    def __init__(self, partitions: int, played: bool = False, guests: Mapping[str, frozenset[int]] | None = None,
                 wait: int = WAIT, limit: int = LIMIT) -> None:
        self.partitions, self.played, self.wait, self.limit = partitions, played, wait, limit
        self.guests: Mapping[str, frozenset[int]] = guests or {}
        self._open: dict[int, _Open] = {}
        self._full: list[Closed] = []
        self._homes: dict[str, int] = {}
        self._serial = 0
        self._now = -(1 << 62)

    def add(self, reading: Reading, source: str, now: int) -> tuple[int, ...]:
        """Put a reading into the block of its partition (and of its guests); the serials of these blocks. `now` in µs UTC."""
        self._now = now = max(now, self._now)
        home = self._homes.get(reading.site)
        if home is None:
            home = self._homes[reading.site] = partition(reading.site, self.partitions)
        first = self._put(home, reading, reading.flag, source, now)
        guests = self.guests.get(reading.series)
        if not guests:
            return (first,)
        return (first, *(self._put(g, reading, reading.flag | GUEST, source, now) for g in sorted(guests) if g != home))

    def _put(self, place: int, reading: Reading, flag: int, source: str, now: int) -> int:
        block = self._open.get(place)
        if block is not None and len(block.sources) == 256 and source not in block.sources:
            self._close(place)
            block = None
        if block is None:
            self._serial += 1
            block = self._open[place] = _Open(self._serial, now)
        arrived = block.opened if not self.played else reading.t if reading.arrived is None else reading.arrived
        block.add(reading, flag, arrived, source)
        if len(block.t) >= self.limit:
            self._close(place)
        return block.serial

    def _close(self, place: int) -> None:
        block = self._open.pop(place)
        self._full.append(Closed(block.serial, place, block.block()))

    def spread(self, partitions: int, guests: Mapping[str, frozenset[int]] | None = None) -> None:
        """From now on over so many partitions. What is open must have been closed before."""
        self.partitions, self.guests = partitions, guests or {}
        self._homes.clear()

    def close(self, now: int | None = None) -> list[Closed]:
        """The blocks that are full, and those opened `wait` µs ago or earlier; with None every one."""
        for place in [p for p, b in self._open.items() if now is None or now - b.opened >= self.wait]:
            self._close(place)
        closed, self._full = self._full, []
        return closed

    def due(self) -> int | None:
        """When the oldest open block must be closed (µs UTC); None = nothing is open."""
        return min((b.opened + self.wait for b in self._open.values()), default=None)
