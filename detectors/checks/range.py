"""Outside what is possible, or what is usual."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Range"]


@dataclass(frozen=True)
class Range:
    """Fail (4) outside what is physically possible, suspect (3) outside what is usual; an end that is NaN is off.

    The ends themselves are inside. Not for a limit that people are warned of: that is a detector's level.

    In a pack:

        checks:
          - range: {fail: [0, 60], suspect: [15, null]}

    Source: QARTOD manual for real-time quality control, gross range test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Range, fail=(0.0, 60.0), suspect=(15.0, 45.0))
    >>> [Range.step(p, s, 0.0, x) for x in (28.0, 45.0, 46.0, 60.1, -0.1)]
    [1.0, 1.0, 3.0, 4.0, 4.0]
    """

    fail: tuple[float, float] = param((nan, nan), unit="value", size=2, reset=False, doc="lowest and highest possible")
    suspect: tuple[float, float] = param((nan, nan), unit="value", size=2, reset=False, doc="lowest and highest usual")

    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if x < p.fail[0] or x > p.fail[1]:
            return 4.0
        return 3.0 if x < p.suspect[0] or x > p.suspect[1] else 1.0
