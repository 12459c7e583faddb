"""The week's count against the same weeks of the last years: the national rule of automated outbreak warning."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from detectors.charts import EPOCH, HUGE, count_in, held, put
from detectors.step import param

__all__ = ["Percentile"]


@dataclass(frozen=True)
class Percentile:
    """Which percentile (0 to 100) of the same weeks of earlier years the count of the last seven days has reached.

    For daily or weekly counts with a shape of the year. The baseline is the same week of each of the last `years` and
    `beside` weeks on each side of it: 25 weeks for five years and two. The score is at least q exactly when the count is at
    least the q-th percentile (straight between two of the weeks), so the rule "at or above P80" is `above: 80`; CIDARS uses
    50 for dysentery, 60 for mumps, 70 for influenza, 90 for measles and others. Fewer than `least` are 0.0. Weeks are
    Monday to Sunday local time; `n` is the number of weeks found, and with fewer than `warm` there is no opinion.

    Not for the first three years: see `ears`. Not for hourly or monthly counts, nor where reporting itself has changed.

    In a pack:

        detectors:
          - {id: same-weeks, indicator: cases, kind: percentile, years: 3, least: 3, levels: {blue: {above: 80}}}

    Source: the moving percentile method of the China Infectious Diseases Automated-alert and Response System (CIDARS),
    国家传染病自动预警系统移动百分位数法; W. Yang et al., Western Pacific Surveillance and Response 2 (2011)
    10-15; which percentile for which disease: 中华流行病学杂志 32 (2011) 450-453.

    >>> from detectors.trial import trial
    >>> p, s = trial(Percentile, years=1, beside=1, warm=3)
    >>> said = [Percentile.step(p, s, 604800.0 * i, float(i % 52)) for i in range(104)]
    >>> said[60], Percentile.step(p, s, 604800.0 * 104, 51.0), Percentile.step(p, s, 604800.0 * 105, 1.5)
    (50.0, 100.0, 75.0)
    """

    years: float = param(5.0, reset=False, low=1.0, high=5.0, integer=True, doc="years it looks back, at most")
    beside: float = param(2.0, reset=False, low=0.0, high=4.0, integer=True, doc="weeks on each side of the same week")
    least: float = param(1.0, unit="value", reset=False, low=0.0, doc="fewer in seven days are never unusual")
    warm: float = param(15.0, unit="count", reset=False, low=3.0, integer=True, doc="weeks of earlier years it needs")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"weeks": 280, "sums": 280, "days": 7, "counts": 7, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        day = (t + p.offset) // 86400.0
        week = (day + 3.0) // 7.0                   # 1970 began on a Thursday
        count_in(s.days, s.counts, day, held(x, HUGE))
        count_in(s.weeks, s.sums, week, held(x, HUGE))
        now = 0.0
        for i in range(7):
            if s.days[i % 7] > day + EPOCH - 7.0:
                now += s.counts[i % 7]
        work = np.empty(48)
        m = 0
        for year in range(1, int(p.years) + 1):
            same = week - (year * 52.1775 + 0.5) // 1.0
            for k in range(int(p.beside) * 2 + 1):
                w = same + p.beside - k
                if s.weeks[int(w) % 280] == w + EPOCH and m < 45:
                    put(work, m, s.sums[int(w) % 280])
                    m += 1
        s.n = float(m)
        return reached(work, m, now) if m >= p.warm and m >= 2 and now >= p.least else 0.0


def reached(work: Any, m: int, x: float) -> float:
    """The highest percentile (0 to 100) of `m` numbers in rising order that is not above `x`."""
    if x < work[0]:
        return 0.0
    i = 0
    while i < m - 1 and work[i + 1] <= x:
        i += 1
    if i == m - 1:
        return 100.0
    return float(100.0 * (i + (x - work[i]) / (work[i + 1] - work[i])) / (m - 1.0))
