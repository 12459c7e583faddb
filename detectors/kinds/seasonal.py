"""How unusual for this hour of the week, and for a holiday."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, held
from detectors.days import NONE, SIZE, day_of, profile
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Seasonal"]


@dataclass(frozen=True)
class Seasonal:
    """Standard deviations of a reading from the mean of the same hour of the week; each of the 168 hours has its own.

    Monday 00:00-00:59 local time is the first. Public holidays and the Spring Festival of the city's calendar have 24 hours each
    of their own, and a weekend day worked in exchange is judged as the working day beside it. While an hour is young all of its
    readings weigh alike, later `alpha` is the weight of its newest week; an hour that has not been seen for `warm` weeks has no
    opinion yet. What errs by more than `bound` deviations teaches as much as one that errs by `bound`.

    With `fit:` the hours begin with what history says (`wanglou fit`), so holidays are known from the first one on; sites with
    a short history may share the shape of their group (`fit: {shape: category}`), each at its own level.

    Not for a level that moves within weeks (see `holt_winters`).

    In a pack:

        detectors:
          - {id: unusual, indicator: calls, kind: seasonal, floor: 2, levels: {blue: {above: 4, below: -4}}}

    Source: the profile of a week as a control chart: D. C. Montgomery, Introduction to Statistical Quality Control, section
    10.3 (a chart for each stream); weights: S. W. Roberts, Technometrics 1 (1959) 239-250.

    >>> from detectors.trial import trial
    >>> p, s = trial(Seasonal, every=3600.0, warm=3)
    >>> [round(Seasonal.step(p, s, 604800.0 * i, x), 2) for i, x in enumerate([50.0, 52.0, 48.0, 50.0, 56.0])]
    [0.0, 0.0, 0.0, 0.0, 4.24]
    """

    alpha: float = param(0.1, low=0.0, high=1.0, reset=False, doc="weight of the newest week in its hour")
    bound: float = param(4.0, reset=False, low=1.0, doc="deviations beyond which a reading teaches no more")
    floor: float = param(0.0, unit="value", reset=False, low=0.0, doc="smallest standard deviation that counts")
    warm: float = param(4.0, unit="count", reset=False, low=2.0, integer=True, doc="weeks that an hour needs")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    every: float = param(3600.0, unit="time", reset=False, low=0.0, doc="filled in by the plan")
    calendar: tuple[float, ...] = param(NONE, size=SIZE, reset=False, doc="filled in by the plan")

    score_unit: ClassVar[str] = ""
    fitted: ClassVar[str] = "may"
    slots: ClassVar[dict[str, int]] = {"means": 168, "vars": 168, "counts": 168, "n": 1,
                                       "off_means": 48, "off_vars": 48, "off_counts": 48}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        day = day_of(t, p.offset)
        h = profile(p.calendar, day) * 24 + int((t + p.offset - day * 86400.0) // 3600.0) % 24
        if h < 168:
            return grade(p, s, s.means, s.vars, s.counts, h, x)
        return grade(p, s, s.off_means, s.off_vars, s.off_counts, h - 168, x)


def grade(p: Any, s: Any, means: Any, variances: Any, counts: Any, h: int, x: float) -> float:
    """How far a reading is from what hour `h` knows, which it then teaches; `s.n` tells how many weeks the hour has."""
    size = len(means)
    dense = max(3600.0 / p.every if p.every > 0.0 else 1.0, 1.0)        # readings of an hour
    n = counts[h % size]
    s.n = n / dense
    if n == 0.0:
        counts[h % size], means[h % size] = 1.0, x
        return 0.0
    d, z = x - means[h % size], 0.0
    deviation = max(sqrt(variances[h % size]), p.floor)
    if s.n >= p.warm and deviation > 0.0:
        z = tame(d / deviation)
        d = held(d, p.bound * deviation)
    a = max(p.alpha / dense, 1.0 / (n + 1.0))
    means[h % size] += a * d
    variances[h % size] = (1.0 - a) * (variances[h % size] + a * d * d)
    counts[h % size] = n + 1.0
    return z
