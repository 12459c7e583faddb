"""The Chinese calendar inside steps: the Spring Festival, public holidays, and days that are worked in exchange (调休).

A day is the number of its local date since 1970-01-01. The functions run inside steps: the rules of core.md section 4
hold. A row of `SIZE` numbers carries what is special in up to 13 years: its first day, then 26 days a number, two bits each.
"""
from __future__ import annotations

from math import nan
from typing import Any

from detectors.numbers import month_of

FIRST, PER, SIZE = 1980, 26, 193
FESTIVALS = (47, 36, 25, 44, 33, 51, 40, 29, 48, 37, 27, 46, 35, 23, 41, 31, 50, 38, 28, 47, 36, 24, 43, 32, 22, 40, 29, 49,
             38, 26, 45, 34, 23, 41, 31, 50, 39, 28, 47, 36, 25, 43, 32, 22, 41, 29, 48, 37, 26, 44, 34, 23, 42, 31, 50, 39)
"""The day of the year of 正月初一, 1980 to 2035 (GB/T 33661-2017, computation and promulgation of the Chinese calendar)."""

NONE: tuple[float, ...] = (0.0,) * SIZE
"""A row without special days: weekdays are worked, Saturday and Sunday are not."""
WORKDAY, REST, HOLIDAY, FESTIVE = range(4)
"""Classes of a day: worked (made up for as well), a weekend, a public holiday, the holiday of the Spring Festival."""
PROFILES = 9
"""Monday to Sunday, a public holiday, the Spring Festival."""


def day_of(t: float, offset: float) -> float:
    """The local date of a moment, `offset` seconds east of UTC.

    >>> day_of(0.0, 28800.0), day_of(57600.0, 28800.0)
    (0.0, 1.0)
    """
    return (t + offset) // 86400.0


def festival(year: int) -> float:
    """The Spring Festival of a year as a day; NaN outside 1980 to 2035.

    >>> festival(2026) * 86400.0                                    # 2026-02-17
    1771286400.0
    """
    if not FIRST <= year < FIRST + len(FESTIVALS):
        return nan
    y = year - 1
    leaps = y // 4 - y // 100 + y // 400 - 477                      # since 1970
    return float((year - 1970) * 365 + leaps + FESTIVALS[(year - FIRST) % len(FESTIVALS)] - 1)


def from_festival(day: float) -> float:
    """Days since the nearest Spring Festival, negative before it (0 = 正月初一); NaN outside the table.

    >>> from_festival(festival(2026) - 3.0), from_festival(festival(2026) + 300.0)
    (-3.0, -54.0)
    """
    year = month_of(day * 86400.0, 0.0) // 12
    last, coming = day - festival(year), day - festival(year + 1)
    if coming != coming or last < -coming:
        return last
    return coming


def special(row: Any, day: float) -> int:
    """What a calendar row says of a day: 0 nothing, 1 public holiday, 2 worked in exchange, 3 holiday of the Spring Festival."""
    k = int(day - row[0])
    if row[0] == 0.0 or k < 0 or k >= PER * (SIZE - 1):
        return 0
    return (int(row[(1 + k // PER) % SIZE]) >> (2 * (k % PER))) & 3


def class_of(row: Any, day: float) -> int:
    """WORKDAY, REST, HOLIDAY or FESTIVE.

    >>> [class_of(NONE, d) for d in (0.0, 1.0, 2.0, 3.0)]           # Thursday, 1 January 1970
    [0, 0, 1, 1]
    """
    said = special(row, day)
    if said == 0:
        return 1 if (day + 3.0) % 7.0 >= 5.0 else 0
    return 0 if said == 2 else 2 if said == 1 else 3


def profile(row: Any, day: float) -> int:
    """Whose shape a day has: 0 Monday to 6 Sunday, 7 a holiday, 8 the Spring Festival.

    A day worked in exchange is like the working day beside it: Saturday like Friday, Sunday like Monday.

    >>> profile(NONE, 0.0)
    3
    """
    said, weekday = special(row, day), int((day + 3.0) % 7.0)
    if said == 1:
        return 7
    if said == 3:
        return 8
    if said == 2 and weekday >= 5:
        return 4 if weekday == 5 else 0
    return weekday
