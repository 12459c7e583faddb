"""Per cent of change of a daily figure against the year before, the Spring Festival against the Spring Festival."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.days import day_of, from_festival
from detectors.numbers import known
from detectors.step import param

__all__ = ["YoyDay"]

KEPT = 400          # days; the Spring Festival moves by at most 30 days, so the day a year before is never farther away


@dataclass(frozen=True)
class YoyDay:
    """100 * (x - y) / abs(y), y the figure 52 weeks before, so of the same weekday; NaN where there is none, or it is 0.

    With `align: spring_festival` days around the festival are compared with the days as far from the festival of the year
    before: exactly within `before` and `after` days of it, to the nearest same weekday farther out, as long as either of the two
    days is near one. So the stop of factories and the way back to work (about 15 days before to 25 after) meet each other.
    A figure of the same date again takes the place of the old one.

    Not for published months (see `yoy`), nor for rates and shares, whose change is a difference in points. Other holidays
    that move (端午, 中秋) are not aligned.

    In a pack:

        derive:
          gas_change: {yoy_day: gas, align: spring_festival}

    Source: 同比, National Bureau of Statistics of China, 统计上同比、环比; windows around the lunar new year: J.-L. Lin and
    T.-S. Liu, Modeling lunar calendar holiday effects in Taiwan, Taiwan Economic Forecast and Policy 33 (2003) 1-37.

    >>> from detectors.trial import trial
    >>> p, s = trial(YoyDay, align=1)
    >>> new_year = {2025: 1738080000.0, 2026: 1771257600.0}                   # 2025-01-29 and 2026-02-17, midnight in China
    >>> said = [YoyDay.step(p, s, t, 0.0, x) for t, x in ((new_year[2025], 40.0), (new_year[2026], 42.0))]
    >>> said[1]
    5.0
    """

    align: float = param(0.0, low=0.0, high=1.0, integer=True, words=(("none", 0.0), ("spring_festival", 1.0)),
                         doc="spring_festival: days around it against the days around that of the year before")
    before: float = param(15.0, unit="count", reset=False, low=0.0, high=60.0, integer=True, doc="days before it that it shapes")
    after: float = param(25.0, unit="count", reset=False, low=0.0, high=60.0, integer=True, doc="days after it that it shapes")
    offset: float = param(28800.0, unit="time", low=-86400.0, high=86400.0, doc="local time, seconds east of UTC")

    result_unit: ClassVar[str] = "%"
    slots: ClassVar[dict[str, int]] = {"days": KEPT, "xs": KEPT}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        day = day_of(t, p.offset)
        s.days[int(day) % KEPT] = day
        s.xs[int(day) % KEPT] = x
        base = day - 364.0
        if p.align == 1.0:
            base = aligned(day, base, p.before, p.after)
        before = s.xs[int(base) % KEPT]
        if s.days[int(base) % KEPT] != base or before == 0.0:
            return nan
        return known(100.0 * ((x - before) / abs(before)))


def aligned(day: float, base: float, before: float, after: float) -> float:
    """The day of the year before that is as far from its Spring Festival; `base` where neither day is near one."""
    here = from_festival(day)
    if here != here or not (near(here, before, after) or near(from_festival(base), before, after)):
        return base
    for back in range(354, 386):                    # the year before, by the moon
        if from_festival(day - back) == here:
            if near(here, before, after):
                return day - back
            return day - (back + 3) // 7 * 7        # the nearest same weekday
    return base


def near(distance: float, before: float, after: float) -> bool:
    """Whether a day is so near the festival that it shapes it."""
    return bool(-before <= distance <= after)
