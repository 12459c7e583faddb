"""A change beyond what the series itself does."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import tame
from detectors.step import param

__all__ = ["Change"]

CLIP = 8.0      # one change teaches at most so many times the usual: a fault does not make the next one usual


@dataclass(frozen=True)
class Change:
    """A reading is suspect (3) that lies more than so many times the usual change above (`up`) or below (`down`) the one before.

    The usual change is learned at the site: the mean size of its changes, over `usual` and over `lately`, whichever is greater,
    so a storm makes large changes usual for its hours. No limit in the unit of the value is asked, and one setting serves sites
    that move much and little. Nature rises fast and falls slowly (a flood, a wave of mud, smoke); what drops at once is an
    instrument: out of the water, a loose contact, the end of a spike. So `down` is the stricter one, and a spike upwards
    that is below `up` is doubted at the reading that comes back. For what falls fast and rises slowly, turn them round.
    The first `least` readings teach only; the smallest change ever seen is the resolution, and none is counted finer.

    It only doubts. Not for what steps by nature (a gate, a pump, rain in 5 minutes, counts), and not for slow drift.

    In a pack:

        checks:
          - change: {up: 100, down: 20}

    Source: QARTOD manual for real-time quality control, rate of change test by deviations of the series itself, N_DEV over
    TIM_DEV (IOOS 2020), here with the mean size of changes, which outliers move less; limits: Logan River, three sites.

    >>> from detectors.trial import trial
    >>> p, s = trial(Change, least=20.0)
    >>> quiet = [26.0, 26.1, 26.0, 25.9] * 10
    >>> [Change.step(p, s, 900.0 * i, x) for i, x in enumerate([*quiet, 30.0, 26.0, 13.0, 26.0])][-5:]
    [1.0, 1.0, 3.0, 3.0, 1.0]
    """

    up: float = param(100.0, reset=False, low=1.0, doc="so many times the usual change above the last reading are doubtful")
    down: float = param(20.0, reset=False, low=1.0, doc="so many times the usual change below the last reading are doubtful")
    usual: float = param(2592000.0, unit="time", low=1.0, doc="time over which the usual change is learned")
    lately: float = param(21600.0, unit="time", low=1.0, doc="time over which a restless spell is")
    least: float = param(50.0, unit="count", reset=False, low=5.0, integer=True, doc="fewer readings are not judged")
    gap: float = param(nan, unit="time", reset=False, low=0.0, doc="after a longer gap nothing is compared; NaN: never")

    slots: ClassVar[dict[str, int]] = {"t": 1, "x": 1, "n": 1, "usual": 1, "lately": 1, "finest": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        dt, moved, flag = max(t - s.t, 0.0), tame(x - s.x), 1.0
        fresh = s.n == 0.0 or dt > p.gap
        s.t, s.x, s.n = t, x, s.n + 1.0
        if fresh:
            return 1.0
        size = abs(moved)
        if size > 1e-9 * abs(x) and (s.finest == 0.0 or size < s.finest):
            s.finest = size
        scale = max(s.usual, s.lately, s.finest)
        if s.n > p.least and scale > 0.0 and size > (p.up if moved > 0.0 else p.down) * scale:
            flag = 3.0
        learned = size if s.n < 5.0 else min(size, CLIP * scale)
        s.usual += max(dt / (dt + p.usual), 1.0 / s.n) * (learned - s.usual)
        s.lately += max(dt / (dt + p.lately), 1.0 / s.n) * (learned - s.lately)
        return flag
