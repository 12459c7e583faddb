"""The loops of steps that look at other series while they step (beside.py), beside those of loops.py. Compiled by `kernel`."""
from __future__ import annotations

from math import inf, nan
from typing import Any

from detectors.loops import step


def loop(slot: Any, t: Any, x: Any, flag: Any, accept: float, seen: Any, beside: Any, P: Any, S: Any, out: Any) -> None:
    """Let one step see a batch in order: `seen` is what each of the others was at each reading, `beside` their slots in S."""
    for i in range(len(slot)):
        out[i] = nan
        for j in range(beside.shape[1]):
            beside[slot[i], j] = seen[j, i] if j < len(seen) else nan
        if flag[i] <= accept:
            y = step(P[slot[i]], S[slot[i]], t[i] / 1e6, x[i])
            out[i] = y if y - y == 0.0 else inf


def warming(slot: Any, t: Any, x: Any, flag: Any, accept: float, seen: Any, beside: Any, P: Any, S: Any, out: Any) -> None:
    """The same for kinds that must first have seen `warm` readings."""
    for i in range(len(slot)):
        out[i] = nan
        for j in range(beside.shape[1]):
            beside[slot[i], j] = seen[j, i] if j < len(seen) else nan
        if flag[i] <= accept:
            s = S[slot[i]]
            y = step(P[slot[i]], s, t[i] / 1e6, x[i])
            young = s.n < P[slot[i]].warm
            out[i] = nan if young and y - y == 0.0 else y if y - y == 0.0 else inf


def look(slot: Any, t: Any, many: Any, pairs: Any, far: float, out: Any) -> None:
    """The newest value that a row keeps of another series (`many` pairs of time and value), not older than `far`; NaN: none."""
    for i in range(len(slot)):
        out[i] = nan
        low, high = 0, int(many[slot[i]])
        while low < high:                                # the first that is later
            middle = (low + high) // 2
            if pairs[slot[i], middle, 0] > t[i]:
                high = middle
            else:
                low = middle + 1
        if low > 0 and pairs[slot[i], low - 1, 0] > t[i] - far:
            out[i] = pairs[slot[i], low - 1, 1]
