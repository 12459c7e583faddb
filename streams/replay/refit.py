"""A history with the fits that would have been made on the way: each as of its date, from what had arrived by then."""
from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from detectors.pack import City
from detectors.reading import Block, Fit
from detectors.registry import load
from streams.clock import MICRO

if TYPE_CHECKING:
    from streams.replay.history import History

EVERY = 28 * 86_400 * MICRO
"""Between two fits of a played history, µs; in service they are made each night."""


def records(city: City, history: History, every: int = EVERY) -> Iterator[Block | Fit]:
    """The blocks of a history; where detectors of the city are fitted, the rows of each date stand between them."""
    if not len(history) or not fitted(city):
        yield from history.blocks()
        return
    from streams.fit import fit_rows, frame_of

    frame = frame_of(history)
    start, last = int(history.arrived[0]), int(history.arrived[-1])
    for moment in range(start, last + 1, every):
        if moment > start:
            yield from fit_rows(city, frame, moment)
        part = (history.arrived >= moment) & (history.arrived < moment + every)
        if part.any():
            yield from history.pick(np.asarray(part, bool)).blocks()


def fitted(city: City) -> bool:
    """Whether a detector or an operator of the city is fitted."""
    of = any(d.fit is not None for pack in city.packs for d in pack.detectors)
    return of or any(i.derive is not None and getattr(load("derive")[i.derive.use.kind], "fitted", "")
                     for pack in city.packs for i in pack.indicators)
