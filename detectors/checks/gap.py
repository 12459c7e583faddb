"""The first reading after a gap."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Gap"]


@dataclass(frozen=True)
class Gap:
    """The time since the reading before: suspect (3) if longer than `suspect`, fail (4) if longer than `fail`; NaN is off.

    Only the reading that ends the gap is flagged: a logger that comes back often sends one bad number first. That a
    station is silent now needs no check: `silent` of the indicator watches that. Not for figures that are published
    by the calendar, whose months are of unequal length.

    In a pack:

        checks:
          - gap: {suspect: 6h}

    Source: QARTOD manual for real-time quality control, timing/gap test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Gap, suspect=600.0, fail=3600.0)
    >>> [Gap.step(p, s, t, 26.5) for t in (0.0, 600.0, 1500.0, 1800.0, 9000.0)]
    [1.0, 1.0, 3.0, 1.0, 4.0]
    """

    suspect: float = param(nan, unit="time", reset=False, low=0.0, doc="a longer gap makes its end doubtful")
    fail: float = param(nan, unit="time", reset=False, low=0.0, doc="the end of a longer gap is no value")

    slots: ClassVar[dict[str, int]] = {"before": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        gap, flag = t - s.before - 1e-6, 1.0        # two float times may be off by 5e-7
        if s.seen > 0.0:
            flag = 4.0 if gap > p.fail else 3.0 if gap > p.suspect else 1.0
        s.before, s.seen = t, 1.0
        return flag
