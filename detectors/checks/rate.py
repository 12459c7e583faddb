"""Faster than is possible, or than is usual."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """The change since the last accepted reading, per second: suspect (3), fail (4); NaN is off.

    `suspect` and `fail` hold either way; `suspect_up` and so on take their place for that way where they are given
    (a river rises fast and falls slowly).

    A reading is accepted unless it fails here, so a spike does not damn its neighbours; after a true step of
    any size the time since the last accepted reading grows until the readings are accepted again.

    Not for values that jump by nature (rain in 5 minutes, counts).

    In a pack:

        checks:
          - rate: {suspect: 1 m/h, fail_up: 5 m/h, fail_down: 2 m/h}

    Source: QARTOD manual for real-time quality control, rate of change test (IOOS 2020).

    >>> from detectors.trial import trial
    >>> p, s = trial(Rate, suspect=1.0 / 3600.0, fail=5.0 / 3600.0)
    >>> [Rate.step(p, s, 600.0 * i, x) for i, x in enumerate((26.0, 26.1, 26.4, 29.0, 26.5))]
    [1.0, 1.0, 3.0, 4.0, 1.0]
    """

    suspect: float = param(nan, unit="value/time", reset=False, low=0.0, doc="faster is unusual")
    fail: float = param(nan, unit="value/time", reset=False, low=0.0, doc="faster is impossible")

    suspect_up: float = param(nan, unit="value/time", reset=False, low=0.0, doc="rising faster is unusual; NaN: `suspect`")
    suspect_down: float = param(nan, unit="value/time", reset=False, low=0.0, doc="falling faster is unusual; NaN: `suspect`")
    fail_up: float = param(nan, unit="value/time", reset=False, low=0.0, doc="rising faster is impossible; NaN: `fail`")
    fail_down: float = param(nan, unit="value/time", reset=False, low=0.0, doc="falling faster is impossible; NaN: `fail`")

    slots: ClassVar[dict[str, int]] = {"t": 1, "x": 1, "seen": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        dt, flag = t - s.t, 1.0
        if s.seen > 0.0 and dt > 0.0:
            speed, up = abs(x - s.x) / dt, x > s.x
            suspect = either(p.suspect_up if up else p.suspect_down, p.suspect)
            fail = either(p.fail_up if up else p.fail_down, p.fail)
            flag = 4.0 if speed > fail else 3.0 if speed > suspect else 1.0
        if flag < 4.0:
            s.t, s.x, s.seen = t, x, 1.0
        return flag


def either(own: float, both: float) -> float:
    """The limit of one way where it is given, else that of both."""
    return own if own == own else both
