"""Change over a time: the newest reading against the oldest one within a window."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.numbers import push, tame
from detectors.step import param

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """The newest value less the oldest one not older than `over`, divided by the time between them; per second.

    Answers at once, so it suits fast floods and sudden drops. Up to 64 readings within
    `over` are kept, more are thinned evenly: the oldest one is then at most over / 31 younger than `over`.

    Not for noisy values, where one bad reading is a false alarm: see `trend`.

    In a pack:

        detectors:
          - {id: fast, indicator: level, kind: rate, over: 1h, levels: {yellow: {above: 0.5 m/h}}}

    Source: rise of the water level over a time, as flood forecasters use it (涨率); GB/T 22482-2008.

    >>> from detectors.trial import trial
    >>> p, s = trial(Rate, over=600.0)
    >>> [Rate.step(p, s, 300.0 * i, x) for i, x in enumerate([1.0, 1.0, 4.0, 4.0, 4.0])]
    [0.0, 0.0, 0.005, 0.005, 0.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="how far back it compares")
    warm: float = param(2.0, unit="count", reset=False, low=2.0, high=60.0, integer=True, doc="points it needs")

    score_unit: ClassVar[str] = "value/time"
    slots: ClassVar[dict[str, int]] = {"ts": 64, "xs": 64, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        s.n = push(s.ts, s.xs, s.n, t, x, p.over)
        dt = t - s.ts[0]
        if s.n < p.warm or dt <= 0.0:
            return 0.0
        return tame((x - s.xs[0]) / dt)
