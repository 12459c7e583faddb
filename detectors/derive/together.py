"""How many of a site's sensors are off at the same moment: one alone is a fault, several are an event."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Together"]


@dataclass(frozen=True)
class Together:
    """The number of inputs outside their own band (`low` to `high`, one number for each input; null is off); the ends are inside.

    For water quality, gas and pressure, where contamination or a burst moves several sensors and a fault moves one: let a
    detector warn `above: 2`, and a second one, `scope: shadow`, list `above: 1` for the maintainers. Inputs that are missing
    do not count; with `coverage` below 1 the others are enough.

    Not for sensors at different sites (a rule `at_least` counts those), and not for inputs with different times.

    In a pack:

        derive:
          odd_sensors: {together: [oxygen, codmn, nh3n], low: [2, null, null], high: [20, 15, 2], coverage: 0.6}

    Source: multivariate confirmation of water-quality events, US EPA, Online Water Quality Monitoring in Distribution Systems
    (2018), EPA 817-B-18-001; AQ/QARTOD multi-variate test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Together, inputs=3, low=(-1e9, 0.3, 6.5) + (0.0,) * 5, high=(1.0, 2.0, 8.5) + (0.0,) * 5)
    >>> [Together.step(p, s, 0.0, float(k), x) for k, x in enumerate((4.2, 0.1, 7.0))]
    [nan, nan, 2.0]
    """

    low: tuple[float, ...] = param(None, size=8, least=2, reset=False, doc="lowest usual of each input, in its own unit")
    high: tuple[float, ...] = param(None, size=8, least=2, reset=False, doc="highest usual of each input, in its own unit")
    inputs: float = param(2.0, low=2.0, high=8.0, integer=True, doc="filled in by the plan")

    result_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"off": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        if k == 0.0:
            s.off, s.seen = 0.0, 0.0
        if x == x:
            s.seen += 1.0
            if x < p.low[int(k) % 8] or x > p.high[int(k) % 8]:
                s.off += 1.0
        if k < p.inputs - 1.0:
            return nan
        return float(s.off) if s.seen > 0.0 else nan
