"""To and fro too often."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import HAIR
from detectors.step import param

__all__ = ["Oscillation"]


@dataclass(frozen=True)
class Oscillation:
    """How many times within `over` the value turned back by `swing` or more: suspect (3), fail (4) from so many on; NaN is off.

    A turn counts at the reading that lies `swing` or more off the last peak or trough; the window is (t - over, t].
    At most 32 turns are kept, so no limit may be higher.

    Not for values with a short rhythm of their own (tide over days, pumps that switch); set `over` below that rhythm.

    In a pack:

        checks:
          - oscillation: {swing: 20 cm, over: 1h, suspect: 4}

    Source: turning points with a threshold, as rainflow counting finds them: ASTM E1049-85, 5.4; a loose contact or hunting
    controller: WMO-No. 8, part V, chapter 1 (quality control of real-time data).

    >>> from detectors.trial import trial
    >>> p, s = trial(Oscillation, swing=1.0, over=3600.0, suspect=2.0, fail=3.0)
    >>> [Oscillation.step(p, s, 300.0 * i, x) for i, x in enumerate((5.0, 7.0, 6.5, 5.5, 7.0, 5.5, 5.4))]
    [1.0, 1.0, 1.0, 1.0, 3.0, 4.0, 4.0]
    """

    swing: float = param(None, unit="value", low=0.0, doc="smaller movements are no turn")
    over: float = param(None, unit="time", reset=False, low=0.0, doc="turns are counted over this time")
    suspect: float = param(nan, unit="count", reset=False, low=1.0, high=32.0, integer=True, doc="so many turns are doubtful")
    fail: float = param(nan, unit="count", reset=False, low=1.0, high=32.0, integer=True, doc="so many turns are a fault")

    slots: ClassVar[dict[str, int]] = {"turns": 32, "head": 1, "high": 1, "low": 1, "way": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if s.seen == 0.0:
            s.high, s.low, s.seen = x, x, 1.0
        s.high, s.low = max(s.high, x), min(s.low, x)
        hair = 1e-9 * abs(x)        # 26.51 - 26.5 is a little more than 0.01
        if s.way >= 0.0 and x < s.high and s.high - x >= p.swing - hair:
            turn(s, t, -1.0, x)
        elif s.way <= 0.0 and x > s.low and x - s.low >= p.swing - hair:
            turn(s, t, 1.0, x)
        count = 0.0
        for j in range(int(min(s.head, 32.0))):
            if t - s.turns[j % 32] < p.over - HAIR:
                count += 1.0
        return 4.0 if count >= p.fail else 3.0 if count >= p.suspect else 1.0


def turn(s: Any, t: float, way: float, x: float) -> None:
    """Go the other way from now on; the first movement of all is no turn."""
    if s.way != 0.0:
        s.turns[int(s.head) % 32] = t
        s.head += 1.0
    s.way, s.high, s.low = way, x, x
