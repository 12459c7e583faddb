"""Readings, as columns; and the records of control that stand beside them in the log."""
from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

GUEST = 0x80
"""Bit of the flag column: a reading of another site that this partition only feeds on (design 9.10)."""


class Flag(IntEnum):
    """QARTOD (IOOS, manual for real-time QC): how far a reading may be trusted; the worst wins."""

    NONE, GOOD, UNKNOWN, SUSPECT, FAIL, MISSING = 0, 1, 2, 3, 4, 9


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Readings of one partition, in the order of their arrival.

    `series` is the dictionary (`indicator@site`), `index` points into it. `t` and `arrived` are int64
    microseconds UTC, `x` is in the indicator's own unit (NaN = missing), `flag` is a `Flag` that the source
    itself gave (0 = none) plus `GUEST`, `source` points into `sources`. `sent` is the wall clock of the
    feed, for latency only: judge never reads it.
    """

    series: tuple[str, ...]
    index: NDArray[np.int32]
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    flag: NDArray[np.uint8]
    arrived: NDArray[np.int64]
    sources: tuple[str, ...] = ("",)
    source: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    sent: int = 0

    def __len__(self) -> int:
        return len(self.t)

    @classmethod
    def of(cls, rows: list[tuple[str, int, float]], arrived: int | list[int] | None = None,
           source: str = "", sent: int = 0) -> Block:
        """From `(series, t, x)` rows; `arrived` defaults to each reading's own t.

        >>> len(Block.of([("river_level@lanxi", 0, 26.5), ("river_level@lanxi", 300_000_000, 26.6)]))
        2
        """
        names = tuple(dict.fromkeys(name for name, _, _ in rows))
        place = {name: i for i, name in enumerate(names)}
        t = np.array([t for _, t, _ in rows], np.int64)
        came = t if arrived is None else np.broadcast_to(np.array(arrived, np.int64), t.shape)
        return cls(names, np.array([place[name] for name, _, _ in rows], np.int32), t,
                   np.array([x for _, _, x in rows], np.float64), np.zeros(len(rows), np.uint8),
                   np.ascontiguousarray(came), (source,), np.zeros(len(rows), np.uint8), sent)


@dataclass(frozen=True, slots=True)
class Tick:
    """The clock, in the log: `now` (µs UTC) as the owner of `partition` saw it."""

    now: int
    partition: int = -1


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """From here on the partition is judged by the plan with this hash (bytes in SQL)."""

    hash: str


@dataclass(frozen=True, slots=True)
class Source:
    """What a feed says of a source it owns: `up` or not, `seen` = its last contact (µs UTC), `now` = when it said so."""

    name: str
    up: bool
    seen: int
    now: int


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted or warmed state row of one series × detector, from history (design 9.9)."""

    series: str
    detector: str
    row: tuple[float, ...]
    origin: str
    hash: str


@dataclass(frozen=True, slots=True)
class Part:
    """The part of one partition of an area's sum at one time (merged in combine), and the offset that brought it.

    `sum` is what the operator makes of the values as whole numbers (sums.py); `count` of `of` sites have one.
    """

    partition: int
    series: str
    t: int
    sum: float
    count: int
    of: int
    offset: int = -1


@dataclass(frozen=True, slots=True)
class Fence:
    """Nothing follows in this partition: the log goes on in another topic (design 9.11).

    `topic` is the end of its name, `2` for `readings.2`: a fence must be shorter than every other record (`streams.worker.grow`).
    """

    topic: str
