"""Small numerics that several algorithms share. They run inside steps: the rules of core.md section 4 hold.

Rows are fixed parts of the state and are indexed `% size` only, for compiled code has no bounds check. An argument
named `work` is local scratch. Times are float seconds UTC and may be before 1970.
"""
from __future__ import annotations

from math import isfinite, nan
from typing import Any

WINDOW = {"ts": 300, "counts": 300, "first": 1, "head": 1, "used": 1, "readings": 1}
"""State of a window over time (`enter`): a ring of parts, each with its newest time and its number of readings.

An operator puts its own rows before these: a record whose first fields are all of another one's is taken by Numba for
its subtype (experimental, and it warns)."""

HAIR = 1e-6         # seconds: what two float times near 2e9 may be off by, generously
PARTS = 296.0       # a window is cut into so many parts at most; the ring has a few more for its two edges


def tame(y: float) -> float:
    """The nearest number that is finite; 0.0 for NaN.

    >>> tame(1e308 * 10), tame(2.5)
    (1e+308, 2.5)
    """
    if y != y:
        return 0.0
    return min(max(y, -1e308), 1e308)


def known(y: float) -> float:
    """The number itself where it is finite, NaN where it is not."""
    return y if isfinite(y) else nan


# ---- the last points of a line ---------------------------------------------------------------------

def push(ts: Any, xs: Any, n: float, t: float, x: float, over: float) -> float:
    """Put a point at the end of a row of `n` points in order of time, none older than `over` seconds; the new `n`.

    Where the row is full, the inner point whose neighbours are nearest to each other gives way. So a short row
    spans all of `over`, with gaps of at most 2 * over / (size - 1) where readings are dense, and the first is kept.
    """
    size, m, gone = len(ts), int(n), 0
    while gone < m and t - ts[gone % size] > over + HAIR:
        gone += 1
    first = 0
    if gone == 0 and m == size:
        gone, first = 1, crowded(ts, m)
    m -= gone
    if gone > 0:
        for i in range(first, m):
            ts[i % size] = ts[(i + gone) % size]
            xs[i % size] = xs[(i + gone) % size]
    ts[m % size] = t
    xs[m % size] = x
    return m + 1.0


def crowded(ts: Any, m: int) -> int:
    """The inner point of a row of `m` times whose neighbours are nearest to each other (the first of equals)."""
    size, best = len(ts), 1
    for i in range(2, m - 1):
        if ts[(i + 1) % size] - ts[(i - 1) % size] < ts[(best + 1) % size] - ts[(best - 1) % size]:
            best = i
    return best


def median(work: Any, n: int) -> float:
    """Median of the first `n` numbers of `work` (none of them NaN), which it reorders: Hoare's quickselect.

    >>> median([3.0, 1.0, 2.0, 9.0], 4), median([3.0, 1.0, 2.0], 3)
    (2.5, 2.0)
    """
    if n == 0:
        return nan
    k, low, high = n // 2, 0, n - 1
    while low < high:
        pivot, i, j = work[k], low, high
        while i <= j:
            while work[i] < pivot:
                i += 1
            while pivot < work[j]:
                j -= 1
            if i <= j:
                swap = work[i]
                work[i] = work[j]
                work[j] = swap
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    if n % 2 == 1:
        return float(work[k])
    below = work[0]
    for i in range(1, k):
        if work[i] > below:
            below = work[i]
    return float((below + work[k]) * 0.5)


def middle(row: Any, n: int, work: Any) -> float:
    """Median of the first `n` numbers of a row, which stays as it is; `work` has room for them.

    >>> middle([5.0, 1.0, 2.0, 0.0], 3, [0.0] * 3)
    2.0
    """
    for i in range(n):
        work[i] = row[i % len(row)]
    return median(work, n)


def theil_sen(ts: Any, xs: Any, m: int, work: Any) -> float:
    """Median of the slopes between all pairs of the first `m` points of a row (Theil 1950, Sen 1968), per second.

    0.0 where no two points have different times. `work` needs m * (m - 1) / 2 numbers.
    """
    n = 0
    for i in range(m):
        t, x = ts[i % len(ts)], xs[i % len(xs)]
        for j in range(i):
            dt = t - ts[j % len(ts)]
            if dt != 0.0:
                work[n] = (x - xs[j % len(xs)]) / dt
                n += 1
    return tame(median(work, n)) if n > 0 else 0.0


# ---- a window over time ------------------------------------------------------------------------------

def enter(s: Any, t: float, over: float) -> int:
    """Move a window (slots `WINDOW`) on to `t` and count one reading in; the part of the ring it belongs to.

    The window is (t - over, t]. A reading opens a part of its own when the last part began over / 296 ago or more,
    else it joins that part; so windows are exact for readings that far apart, and at most one part too long for
    denser ones. `s.counts` of the part is 1.0 when the part is new. Parts in use: the newest `s.used` before `s.head`.
    """
    size = len(s.ts)
    while s.used > 0.0 and (t - s.ts[int(s.head - s.used) % size] >= over - HAIR or s.used >= size):
        s.readings -= s.counts[int(s.head - s.used) % size]
        s.used -= 1.0
    if s.used == 0.0 or t - s.first >= over / PARTS:
        s.first = t
        s.counts[int(s.head) % size] = 0.0
        s.head += 1.0
        s.used += 1.0
    i = int(s.head - 1.0) % size
    s.ts[i % size] = t
    s.counts[i % size] += 1.0
    s.readings += 1.0
    return i


def covered(p: Any, s: Any) -> bool:
    """Whether a window holds the share `p.coverage` of the readings that one each `p.every` seconds would give."""
    return bool(p.every <= 0.0 or s.readings >= p.coverage * p.over / p.every - 1e-9)


# ---- the calendar ------------------------------------------------------------------------------------

def month_of(t: float, offset: float) -> int:
    """The civil month in which a moment lies, `offset` seconds east of UTC: year * 12 + month - 1.

    Source: H. Hinnant, chrono-compatible low-level date algorithms (2013), civil_from_days; proleptic Gregorian.

    >>> divmod(month_of(0.0, 0.0), 12), divmod(month_of(-1.0, 0.0), 12)
    ((1970, 0), (1969, 11))
    """
    z = int((t + offset) // 86400.0) + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    mp = (5 * (doe - (365 * yoe + yoe // 4 - yoe // 100)) + 2) // 153
    year = yoe + era * 400 + (0 if mp < 10 else 1)
    return year * 12 + (mp + 2 if mp < 10 else mp - 10)


def start_of(month: int, offset: float) -> float:
    """The first moment of a civil month (as `month_of` counts them), `offset` seconds east of UTC.

    Source: H. Hinnant, chrono-compatible low-level date algorithms (2013), days_from_civil.

    >>> start_of(1970 * 12, 0.0), start_of(2024 * 12 + 2, 28800.0), month_of(start_of(-5, 0.0), 0.0)
    (0.0, 1709222400.0, -5)
    """
    year, mp = (month - 2) // 12, (month + 10) % 12         # of a year that begins in March
    era = year // 400
    yoe = year - era * 400
    doe = yoe * 365 + yoe // 4 - yoe // 100 + (153 * mp + 2) // 5
    return (era * 146097 + doe - 719468) * 86400.0 - offset
