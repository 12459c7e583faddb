"""The highest value to expect within a time, learned from how the series went on before, and from what stands beside it."""
from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import Any, ClassVar

import numpy as np

from detectors.charts import HUGE, held
from detectors.learning import rls
from detectors.numbers import HAIR, crowded, tame
from detectors.step import param

__all__ = ["Outlook"]

POINTS = 48
PARTS = 4           # the time looked ahead, in so many parts
OWN = 10            # features of the series itself: a constant, its height, its rises
SIZE = 16           # and three of each of two other series
ALL = PARTS * SIZE
WIDE = 20.0         # no feature counts for more than so many standard deviations
HALF = 0.5          # at first a rise is expected to go on at half its speed


@dataclass(frozen=True)
class Outlook:
    """The highest value expected within `within`, by a linear model that learns with every reading what came `within` after.

    It knows the height of the series, its rises in `lags` steps of the last `over` (off: as long as `within`), rises apart from
    falls and high water apart from low; with `with:` also up to two other series of the site at three moments of that time: a
    gauge upstream, a rain sum. An error beyond three of its usual size teaches no more than three, and what was learned is
    forgotten over `memory` readings. Before it has learned, a rise goes on at half its speed; after a
    gap it starts with the value itself, and knows what it knew. `forecast` says how long it is until a limit, with the
    80 % band of its own errors.

    Not for limits below, nor for less than some hundred readings of history (`forecast`). What has never been seen (the first
    flood) is the straight line's guess. A tide needs an `over` of its period.

    In a pack:

        detectors:
          - {id: ahead, indicator: level, kind: outlook, within: 2d, over: 3d, with: level_upstream, levels: {blue: {above: 6.4}}}

    Source: recursive least squares with forgetting, L. Ljung, System Identification (1999), 11.2; floods so foretold from level
    and rain, P. C. Young, Phil. Trans. R. Soc. A 360 (2002) 1433-1450. Figures on open data: tests/skill/README.md.

    >>> from detectors.trial import trial
    >>> p, s = trial(Outlook, within=3600.0, lags=2)
    >>> said = [Outlook.step(p, s, 600.0 * i, 20.0 + max(0.0, 2.0 - abs(i % 60 - 30) * 0.1)) for i in range(1221)]
    >>> [round(said[i], 1) for i in (1200, 1212, 1220)], round(Outlook.forecast(p, s, 21.4)[0])
    ([20.2, 20.6, 21.6], 2433)
    """

    within: float = param(None, unit="time", low=0.0, doc="how far ahead it looks")
    over: float = param(nan, unit="time", low=0.0, doc="how far back it looks; off = as long as `within`")
    lags: float = param(4.0, unit="count", low=1.0, high=6.0, integer=True, doc="steps back, none shorter than `every`")
    memory: float = param(1000.0, unit="count", reset=False, low=50.0, doc="readings after which what was learned has faded")

    beside: ClassVar[tuple[int, int]] = (0, 2)
    score_unit: ClassVar[str] = "value"
    on_axis: ClassVar[bool] = True       # its limits can be drawn among the readings
    slots: ClassVar[dict[str, int]] = {
        "beside": 2, "ts": POINTS, "xs": POINTS, "us": 2 * POINTS, "n": 1, "seen": 1, "mean": 3, "var": 3, "heard": 3,
        "weights": ALL, "spread": SIZE * SIZE, "errors": PARTS, "learned": 1, "ahead": PARTS, "level": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        over = p.over if p.over == p.over else p.within
        lag = max(over, 1.0) / p.lags
        if s.seen == 0.0:
            begin(s, HALF * p.within / lag)
        s.seen += 1.0
        usual(s, 0, x, 10.0 * p.memory)
        for k in range(2):
            if s.beside[k % 2] == s.beside[k % 2]:
                usual(s, k + 1, held(s.beside[k % 2], HUGE), 10.0 * p.memory)
        keep(s, t, x, 1.5 * (over + p.within))
        f, y = np.zeros(SIZE), np.empty(PARTS)
        if s.n > 1.0 and came(s, t, p.within, y):
            look(s, t - p.within, lag, int(p.lags), f)
            learn(s, f, y, 1.0 - 1.0 / p.memory)
        look(s, t, lag, int(p.lags), f)
        s.level, best = x, -HUGE
        for j in range(PARTS):
            rise = 0.0
            for i in range(SIZE):
                rise += s.weights[(j * SIZE + i) % ALL] * f[i % SIZE]
            best = max(best, x + held(rise, 1e6) * deviation(s, 0))
            s.ahead[j % PARTS] = best
        return float(tame(best))

    @staticmethod
    def forecast(p: Any, s: Any, limit: float) -> tuple[float, float, float]:
        """Seconds until the highest value to expect meets `limit`, and their 80 % band; inf: not within the time."""
        return (reached(s, p.within, limit, 0.0), reached(s, p.within, limit, 1.2816), reached(s, p.within, limit, -1.2816))


def begin(s: Any, rise: float) -> None:
    """What is believed before anything was learned: rises go on."""
    for i in range(SIZE):
        s.spread[(i * SIZE + i) % (SIZE * SIZE)] = 1.0
    for j in range(PARTS):
        s.weights[(j * SIZE + 3) % ALL] = rise * (j + 1.0) / PARTS


def usual(s: Any, k: int, x: float, memory: float) -> None:
    """Mean and variance of a series, over so many readings; what lies ten deviations off teaches as much as what lies ten off."""
    s.heard[k % 3] += 1.0
    a, d = 1.0 / min(s.heard[k % 3], memory), x - s.mean[k % 3]
    if s.heard[k % 3] > 30.0 and s.var[k % 3] > 0.0:
        d = held(d, 10.0 * sqrt(s.var[k % 3]))
    s.mean[k % 3] += a * d
    s.var[k % 3] = (1.0 - a) * (s.var[k % 3] + a * d * d)


def deviation(s: Any, k: int) -> float:
    """Standard deviation; 1.0 of what never moved."""
    return sqrt(s.var[k % 3]) if s.var[k % 3] > 0.0 else 1.0


def keep(s: Any, t: float, x: float, over: float) -> None:
    """Put a reading and what stands beside it at the end of the row, as `numbers.push` does: none older than `over`."""
    m, gone, first = int(s.n), 0, 0
    while gone < m and t - s.ts[gone % POINTS] > over + HAIR:
        gone += 1
    if gone == 0 and m == POINTS:
        gone, first = 1, crowded(s.ts, m)
    m -= gone
    if gone > 0:
        for i in range(first, m):
            s.ts[i % POINTS] = s.ts[(i + gone) % POINTS]
            s.xs[i % POINTS] = s.xs[(i + gone) % POINTS]
            s.us[2 * i % (2 * POINTS)] = s.us[2 * (i + gone) % (2 * POINTS)]
            s.us[(2 * i + 1) % (2 * POINTS)] = s.us[(2 * (i + gone) + 1) % (2 * POINTS)]
    s.ts[m % POINTS] = t
    s.xs[m % POINTS] = x
    s.us[2 * m % (2 * POINTS)] = s.beside[0]
    s.us[(2 * m + 1) % (2 * POINTS)] = s.beside[1]
    s.n = m + 1.0


def place(s: Any, t: float) -> int:
    """The last point at `t` or before; the first one where there is none."""
    i = int(s.n) - 1
    while i > 0 and s.ts[i % POINTS] > t + HAIR:
        i -= 1
    return i


def at(s: Any, t: float) -> float:
    """The series at `t`, straight between two points; its first value before them."""
    i = place(s, t)
    dt = s.ts[(i + 1) % POINTS] - s.ts[i % POINTS]
    if i >= int(s.n) - 1 or t <= s.ts[i % POINTS] or dt <= 0.0:
        return float(s.xs[i % POINTS])
    return float(s.xs[i % POINTS] + (t - s.ts[i % POINTS]) / dt * (s.xs[(i + 1) % POINTS] - s.xs[i % POINTS]))


def look(s: Any, t: float, lag: float, lags: int, f: Any) -> None:
    """What is known at `t`, in standard deviations."""
    d, last = deviation(s, 0), at(s, t)
    f[0] = 0.3
    f[1] = held((last - s.mean[0]) / d, WIDE)
    f[2] = max(f[1], 0.0)
    for k in range(lags):
        x = at(s, t - (k + 1.0) * lag)
        f[(4 + k) % SIZE] = held((last - x) / d, WIDE)
        last = x
    f[3] = max(f[4], 0.0)
    for k in range(2):
        for i in range(3):
            u = s.us[(2 * place(s, t - i * lag * lags / 2.0) + k) % (2 * POINTS)]
            f[(OWN + 3 * k + i) % SIZE] = held((u - s.mean[(k + 1) % 3]) / deviation(s, k + 1), WIDE) if u == u else 0.0


def came(s: Any, t: float, within: float, y: Any) -> bool:
    """How far it rose at most in each part of the time since `t` - `within`, in deviations; False where nobody looked."""
    start = t - within
    first = place(s, start)
    if s.ts[0] > start + HAIR or s.ts[(first + 1) % POINTS] - s.ts[first % POINTS] > within + HAIR:
        return False
    x, best, i = at(s, start), -HUGE, first + 1
    for j in range(PARTS):
        end = start + within * (j + 1.0) / PARTS
        while i < int(s.n) and s.ts[i % POINTS] <= end + HAIR:
            best = max(best, s.xs[i % POINTS])
            i += 1
        best = max(best, at(s, end))
        y[j % PARTS] = held((best - x) / deviation(s, 0), 1e3)
    return True


def learn(s: Any, f: Any, y: Any, keeps: float) -> None:
    """One step of recursive least squares, for all parts with one gain."""
    gain = np.empty(SIZE)
    rls(s.spread, f, gain, keeps)
    s.learned += 1.0
    a = 1.0 / min(s.learned, 0.2 / (1.0 - keeps))
    for j in range(PARTS):
        e = y[j % PARTS]
        for i in range(SIZE):
            e -= s.weights[(j * SIZE + i) % ALL] * f[i % SIZE]
        usually = sqrt(s.errors[j % PARTS]) if s.learned > 20.0 else 1e3
        e = held(e, 10.0 * usually)
        s.errors[j % PARTS] += a * (e * e - s.errors[j % PARTS])
        e = held(e, 3.0 * usually)
        for i in range(SIZE):
            s.weights[(j * SIZE + i) % ALL] = held(s.weights[(j * SIZE + i) % ALL] + gain[i % SIZE] * e, 1e3)


def reached(s: Any, within: float, limit: float, more: float) -> float:
    """When the path ahead, `more` of its own errors higher, meets a limit; inf where it does not within the time."""
    last, best = s.level, s.level
    if last >= limit:
        return 0.0
    for j in range(PARTS):
        best = max(best, tame(s.ahead[j % PARTS] + more * sqrt(s.errors[j % PARTS]) * deviation(s, 0)))
        if best >= limit:
            share = (limit - last) / (best - last) if best > last else 1.0
            return float(within * (j + min(max(share, 0.0), 1.0)) / PARTS)
        last = best
    return inf
