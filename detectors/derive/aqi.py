"""China's hourly air quality index."""
from __future__ import annotations

from dataclasses import dataclass
from math import floor, nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Aqi"]

# Break points as whole numbers: µg/m³, for CO tenths of mg/m³ (4.1 mg/m³ = 41), so that the arithmetic is exact.
# HJ 633-2026 table 3 and HJ 633-2012 table 1: 1 h columns; PM2.5 and PM10 have only 24 h columns, used for 1 h too.
INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
PM25_2026 = (0, 35, 60, 115, 150, 250, 350, 500)
PM25_2012 = (0, 35, 75, 115, 150, 250, 350, 500)
PM10_2026 = (0, 50, 120, 250, 350, 420, 500, 600)
PM10_2012 = (0, 50, 150, 250, 350, 420, 500, 600)
SO2_2026 = (0, 150, 500, 650, 800, 800, 800, 800)               # ends at 200
SO2_2012 = (0, 150, 500, 650, 800, 1600, 2100, 2620)            # above 800 the 24 h column
NO2 = (0, 100, 200, 700, 1200, 2340, 3090, 3840)
CO = (0, 50, 100, 350, 600, 900, 1200, 1500)
O3 = (0, 160, 200, 300, 400, 800, 1000, 1200)

SWITCH = 1772294400.0       # 2026-03-01 00:00 in Beijing, when HJ 633-2026 came into force


@dataclass(frozen=True)
class Aqi:
    """The largest of the six sub-indices of one hour: so2 no2 pm10 pm25 co o3, in this order.

    Units are those of the standard: µg/m³, CO in mg/m³. Inputs are rounded half to even (CO to 0.1), sub-indices are
    rounded up. `table` 2026 or 2012; 0 = by the date of the reading. An input that is not there is left out, so an
    index can be too low then: `coverage` of the indicator says how many must be there. Above the last step: 500; SO2 above 800
    counts 200 by the table of 2026.

    Not for the daily index, which takes 24 h means and the ozone of 8 h.

    In a pack:

        derive:
          air_index: {aqi: [so2, no2, pm10, pm25, co, o3], coverage: 0.5, grace: 10min}

    Source: HJ 633-2026, table 3; HJ 633-2012, table 1; rounding GB/T 8170-2008.

    >>> from detectors.trial import trial
    >>> p, s = trial(Aqi, table=2026, inputs=6)
    >>> [Aqi.step(p, s, 0.0, k, x) for k, x in enumerate((20.0, 350.0, 120.0, 60.0, 4.1, float("nan")))][-1]
    115.0
    """

    table: float = param(0.0, low=0.0, high=2026.0, integer=True, doc="2026, 2012, or 0 = by the date of the reading")
    inputs: float = param(0.0, integer=True, low=0.0, high=6.0, doc="filled in by the plan")

    result_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"worst": 1, "some": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.worst, s.some = 0.0, 0.0
        if x == x:
            s.worst, s.some = max(s.worst, sub_index(k, x, p.table == 2026.0 or (p.table == 0.0 and t >= SWITCH))), 1.0
        return float(s.worst) if k == p.inputs - 1.0 and s.some > 0.0 else nan


def sub_index(k: float, x: float, new: bool) -> float:
    """The sub-index of one pollutant (in the order of the class) for its concentration."""
    if k == 0.0:
        return climb(whole(x), SO2_2026 if new else SO2_2012)
    if k == 1.0:
        return climb(whole(x), NO2)
    if k == 2.0:
        return climb(whole(x), PM10_2026 if new else PM10_2012)
    if k == 3.0:
        return climb(whole(x), PM25_2026 if new else PM25_2012)
    if k == 4.0:
        return climb(whole(x * 10.0), CO)
    return climb(whole(x), O3)


def whole(x: float) -> int:
    """The nearest whole number, half to even (GB/T 8170), held within 0..1 000 000.

    >>> whole(60.5), whole(60.6), whole(61.5), whole(-3.0)
    (60, 61, 62, 0)
    """
    c = min(max(x, 0.0), 1e6)
    low = floor(c)
    rest = c - low
    return int(low) + (1 if rest > 0.5 or (rest == 0.5 and low % 2 == 1) else 0)


def climb(c: int, steps: tuple[int, ...]) -> float:
    """Interpolate between the break points and round up; beyond the last one that differs: its index."""
    for j in range(1, 8):
        low, high = steps[(j - 1) % 8], steps[j % 8]
        if c <= high:
            rise = (INDEX[j % 8] - INDEX[(j - 1) % 8]) * (c - low)
            return float(INDEX[(j - 1) % 8] - (-rise) // (high - low))
        if j == 4 and steps[5] == high:
            return 200.0
    return 500.0
