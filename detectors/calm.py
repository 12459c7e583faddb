"""Readings that each arrive at their own time and in order: many moments are judged in one go, with the same changes.

So it is with histories that do not say when a reading arrived (replay, backtest). Nothing may depend on the clock between two of
the moments: a stretch ends where a hold, a keep or a silence could run out.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from detectors.reading import Block

if TYPE_CHECKING:
    from detectors.state import State


def calm(state: State, block: Block, table_of: Any, row_of: Any) -> bool:
    """Whether the block may be judged so: no reading late, repeated, a guest or of several inputs, none traced."""
    if state.trace is not None or len(block) < 2 or not np.array_equal(block.arrived, block.t):
        return False
    if not state.guests.keys().isdisjoint(block.series):
        return False
    if any(number >= 0 and restless(state, number) for number in np.unique(table_of).tolist()):
        return False
    order = np.argsort(block.index, kind="stable")
    same = np.diff(block.index[order]) == 0
    if not (np.diff(block.t[order])[same] > 0).all():
        return False
    first = order[np.concatenate([[True], ~same])]
    for number in np.unique(table_of[first]).tolist():
        if number >= 0:
            mine = first[table_of[first] == number]
            if (state.tables[number].live.series["seen"][row_of[mine]] >= block.t[mine]).any():
                return False
    return True


def restless(state: State, number: int) -> bool:
    """Whether readings of a table, or what is derived of them, wait for others, tell others, or hang on a calendar."""
    table = state.tables[number]
    own = table.several or table.askers or table.sums or table.group.indicator.complete or table.group.published is not None
    return bool(own) or any(restless(state, state.number[i.id]) for i in table.group.feeds)


def stretch(state: State, arrived: Any, first: int) -> int:
    """Where the stretch that begins at `first` ends, whose tick has been: no due moment lies before its last reading."""
    silent = min(table.silent for table in state.tables)
    return int(np.searchsorted(arrived, min(float(state.due[0]), float(arrived[first]) + silent), "right"))
