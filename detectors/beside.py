"""Other series of the same site that a check or kind looks at while it steps: neighbours, rain, a gauge upstream (`with:`).

A step that has the slot `beside` finds there, for its own reading's time, the newest value of each such series that is not older
than two of its periods (NaN: none). The values lie in the row of the series that asks. One that comes later is a late reading of
that series: its row is stepped again, so what is said in the end does not depend on who came first.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from detectors import pairs
from detectors.pack import Indicator, Use

if TYPE_CHECKING:
    from detectors.event import Change
    from detectors.state import State
    from detectors.table import Floats, Rows, Table

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


def look(table: Table, use: Use, slot: Rows, t: Floats) -> Floats:
    """What each series of `use` was at these readings: one row a reading."""
    found = np.full((len(slot), len(use.beside)), nan)
    for k, name in enumerate(use.beside):
        kept, reach = table.kept_beside[name], PERIODS * table.group.plan.indicators[name].every * 1e6
        for i, row in enumerate(slot.tolist()):
            pairs = kept["pairs"][row][:int(kept["n"][row])]
            at = int(np.searchsorted(pairs[:, 0], t[i], "right")) - 1
            if at >= 0 and pairs[at, 0] > t[i] - reach:
                found[i, k] = pairs[at, 1]
    return found


def step(table: Table, use: Use, kernel: Any, slot: Rows, t: Floats, x: Floats, flag: Floats, accept: float, p: Any, s: Any,
         out: Floats) -> None:
    """A batch through a kernel that looks beside, in waves in which no row stands twice."""
    values, where = look(table, use, slot, t), s["beside"]
    nth, seen = np.zeros(len(slot), np.int64), dict[int, int]()
    for i, row in enumerate(slot.tolist()):
        nth[i] = seen[row] = seen.get(row, -1) + 1
    for wave in range(int(nth.max()) + 1 if len(nth) else 0):
        these = np.flatnonzero(nth == wave)
        rows = slot[these]
        if where.ndim == 1:
            where[rows] = values[these, 0]
        else:
            where[rows] = nan
            where[rows, :values.shape[1]] = values[these]
        some = np.empty(len(these))
        kernel(rows, t[these], x[these], flag[these], accept, p, s, some)
        out[these] = some


def tell(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int,
         again: Callable[[Table, int], list[Change]]) -> list[Change]:
    """Readings of a series that others look at: those whose readings this concerns are stepped again."""
    changes: list[Change] = []
    for asker in table.askers:
        rows, concerned = state.across(table, asker)[slot], dict[int, None]()
        for i, row in enumerate(rows.tolist()):
            value = float(x[i]) if flag[i] <= 3.0 else nan
            if row < 0:
                continue
            if _keep(asker, row, table.group.indicator.id, float(t[i]), value) and _concerns(asker, row, table, t[i]):
                concerned[row] = None
        for row in concerned:
            changes += again(asker, row)
    return changes


def _keep(asker: Table, row: int, name: str, t: float, x: float) -> bool:
    """Put a value into the row that looks; whether it is another than was kept for that time."""
    asker.dirty[row] = True
    return pairs.put(asker.kept_beside[name], row, t, x)


def _concerns(asker: Table, row: int, table: Table, t: float) -> bool:
    """Whether the row has readings, still to be stepped again, that see this value."""
    size = int(asker.ring[row, 0])
    times = asker.ring[row, 1:1 + size]
    return bool(((times >= t) & (times < t + PERIODS * table.group.indicator.every * 1e6)).any())
