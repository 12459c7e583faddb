"""The week's count against a fitted model of the last years: the improved Farrington algorithm."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.charts import EPOCH, HUGE, count_in, held
from detectors.days import day_of
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Farrington"]

AHEAD = 13          # weeks for which a fit speaks


@dataclass(frozen=True)
class Farrington:
    """The exceedance of the count of the last seven days: 0.0 is what is expected this week, 1.0 the first count beyond.

    `wanglou fit` makes the expectation and the limit for this week and the next twelve from the weeks of up to `years` years: a
    quasi-Poisson regression with a trend and ten seasonal levels, in which old outbreaks weigh little; the limit is the
    1 - `alpha` quantile of a negative binomial count. The newest `exclude` weeks are left out, so that an outbreak that
    lasts does not hide itself. Fewer than `least` cases in four weeks are 0.0. Without a fit for the week it is
    warming. Weeks are Monday to Sunday local time; daily counts are summed.

    Not for the first two years of a count (see `ears`), nor where only the national percentile rule is asked for (`percentile`).

    In a pack:

        detectors:
          - {id: outbreak, indicator: cases, kind: farrington, levels: {blue: {above: 1}, yellow: {above: 2}}}

    Source: A. Noufaily et al., An improved algorithm for outbreak detection in multiple surveillance systems, Statistics in
    Medicine 32 (2013) 1206-1222; C. P. Farrington et al., J. R. Statist. Soc. A 159 (1996) 547-563.

    >>> from detectors.trial import trial
    >>> p, s = trial(Farrington)
    >>> s.weeks[2900 % 13], s.means[2900 % 13], s.limits[2900 % 13], s.fits = 2900.0 + 1e7, 4.0, 12.0, 260.0
    >>> monday = 2900.0 * 604800.0 - 3 * 86400.0
    >>> [Farrington.step(p, s, monday + 86400.0 * i, x) for i, x in enumerate((4.0, 3.0, 5.0))]
    [0.0, 0.375, 1.0]
    """

    alpha: float = param(0.005, low=1e-6, high=0.5, doc="chance that a usual week lies beyond the limit")
    years: float = param(5.0, low=2.0, high=10.0, integer=True, doc="years it looks back, at most")
    beside: float = param(3.0, low=0.0, high=8.0, integer=True, doc="weeks on each side that share the level of this week")
    exclude: float = param(26.0, low=0.0, high=52.0, integer=True, doc="newest weeks that are left out")
    least: float = param(5.0, unit="value", reset=False, low=0.0, doc="fewer in four weeks are never unusual")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")
    warm: float = param(1.0, unit="count", reset=False, low=1.0, doc="filled in by the plan")

    score_unit: ClassVar[str] = ""
    fitted: ClassVar[str] = "must"
    slots: ClassVar[dict[str, int]] = {"weeks": AHEAD, "means": AHEAD, "limits": AHEAD, "fits": 1, "days": 28, "counts": 28,
                                       "n": 1}

    @staticmethod
    def example(p: Any, s: Any, t: float) -> None:
        """A state as if it had been fitted for the weeks from `t` on: 20 expected, 40 the limit."""
        for i in range(AHEAD):
            week = (day_of(t, p.offset) + 3.0) // 7.0 + i
            s.weeks[int(week) % AHEAD] = week + EPOCH
            s.means[i % AHEAD], s.limits[i % AHEAD] = 20.0, 40.0
        s.fits = 260.0

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        day = day_of(t, p.offset)
        count_in(s.days, s.counts, day, held(x, HUGE))
        now, month = 0.0, 0.0
        for i in range(28):
            if s.days[i % 28] > day + EPOCH - 28.0:
                month += s.counts[i % 28]
            if s.days[i % 28] > day + EPOCH - 7.0:
                now += s.counts[i % 28]
        week = (day + 3.0) // 7.0                   # 1970 began on a Thursday
        k = int(week) % AHEAD
        s.n = s.fits if s.weeks[k % AHEAD] == week + EPOCH else 0.0
        room = s.limits[k % AHEAD] - s.means[k % AHEAD]
        if s.n == 0.0 or month < p.least or not room > 0.0:
            return 0.0
        return tame((now - s.means[k % AHEAD]) / room)
