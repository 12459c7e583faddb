"""Recursive least squares: a linear model that learns with every reading, in a state of fixed size.

It runs inside steps: the rules of core.md section 4 hold. Features are pure numbers of about 1 (deviations), as are the errors.
"""
from __future__ import annotations

from math import sqrt
from typing import Any


def rls(spread: Any, f: Any, gain: Any, keeps: float) -> None:
    """Move the covariance `spread` (n x n, row by row) of a model by the features `f` (n), and say its gain.

    What was learned fades by `keeps` (below 1) each time. A feature that is not
    moved for long would become infinitely uncertain (wind-up): no variance exceeds 1.0, that of the beginning.
    L. Ljung, System Identification (1999), 11.2.

    >>> spread, gain = [1.0, 0.0, 0.0, 1.0], [0.0, 0.0]
    >>> rls(spread, [1.0, 0.0], gain, 0.5)
    >>> [round(g, 3) for g in gain], [round(v, 3) for v in spread]
    ([0.667, 0.0], [0.667, 0.0, 0.0, 1.0])
    """
    n = len(f)
    size, total = n * n, keeps
    for i in range(n):
        moved = 0.0
        for j in range(n):
            moved += spread[(i * n + j) % size] * f[j % n]
        gain[i % n] = moved
        total += f[i % n] * moved
    total = max(total, keeps)
    for i in range(n):
        for j in range(i + 1):
            v = (spread[(i * n + j) % size] - gain[i % n] * gain[j % n] / total) / keeps
            spread[(i * n + j) % size] = v
            spread[(j * n + i) % size] = v
    for i in range(n):
        gain[i % n] = gain[i % n] / total
    for i in range(n):
        v = spread[(i * n + i) % size]
        if v > 1.0:
            shrink = 1.0 / sqrt(v)
            for j in range(n):
                spread[(i * n + j) % size] *= shrink
                spread[(j * n + i) % size] *= shrink
            spread[(i * n + i) % size] = 1.0
        elif v < 1e-12:
            spread[(i * n + i) % size] = 1e-12
