"""A long history judged by as many processes as there are processors, each with some of the sites: the same answer, sooner."""
from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from multiprocessing import RawArray, get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.judge import State
from detectors.pack import City
from detectors.plan import Plan
from streams.replay.judged import Judged
from streams.replay.refit import fitted

if TYPE_CHECKING:
    from streams.replay.history import History

LONG = 1_000_000
"""Readings from which it is worth a second process."""
BEAT = 0.2
"""Seconds between two looks at how far the processes are."""
_task: tuple[City, History, bool, Any] | None = None        # what the children inherit, nothing is copied; and how far each is


def judged(city: City, history: History, compiled: bool = True, progress: Callable[[int], None] | None = None) -> Judged:
    """The history judged. One process where it is short, or where a site needs others (pooled fits, guests, areas)."""
    global _task
    workers = min(os.cpu_count() or 1, 8)
    if len(history) < LONG or workers < 2 or fitted(city) or _tied(city):
        return Judged(city, history, compiled, progress)
    State(Plan(city), compiled=compiled)                # its loops are loaded once, before there are children
    done = RawArray("q", workers)
    _task = city, history, compiled, done
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("fork")) as pool:
            parts = [pool.submit(_part, number) for number in range(workers)]
            _watch(parts, done, progress)
            whole, *others = (part.result() for part in parts)
    finally:
        _task = None
    for other in others:
        whole.join(other)
    return whole


def _watch(parts: list[Future[Judged]], done: Any, progress: Callable[[int], None] | None) -> None:
    """Tell how many readings more were judged, until all are."""
    told, left = 0, set(parts)
    while left:
        _, left = wait(left, BEAT)
        now = sum(done)
        if progress is not None and now > told:
            progress(now - told)
        told = now


def _tied(city: City) -> bool:
    """Whether sites feed on others."""
    return any(i.derive is not None and (i.derive.guests or i.derive.tree) for pack in city.packs for i in pack.indicators)


def _part(number: int) -> Judged:
    """One worker's share: each series belongs to the worker of its site."""
    assert _task is not None
    city, history, compiled, done = _task
    sites = sorted({name.partition("@")[2] for name in history.series})
    mine = set(sites[number::len(done)])
    keep = np.array([name.partition("@")[2] in mine for name in history.series], bool)[history.index]

    def count(readings: int) -> None:
        done[number] += readings

    return Judged(city, history.pick(keep), compiled, count, whole=history)
