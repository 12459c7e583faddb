"""Arithmetic that control charts share: sums that stay bounded, and what is normal, learned from the first readings.

It runs inside steps: the rules of core.md section 4 hold. No unit of its own: that of the readings.
"""
from __future__ import annotations

from math import exp, log, sqrt
from typing import Any

HUGE = 1e150        # the square of it is finite, so one absurd value is forgotten again
STEEP = 1e6         # no single reading counts for more than so many standard deviations


def held(y: float, most: float) -> float:
    """The nearest number between -most and most.

    >>> held(7.0, 5.0), held(-7.0, 5.0), held(1.0, 5.0)
    (5.0, -5.0, 1.0)
    """
    return min(max(y, -most), most)


def learn(s: Any, x: float) -> None:
    """One reading more for the plain mean and sum of squares (slots `mean`, `m2`, `n`). Welford 1962, Technometrics 4, 419."""
    s.n += 1.0
    d = x - s.mean
    s.mean += d / s.n
    s.m2 += d * (x - s.mean)


def variance(s: Any) -> float:
    """Sample variance (n - 1) of what was learned; 0.0 of less than two readings."""
    return float(s.m2 / (s.n - 1.0)) if s.n > 1.0 else 0.0


def follow(s: Any, d: float, a: float) -> None:
    """Move mean and variance (slots `mean`, `var`) by a deviation `d` from the mean, with weight `a`."""
    s.mean += a * d
    s.var = (1.0 - a) * (s.var + a * d * d)


def root(x: float, over: float) -> float:
    """The `over`-th root of a number, 0.0 of what is not positive (compiled and interpreted the same, which a power is not).

    >>> round(root(8.0, 3.0), 12), root(-1.0, 3.0)
    (2.0, 0.0)
    """
    return exp(log(x) / over) if x > 0.0 else 0.0


def rossi(x: float, m: float) -> float:
    """How far a count `x` lies from its mean `m`, nearly normal (Rossi, Lampugnani and Marchi 1999); 0.0 without a mean.

    >>> rossi(9.0, 4.0)
    2.25
    """
    if not m > 0.0:
        return 0.0
    x = max(x, 0.0)
    return (x - 3.0 * m + 2.0 * sqrt(x) * sqrt(m)) / (2.0 * sqrt(m))


def anscombe(x: float, m: float) -> float:
    """The same by Anscombe's residual of a Poisson count (McCullagh and Nelder 1989, section 2.4.2).

    >>> round(anscombe(9.0, 4.0), 4)
    2.1512
    """
    if not m > 0.0:
        return 0.0
    x = root(max(x, 0.0), 3.0)
    y = root(m, 3.0)
    return 1.5 * (x * x - y * y) / root(m, 6.0)


EPOCH = 1e7         # added to numbers of weeks and days, so that an empty slot (0.0) is none of them


def count_in(marks: Any, sums: Any, number: float, x: float) -> None:
    """Count `x` in the period of this number; what was in its slot before is older and goes."""
    i = int(number) % len(marks)
    if marks[i % len(marks)] != number + EPOCH:
        marks[i % len(marks)] = number + EPOCH
        sums[i % len(sums)] = 0.0
    sums[i % len(sums)] += x


def put(work: Any, m: int, x: float) -> None:
    """Put a number into its place among `m` in rising order, where `work` has room for one more."""
    i = m
    while i > 0 and work[i - 1] > x:
        work[i] = work[i - 1]
        i -= 1
    work[i] = x
