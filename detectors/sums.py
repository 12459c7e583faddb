"""Sums over an area, the part of one partition: what its own sites add to the area at one time (design 3).

Each site keeps its newest values in its own row. A part holds all of a partition at a time, so it stands for those told before.
Sums are of whole numbers (three decimals finer than the indicator shows), so they are exact, however the sites are spread.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, isfinite, nan
from typing import Any, NamedTuple

import numpy as np

from detectors.pack import Indicator
from detectors.pairs import put
from detectors.pairs import record as room
from detectors.reading import Floats, Part, Rows

KINDS = ("sum", "mean", "max", "min", "count")
MOST, SPARE = 512, 8


class Summed(NamedTuple):
    """An area series that a table's rows add to: each row's area, and each area's rows in order."""

    indicator: Indicator
    area: dict[int, str]
    rows: dict[str, Rows]
    kept: Any


def record(indicator: Indicator) -> np.dtype[Any]:
    """Where the values of a site are kept (pairs.py)."""
    late = ceil(2 * indicator.lateness / indicator.every) if isfinite(indicator.lateness) else MOST
    return room(min(late, MOST) + SPARE)


def summed(indicator: Indicator, row: Mapping[str, int], kept: Any) -> Summed:
    """An area series, and which of these rows (by site) add to it what is kept in them."""
    assert indicator.derive is not None
    area = {row[site]: key for key, sites in indicator.derive.guests.items() for site in sites if site in row}
    rows = {key: np.array(sorted(r for r, k in area.items() if k == key), np.int64) for key in dict.fromkeys(area.values())}
    return Summed(indicator, area, rows, kept)


def add(sums: list[Summed], slot: Rows, t: Floats, x: Floats, flag: Floats) -> Iterable[Part]:
    """Readings of one table into the parts of their areas; a part for each area and time that they change."""
    good = np.where(flag <= 3.0, x, nan)
    for moment in np.unique(t).tolist():
        here = np.flatnonzero(t == moment)
        for one in sums:
            changed = [row for row, value in zip(slot[here].tolist(), good[here].tolist(), strict=True)
                       if row in one.area and put(one.kept, row, moment, value)]
            for area in dict.fromkeys(one.area[row] for row in changed):
                yield _part(one, area, moment)


def _part(one: Summed, area: str, t: float) -> Part:
    """All that the area's sites here have at a time."""
    rows = one.rows[area]
    pairs, n = one.kept["pairs"][rows], one.kept["n"][rows]
    hit = (pairs[:, :, 0] == t) & (np.arange(pairs.shape[1]) < n[:, None])
    values = pairs[:, :, 1][hit]
    values = values[np.isfinite(values)]
    assert one.indicator.derive is not None
    total = merged(one.indicator.derive.use.kind, np.round(values * scale(one.indicator)).tolist())
    return Part(-1, f"{one.indicator.id}@{area}", int(t), total, len(values), len(rows))


def merged(kind: str, parts: list[float]) -> float:
    """Several parts (or values, as whole numbers) as one."""
    if not parts:
        return 0.0
    return float(max(parts) if kind == "max" else min(parts) if kind == "min" else sum(parts))


def scale(indicator: Indicator) -> float:
    """Whole numbers a unit."""
    return float(10.0 ** (indicator.decimals + 3))


def value(indicator: Indicator, total: float, count: int) -> float:
    """What a merged part means in the indicator's unit."""
    assert indicator.derive is not None
    kind = indicator.derive.use.kind
    if kind == "count":
        return float(count)
    return total / scale(indicator) / (count if kind == "mean" else 1.0)
