"""The newest over a time."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import WINDOW, covered, enter
from detectors.step import param

__all__ = ["Last"]


@dataclass(frozen=True)
class Last:
    """The newest reading, where `over` is covered well enough to believe it.

    The window is (t - over, t]; exact for readings at least over / 296 apart. NaN until `coverage` of the expected
    readings is in it. Not for carrying a value on over a gap: a value is made only where there is a reading.

    In a pack:

        derive:
          level_hour: {last: level, over: 1h, coverage: 0.5}

    Source: sample and hold; QARTOD manual for real-time quality control, data reception (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Last, over=600.0, every=300.0, coverage=1.0)
    >>> [Last.step(p, s, 300.0 * i, 0.0, x) for i, x in enumerate((3.0, 1.0, 2.0))]
    [nan, 1.0, 2.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="length of the window")
    every: float = param(0.0, unit="time", reset=False, low=0.0, doc="filled in by the plan; 0 = any number covers")
    coverage: float = param(0.0, reset=False, low=0.0, high=1.0, doc="filled in by the plan")

    slots: ClassVar[dict[str, int]] = WINDOW

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if x != x:
            return nan
        enter(s, t, p.over)
        return x if covered(p, s) else nan
