"""What the stages produce, as records for their topics."""
from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detectors.event import Change
from detectors.plan import Plan
from detectors.reading import GUEST, Block, Flag
from streams import clock, rejects
from streams.codec import Changes, encode
from streams.worker.ledger import Out, Place

MOST = 400
"""Changes in one record: about 150 kB, far below the megabyte that Kafka takes."""
Derived = tuple[str, int, float, int, str, int]
"""series, t, x, flag, check, arrived."""


def changed(topic: str, changes: Sequence[Change], partition: int = -1, offset: int = -1, sent: int = 0) -> Iterator[Out]:
    """Changes as few records; `sent` is the wall clock of the readings that brought them."""
    for first in range(0, len(changes), MOST):
        yield Out(topic, encode(Changes(tuple(changes[first:first + MOST]), partition, offset, sent)))


def judged(plan: Plan, block: Block, flags: NDArray[np.uint8], named: Sequence[str], derived: Sequence[Derived]) -> Block | None:
    """What `judged` says of a block: readings whose flag is not good, and derived ones that their pack keeps; None if none.

    `sources` and `source` hold the names of the checks that decided ("" = none).
    """
    doubtful = np.flatnonzero(((flags != Flag.GOOD) | _any_name(named)) & ((block.flag & GUEST) == 0))
    rows: list[Derived] = [(block.series[block.index[i]], int(block.t[i]), float(block.x[i]), int(flags[i]), named[i],
                            int(block.arrived[i])) for i in doubtful.tolist()]
    rows += [row for row in derived if plan.indicators[row[0].partition("@")[0]].keep]
    if not rows:
        return None
    series, checks = (tuple(dict.fromkeys(row[k] for row in rows)) for k in (0, 4))
    return Block(tuple(map(str, series)), np.array([series.index(row[0]) for row in rows], np.int32),
                 np.array([row[1] for row in rows], np.int64), np.array([row[2] for row in rows]),
                 np.array([row[3] for row in rows], np.uint8), np.array([row[5] for row in rows], np.int64),
                 tuple(map(str, checks)), np.array([checks.index(row[4]) for row in rows], np.uint8), block.sent)


def _any_name(named: Sequence[str]) -> NDArray[np.bool_] | bool:
    """Where there is a name; most blocks have none."""
    return False if named.count("") == len(named) else np.array([bool(n) for n in named], bool)


def rejected(topic: str, stage: str, place: Place, offset: int, value: bytes, why: str) -> Out:
    """A record that could not be read, for people: where it lies, what is wrong with it, its first bytes."""
    source, at = f"{place.topic}/{place.partition}", f"offset {offset}"
    row = rejects.reject(clock.now(), stage, source, "codec", "undecodable", at, why, value)
    return Out(topic, rejects.encode(row))
