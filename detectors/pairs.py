"""The newest values of a series, kept in a row of another: how many, then pairs of time (µs) and value in order of time."""
from __future__ import annotations

from typing import Any

import numpy as np


def record(size: int) -> np.dtype[Any]:
    """Room for `size` of them."""
    return np.dtype([("n", "f8"), ("pairs", "f8", (size, 2))])


def put(kept: Any, row: int, t: float, x: float) -> bool:
    """Keep a value; whether it is another than was kept for that time. A full row lets its oldest go.

    >>> kept = np.zeros(1, record(2))
    >>> put(kept, 0, 20.0, 5.0), put(kept, 0, 20.0, 5.0), put(kept, 0, 10.0, 4.0), put(kept, 0, 30.0, 6.0), put(kept, 0, 5.0, 1.0)
    (True, False, True, True, False)
    >>> kept["pairs"][0].tolist()
    [[20.0, 5.0], [30.0, 6.0]]
    """
    n, pairs = int(kept["n"][row]), kept["pairs"][row]
    at = int(np.searchsorted(pairs[:n, 0], t))
    if at < n and pairs[at, 0] == t:
        changed = not (pairs[at, 1] == x or (x != x and pairs[at, 1] != pairs[at, 1]))
        pairs[at, 1] = x
        return changed
    if n == len(pairs):
        if at == 0:
            return False
        pairs[:-1] = pairs[1:].copy()
        n, at = n - 1, at - 1
    pairs[at + 1:n + 1] = pairs[at:n].copy()
    pairs[at] = t, x
    kept["n"][row] = n + 1.0
    return True
