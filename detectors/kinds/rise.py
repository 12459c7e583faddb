"""Rise within a time: the newest reading less the oldest one of a window, in the indicator's own unit."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.numbers import push, tame
from detectors.step import param

__all__ = ["Rise"]


@dataclass(frozen=True)
class Rise:
    """The newest value less the oldest one not older than `over`: "0.5 m within an hour", as plans for floods say it.

    Unlike `rate` it is not divided by the time that has passed, so the first minutes after a start or a gap cannot
    make a small step look steep. Up to 32 readings within `over` are kept, more are thinned evenly: the oldest one is
    then at most over / 15 younger than `over`. A fall is negative: give it limits below.

    Not for noisy values, where one bad reading is a false alarm: see `trend`.

    In a pack:

        detectors:
          - {id: risen, indicator: level, kind: rise, over: 1h, levels: {yellow: {above: 0.5}}}

    Source: rise of the water level within a time (时段涨幅), GB/T 22482-2008.

    >>> from detectors.trial import trial
    >>> p, s = trial(Rise, over=600.0)
    >>> [Rise.step(p, s, 300.0 * i, x) for i, x in enumerate([1.0, 1.0, 4.0, 4.0, 4.0])]
    [0.0, 0.0, 3.0, 3.0, 0.0]
    """

    over: float = param(None, unit="time", low=0.0, doc="how far back it compares")

    score_unit: ClassVar[str] = "value"
    slots: ClassVar[dict[str, int]] = {"ts": 32, "xs": 32, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        s.n = push(s.ts, s.xs, s.n, t, x, p.over)
        return tame(x - s.xs[0])
