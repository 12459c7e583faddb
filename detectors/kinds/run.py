"""How many periods in a row it has gone one way."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Run"]


@dataclass(frozen=True)
class Run:
    """Length of the current run: +3.0 = risen three times in a row, -3.0 = fallen; 0.0 = neither.

    A change not larger than `tolerance` is neither and ends the run. For published figures (three months down in a row).

    Not for dense readings, where noise makes runs of its own: see `trend`.

    In a pack:

        detectors:
          - {id: falling, indicator: retail, kind: run, levels: {blue: {below: -3}}}

    Source: L. S. Nelson, J. Quality Technology 16 (1984) 237-239, test 3.

    >>> from detectors.trial import trial
    >>> p, s = trial(Run, tolerance=0.05)
    >>> [Run.step(p, s, 0.0, x) for x in (50.1, 50.4, 50.9, 50.2, 49.8, 49.82)]
    [0.0, 1.0, 2.0, -1.0, -2.0, 0.0]
    """

    tolerance: float = param(0.0, unit="value", low=0.0, doc="a change not larger than this is none")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"last": 1, "length": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        change = x - s.last if s.seen > 0.0 else 0.0
        if change > p.tolerance:
            s.length = max(s.length, 0.0) + 1.0
        elif change < -p.tolerance:
            s.length = min(s.length, 0.0) - 1.0
        else:
            s.length = 0.0
        s.last, s.seen = x, 1.0
        return float(s.length)
