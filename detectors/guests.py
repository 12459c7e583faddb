"""Readings of other sites that a site feeds on: upstream gauges, neighbours, the nearest rain (design 9.10).

A reading of a foreign series becomes a reading of the derived series that names it, at the site that names it. So its state lies
in the rows of that site, with its own ring of late readings, and it is the same whether the foreign site is held here too or its
reading came flagged `GUEST`.
"""
from __future__ import annotations

from math import isfinite
from types import SimpleNamespace
from typing import Any

import numpy as np

from detectors.plan import Group, Plan, told
from detectors.reading import GUEST, Block
from detectors.several import Made, put, together
from detectors.state import State
from detectors.step import params
from detectors.table import Table


def arrivals(state: State, block: Block, first: int, last: int, arrived: int | None) -> list[Made]:
    """What the readings [first, last) of a block are to the sites that name their series, a table at a time."""
    if block.series is not state.guested[0]:
        state.guested = block.series, np.array([name in state.guests for name in block.series], bool)
    wanted = state.guested[1][block.index[first:last]]
    rows: dict[int, list[tuple[int, float, float, float]]] = {}
    tables: dict[int, Table] = {}
    alone: set[int] = set()                             # in the order of their arrival, as at home
    for i in (np.flatnonzero(wanted) + first).tolist():
        series, t, x = block.series[block.index[i]], float(block.t[i]), float(block.x[i])
        came = float(block.t[i]) if arrived is None else float(arrived)
        flag = max(float(int(block.flag[i]) & ~GUEST), 1.0)
        for target in state.guests[series]:
            table = tables[id(target.table)] = target.table
            group, value = table.group, x
            if group.indicator.complete:
                value = float(group.completed(t, x, came))
            one: tuple[float, float] | None = (value, flag)
            if target.alone:
                alone.add(id(table))
            else:
                worst = max(flag, _checked(state.plan, group, series, t, value)) if isfinite(value) else 9.0
                one = put(state, table, target.row, t, (target.k, value, worst), int(came))
            if one is not None:
                rows.setdefault(id(table), []).append((target.row, t, *one))
    return [together(tables[key], found, sort=key not in alone) for key, found in rows.items()]


def _checked(plan: Plan, group: Group, series: str, t: float, x: float) -> float:
    """The flag of a reading by those checks of its own indicator that need no memory: what cannot be does not count here."""
    derive, site = group.indicator.derive, series.partition("@")[2]
    assert derive is not None
    worst = 1.0
    for piece in plan.groups[derive.inputs[0]].checks:
        if piece.use is not None and not getattr(piece.algorithm, "slots", None):
            p = _plainly(plan, piece, site)
            flag = float(piece.algorithm.step(p, None, t / 1e6, x))
            worst = max(worst, flag if isfinite(flag) else 2.0)
    return worst


def _plainly(plan: Plan, piece: Any, site: str) -> Any:
    """What a check is told at a foreign site; worked out once."""
    kept = plan.foreign
    key = piece.name, id(piece), site
    if key not in kept:
        kept[key] = SimpleNamespace(**{p.name: told(piece.use, p, site, piece.filled) for p in params(piece.algorithm)})
    return kept[key]
