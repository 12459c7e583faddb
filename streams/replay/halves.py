"""A long history judged by as many processes as there are processors, each with some of the sites: the same answer, sooner."""
from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from detectors.pack import City
from streams.replay.judged import Judged
from streams.replay.refit import fitted

if TYPE_CHECKING:
    from streams.replay.history import History

LONG = 1_000_000
"""Readings from which it is worth a second process."""
_task: tuple[City, History, bool, int] | None = None      # what the children inherit; nothing is copied to them


def judged(city: City, history: History, compiled: bool = True, progress: Callable[[int], None] | None = None) -> Judged:
    """The history judged. One process where it is short, or where a site needs others (pooled fits, guests, areas)."""
    global _task
    workers = min(os.cpu_count() or 1, 8)
    if len(history) < LONG or workers < 2 or fitted(city) or _tied(city):
        return Judged(city, history, compiled, progress)
    _task = city, history, compiled, workers
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            whole: Judged | None = None
            for part, readings in pool.map(_part, range(workers)):
                whole = part if whole is None else whole.join(part)
                if progress is not None:
                    progress(readings)
    finally:
        _task = None
    assert whole is not None
    return whole


def _tied(city: City) -> bool:
    """Whether sites feed on others."""
    return any(i.derive is not None and (i.derive.guests or i.derive.tree) for pack in city.packs for i in pack.indicators)


def _part(number: int) -> tuple[Judged, int]:
    """One worker's share: each series belongs to the worker of its site."""
    assert _task is not None
    city, history, compiled, workers = _task
    sites = sorted({name.partition("@")[2] for name in history.series})
    mine = set(sites[number::workers])
    keep = np.array([name.partition("@")[2] in mine for name in history.series], bool)[history.index]
    picked = history.pick(keep)
    made = Judged(city, picked, compiled, whole=history)
    return made, len(picked)
