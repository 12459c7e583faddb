"""Which of the five lamps an indicator shows, by zones of its own."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.numbers import tame
from detectors.step import param

__all__ = ["FiveLamp"]


@dataclass(frozen=True)
class FiveLamp:
    """Where a value lies among four zone limits: -2.0 blue (over-cold), -1.0 light blue, 0.0 green, 1.0 yellow, 2.0 red.

    The score is -2.0, -1.0, 1.0 and 2.0 exactly at the limits, 0.0 in the middle of green, straight between and beyond, so
    one set of levels, `clear` among them, suits indicators and sites with zones of their own (columns of sites.csv). Both ends
    are bad: write `yellow: {above: 1, below: -1}` and `red: {above: 2, below: -2}`, then over-cold is as grave as
    overheated and the direction tells which lamp it is. The default zones are those of an index of 100.

    Not for a quantity of which only one end is bad: see `threshold`.

    In a pack:

        detectors:
          - {id: lamp, indicator: index, kind: five_lamp, levels: {yellow: {above: 1, below: -1}, red: {above: 2, below: -2}}}

    Source: the signal lamps of the early-warning index (预警指数, 五灯) of the China Economic Monitoring and Analysis
    Center, National Bureau of Statistics; the default limits are customary, not published: put down your own.

    >>> from detectors.trial import trial
    >>> p, s = trial(FiveLamp, blue=-2.0, cyan=3.0, yellow=9.0, red=12.0)
    >>> [round(FiveLamp.step(p, s, 0.0, x), 2) for x in (-4.0, -2.0, 3.0, 6.0, 7.5, 9.0, 13.5)]
    [-2.4, -2.0, -1.0, 0.0, 0.5, 1.0, 2.5]
    """

    blue: float = param(66.67, unit="value", reset=False, doc="at or below this it is over-cold (过冷)")
    cyan: float = param(83.33, unit="value", reset=False, doc="at or below this it is cool (趋冷, light blue)")
    yellow: float = param(116.67, unit="value", reset=False, doc="at or above this it is warm (趋热)")
    red: float = param(133.33, unit="value", reset=False, doc="at or above this it is overheated (过热)")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if x >= p.yellow:
            return 1.0 + steps(x, p.yellow, p.red)
        if x <= p.cyan:
            return -1.0 - steps(-x, -p.cyan, -p.blue)
        middle = 0.5 * p.cyan + 0.5 * p.yellow
        return steps(x, middle, p.yellow) if x >= middle else -steps(-x, -middle, -p.cyan)


def steps(x: float, start: float, end: float) -> float:
    """How far `x` is from `start` on the way to `end`: 1.0 is there. Zones without width are passed at once."""
    width = end - start
    return tame((x - start) / width) if width > 0.0 else 1.0
