"""Derived series of several inputs: once per t, when all are in, or after `grace` if `coverage` is met; later inputs revise.

Such an operator is a pure function of its inputs at one t (aqi, expr), so a late input needs no rewind of it.
"""
from __future__ import annotations

from math import nan
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from detectors.pack import Indicator
from detectors.plan import MICRO
from detectors.reading import Floats, Rows
from detectors.registry import load
from detectors.state import State
from detectors.table import Table, Waiting

MOST_WAITING = 16       # times of one series whose inputs are kept


class Made(NamedTuple):
    """Readings of a derived series."""

    table: Table
    slot: Rows
    t: Floats
    x: Floats
    flag: Floats


def gather(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int) -> list[Made]:
    """Put inputs where they wait; what is complete is computed. An input that is no value (fail, missing) counts as in."""
    made = []
    for target in table.several:
        below = state.table_of[target.id]
        rows = state.across(table, below)
        found = []
        for i, row in enumerate(rows[slot].tolist()):
            if row >= 0:
                k = target.derive.inputs.index(table.group.indicator.id) if target.derive else 0
                ready = put(state, below, row, float(t[i]), (k, float(x[i]), float(flag[i])), arrived)
                if ready is not None:
                    found.append((row, float(t[i]), *ready))
        if found:
            made.append(together(below, found))
    return made


def expire(state: State) -> list[Made]:
    """What has waited for `grace` and is covered well enough."""
    made = []
    for table in state.tables:
        found = []
        for row, times in table.waiting.items():
            for t, w in times.items():
                if not w.told:
                    due = _due(table.group.indicator, t, w)
                    if due < state.now:
                        w.told = True
                        value = _compute(table, table.group.indicator, row, t, w)
                        if value == value:
                            found.append((row, t, value, _worst(w)))
                    elif due < state.due[0]:
                        state.due[0] = due
        if found:
            made.append(together(table, found))
    return made


def put(state: State, table: Table, row: int, t: float, came: tuple[int, float, float],
        arrived: int) -> tuple[float, float] | None:
    """Input k with its value and flag to the others of the same t; value and flag of the result, once there is one."""
    target, times = table.group.indicator, table.waiting.setdefault(row, {})
    assert target.derive is not None
    n = len(target.derive.guests[table.sites[row]] if target.derive.guests else target.derive.inputs)
    w = times.get(t)
    if w is None:
        if len(times) >= max(MOST_WAITING, table.group.ring):
            oldest = min(times)
            if t < oldest:
                return None
            del times[oldest]
        w = times[t] = Waiting([nan] * n, [0.0] * n, float(arrived), False, [False] * n)
    k, value, flag = came
    w.values[k], w.flags[k], w.known[k] = value if flag <= 3.0 else nan, flag, True
    table.dirty[row] = True
    if all(w.known) or w.told:
        w.told = True
        result = _compute(table, target, row, t, w)
        return None if result != result else (result, _worst(w))
    state.due[0] = min(state.due[0], _due(target, t, w))
    return None


def _due(target: Indicator, t: float, w: Waiting) -> float:
    assert target.derive is not None
    return max(t, w.first) + target.derive.grace * MICRO


def _worst(w: Waiting) -> float:
    """The worst flag of the inputs that have a value."""
    return max((f for f, v in zip(w.flags, w.values, strict=True) if v == v), default=1.0)


def _compute(table: Table, target: Indicator, row: int, t: float, w: Waiting) -> float:
    """The operator over the inputs of one t; NaN if too few are there."""
    derive = target.derive
    assert derive is not None
    if sum(v == v for v in w.values) < derive.coverage * len(w.values) - 1e-9:
        return nan
    p, algorithm = table.told_several(row), load("derive")[derive.use.kind]
    s = SimpleNamespace(**{n: 0.0 if size == 1 else [0.0] * size
                           for n, size in (getattr(algorithm, "slots", None) or {}).items()})
    for piece in table.group.made:
        fitted = table.live.part[row, table.group.at[piece.name]].view(piece.dtype)[0]
        vars(s).update((name, fitted[name].tolist()) for name in algorithm.slots)
    step, result = algorithm.step, nan
    for k, value in enumerate(w.values):
        result = step(p, s, t / MICRO, float(k), value)
    return float(result) if abs(result) < np.inf else nan


def together(table: Table, found: list[tuple[int, float, float, float]], sort: bool = True) -> Made:
    """Rows of (row, t, x, flag) as columns, in order of time or as they came."""
    columns: list[Any] = list(zip(*(sorted(found, key=itemgetter(1)) if sort else found), strict=True))
    return Made(table, np.array(columns[0], np.int64), *(np.array(c, float) for c in columns[1:]))
