"""Other series of the same site that a check or kind looks at while it steps: neighbours, rain, a gauge upstream (`with:`).

A step that has the slot `beside` finds there, for its own reading's time, the newest value of each such series that is not older
than two of its periods (NaN: none). The values lie in the row of the series that asks. One that comes later is a late reading of
that series: its row is stepped again (rewind.py), so what is said in the end does not depend on who came first.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil, isfinite, nan
from typing import Any

import numpy as np

from detectors import pairs
from detectors.pack import Indicator, Use
from detectors.reading import Floats, Rows

MOST = 512              # values of one series that are kept a row
PERIODS = 2.0           # so old may the newest value be
SPARE = 8


def looks(kind: Any) -> tuple[int, int]:
    """How many other series an algorithm looks at, at least and at most. (A parameter may be called so too: that is a number.)"""
    found = getattr(kind, "beside", None)
    return found if isinstance(found, tuple) else (0, 0)


def asked(uses: Iterable[Use]) -> tuple[str, ...]:
    """The series that these look at, each once."""
    return tuple(dict.fromkeys(name for use in uses for name in use.beside))


def lateness(indicator: Indicator, others: Iterable[Indicator]) -> float:
    """Seconds for which a series that looks at others can be stepped again: their lateness and grace, at least a period."""
    waits = [max(other.lateness, indicator.every) + (other.derive.grace if other.derive else 0.0) for other in others]
    return max(waits, default=0.0)


def record(indicator: Indicator, other: Indicator, late: float) -> np.dtype[Any]:
    """Where the values of another series are kept (pairs.py)."""
    span = 2 * late + SPARE * indicator.every + PERIODS * other.every
    size = min(ceil(span / other.every), MOST) + SPARE if isfinite(span) else MOST
    return pairs.record(size)


def reach(other: Indicator) -> float:
    """How long a value of another series is seen, µs."""
    return PERIODS * other.every * 1e6


def look(loop: Any, others: list[Indicator], kept: Mapping[str, Any], slot: Rows, t: Floats) -> Floats:
    """What each of the others was at these readings, by what is `kept` of it in their rows: a row each."""
    found = np.empty((len(others), len(slot)))
    for k, other in enumerate(others):
        loop(slot, t, kept[other.id]["n"], kept[other.id]["pairs"], reach(other), found[k])
    return found


def slots(s: Any) -> Floats:
    """Where a kind's state keeps them, a column each."""
    where: Floats = s["beside"]
    return where if where.ndim == 2 else where[:, None]


def step(seen: Floats, kernel: Any, slot: Rows, t: Floats, x: Floats, flag: Floats, accept: float, p: Any, s: Any,
         out: Floats) -> None:
    """A batch through an interpreted loop, which knows only its rows: in waves in which no row stands twice."""
    where, nth, before = slots(s), np.zeros(len(slot), np.int64), dict[int, int]()
    for i, row in enumerate(slot.tolist()):
        nth[i] = before[row] = before.get(row, -1) + 1
    for wave in range(int(nth.max()) + 1 if len(nth) else 0):
        these = np.flatnonzero(nth == wave)
        rows = slot[these]
        where[rows] = nan
        where[rows, :len(seen)] = seen[:, these].T
        some = np.empty(len(these))
        kernel(rows, t[these], x[these], flag[these], accept, p, s, some)
        out[these] = some
