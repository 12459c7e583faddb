"""Stuck: hardly any change for too long."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Flat"]


@dataclass(frozen=True)
class Flat:
    """How long all readings have lain within `within` of each other: suspect (3) and fail (4) from so long on; NaN is off.

    A reading that leaves the band begins a new one; so `within` is the bandwidth of "the same
    reading again", and 0 asks for equal ones. Not for values that rest by nature (rain, a closed gate).

    In a pack:

        checks:
          - flat: {suspect: 12h, within: 2 mm}

    Source: QARTOD manual for real-time quality control, flat line test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Flat, suspect=600.0, fail=900.0, within=0.01)
    >>> [Flat.step(p, s, 300.0 * i, x) for i, x in enumerate((26.5, 26.5, 26.51, 26.5, 26.6))]
    [1.0, 1.0, 3.0, 4.0, 1.0]
    """

    suspect: float = param(nan, unit="time", reset=False, low=0.0, doc="flat for so long is doubtful")
    fail: float = param(nan, unit="time", reset=False, low=0.0, doc="flat for so long is a dead sensor")
    within: float = param(0.0, unit="value", low=0.0, doc="readings as near as this to each other are flat")

    slots: ClassVar[dict[str, int]] = {"since": 1, "low": 1, "high": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        low, high = min(s.low, x), max(s.high, x)
        hair = 1e-9 * abs(x)        # 26.51 - 26.5 is a little more than 0.01
        if s.seen == 0.0 or high - low > p.within + hair:
            s.since, low, high, s.seen = t, x, x, 1.0
        s.low, s.high = low, high
        lasted = t - s.since + 1e-6     # two float times may be off by 5e-7
        return 4.0 if lasted >= p.fail else 3.0 if lasted >= p.suspect else 1.0
