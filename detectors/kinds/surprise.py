"""How surprising a reading is in four ways at once: its height, its depth, its step, its place in the day."""
from __future__ import annotations

from dataclasses import dataclass
from math import floor, log, sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, held, put
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Surprise"]

LN10 = 2.302585092994046
RAREST = 16.0
SHORTEST = 300.0        # seconds of a slot of the day: 288 of them are a day, seven days fit the ring
LEARNED = 2000.0        # peaks that mean and spread of a tail are made of, about
SLOW = 0.005            # a quantile moves by this share of the mean excess a reading, once it is learned
QUICK = 5.0             # and by this share of the spread, divided by the readings so far, before
RATHER = 20.0           # an excess beyond so many times the mean teaches as one of so many


@dataclass(frozen=True)
class Surprise:
    """The sum of four times -log10 of a chance: of a value so high, so low, a step so large, a time of day so unlike.

    For series of any kind whose limits nobody knows. Of plain noise one reading in a hundred has 4.2, one in a thousand 7,
    one in 5000 9.
    The time of day is unlike when the last half hour (`length` slots) lies far from the same minutes, three slots to and fro,
    of each of the last seven days. Each chance is that of a generalised Pareto tail above a quantile (the highest `share`)
    which follows the readings; moments and quantile are learned as they come, so the state does not grow. A slot is the
    usual distance of two readings, at least 5 min. With `rest` a score is told only when it is higher than each of the last
    `rest` ones: one alarm for one happening, whose level must then be kept (`keep`).

    Not for a known limit (`threshold`), a slow drift (`cusum`, `trend`) or 200 000 series: a row is 18 kB.

    In a pack:

        detectors:
          - {id: unlike, indicator: calls, kind: surprise, rest: 100, levels: {blue: {above: 7, keep: 1h}}}

    Source: the sum is R. A. Fisher's test of combined chances (Statistical methods for research workers, 1932, 21.1); tails by
    moments: J. R. M. Hosking and J. R. Wallis, Technometrics 29 (1987) 339-349; quantile: H. Robbins and S. Monro, Annals
    of Mathematical Statistics 22 (1951) 400-407. Figures on open data: tests/skill/README.md.

    >>> from detectors.trial import trial
    >>> p, s = trial(Surprise, warm=100)
    >>> said = [Surprise.step(p, s, 300.0 * i, float(i * 37 % 100)) for i in range(1000)]
    >>> [round(Surprise.step(p, s, 300.0 * i, x), 1) for i, x in ((1000, 50.0), (1001, 130.0))]
    [0.0, 34.6]
    """

    share: float = param(0.05, low=0.01, high=0.3, doc="part of the readings that is tail")
    length: float = param(6.0, unit="count", reset=False, low=1.0, high=12.0, integer=True, doc="slots compared with other days")
    rest: float = param(0.0, unit="count", reset=False, low=0.0, high=128.0, integer=True, doc="scores it must exceed")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest excess, step or distance that counts")
    warm: float = param(300.0, unit="count", low=64.0, integer=True, doc="readings it learns from before it speaks")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {
        "ring": 2048, "said": 128, "start": 4, "mean": 4, "square": 4, "peaks": 4, "middle": 4, "spread": 4, "heard": 4,
        "width": 1, "place": 1, "first": 1, "last": 1, "before": 1, "spoke": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        step = abs(x - s.last) if s.n > 0.0 else 0.0
        s.n += 1.0
        known = remember(s, t, x)
        score = tail(s, 0, x, p.share, p.warm, p.floor) + tail(s, 1, -x, p.share, p.warm, p.floor)
        score += tail(s, 2, step, p.share, p.warm, p.floor)
        if known:
            score += tail(s, 3, unlike(s, int(p.length)), p.share, p.warm, p.floor)
        s.last = x
        if p.rest > 0.0:
            score = rested(s, score, int(p.rest))
        return tame(score)


def remember(s: Any, t: float, x: float) -> bool:
    """Put a reading into its slot, those that were left out get the one before; whether a day is known by now."""
    if s.n <= 33.0:                                 # the usual distance of two readings, of the first 32
        if s.n > 1.0:
            put(s.ring, int(s.n) - 2, t - s.before)
        s.before = t
        if s.n < 33.0:
            return False
        s.width = max(s.ring[int(s.n) // 2 % 2048], SHORTEST)
        s.first = floor(t / s.width)
        s.place = s.first
    place = floor(t / s.width)
    for k in range(int(min(place - s.place, 2048.0)) - 1, 0, -1):
        s.ring[int(place - k) % 2048] = s.last
    s.ring[int(place) % 2048] = x
    s.place = max(place, s.place)
    return bool(s.place - s.first > floor(86400.0 / s.width) + 16.0)


def unlike(s: Any, length: int) -> float:
    """Root mean square distance of the last slots to the most similar ones at about this time on the last seven days."""
    day = int(86400.0 / s.width + 0.5)
    oldest = max(s.first, s.place - 2047.0)
    best = -1.0
    for d in range(1, 8):
        for shift in range(-3, 4):
            end = s.place - d * day + shift
            if end >= s.place or end - length < oldest:
                continue
            total = 0.0
            for i in range(length):
                y = s.ring[int(s.place - i) % 2048] - s.ring[int(end - i) % 2048]
                total += y * y
            if best < 0.0 or total < best:
                best = total
    return sqrt(max(best, 0.0) / length)


def tail(s: Any, k: int, y: float, share: float, warm: float, floor: float) -> float:
    """-log10 of the chance of `y` or more in tail `k`, which then learns from it; 0.0 while it is warm."""
    s.heard[k % 4] += 1.0
    n = s.heard[k % 4]
    if n == 1.0:
        s.start[k % 4] = y
        s.middle[k % 4] = y
    d = y - s.middle[k % 4]
    s.middle[k % 4] += d / min(n, 1000.0)
    s.spread[k % 4] += (abs(d) - s.spread[k % 4]) / min(n, 1000.0)
    over = y - s.start[k % 4]
    z = rarity(over, s.mean[k % 4], s.square[k % 4], share, n) if n > warm and over > floor else 0.0
    if over > 0.0 and n > warm / 3.0:
        if n > warm and s.mean[k % 4] > 0.0:
            over = min(over, RATHER * s.mean[k % 4])
        s.peaks[k % 4] += 1.0
        a = max(1.0 / LEARNED, 1.0 / (s.peaks[k % 4] + 1.0))
        s.mean[k % 4] += a * (over - s.mean[k % 4])
        s.square[k % 4] += a * (over * over - s.square[k % 4])
    move = max(SLOW * s.mean[k % 4] if n > warm else 0.0, QUICK * s.spread[k % 4] / n)
    s.start[k % 4] += move * (1.0 - share) if y > s.start[k % 4] else -move * share
    return z


def rarity(over: float, mean: float, square: float, share: float, n: float) -> float:
    """-log10 of the chance of an excess, by the generalised Pareto distribution of its first two moments."""
    if not mean > 0.0:
        return min(log(n) / LN10, RAREST)           # the first that is beyond at all
    variance = square - mean * mean
    shape = min(max(0.5 * (1.0 - mean * mean / variance), -0.2), 0.5) if variance > 0.0 else 0.0
    z = over / (mean * (1.0 - shape))
    if abs(shape) > 1e-6:
        base = 1.0 + shape * z
        if base <= 0.0:
            return RAREST                           # beyond the end of a tail that has one
        z = log(base) / shape
    return min((z - log(share)) / LN10, RAREST)


def rested(s: Any, score: float, rest: int) -> float:
    """The score where it is higher than each of the last `rest`, else 0.0."""
    highest = 0.0
    for i in range(1, rest + 1):
        highest = max(highest, s.said[(int(s.spoke) - i) % 128])
    s.said[int(s.spoke) % 128] = score
    s.spoke += 1.0
    return score if score > highest else 0.0
