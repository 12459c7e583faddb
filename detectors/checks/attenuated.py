"""Alive, but hardly moving any more."""
from __future__ import annotations

from dataclasses import dataclass
from math import floor, nan, sqrt
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Attenuated"]


@dataclass(frozen=True)
class Attenuated:
    """The standard deviation over `over` is too small: suspect (3) below `suspect`, fail (4) below `fail`; NaN is off.

    A silted well, a fouled probe or a clogged filter damps a signal long before it is `flat`. The window is cut into 16
    parts by the clock, so it is between 15/16 of `over` and `over` long; it is judged when at least `least` readings are
    in it and they span three quarters of it. The deviation is that of the readings themselves (divided by n).

    Not for values that rest by nature (rain, a closed gate), and not with `over` shorter than the rhythm that should be seen.

    In a pack:

        checks:
          - attenuated: {over: 1d, suspect: 5 mm}

    Source: QARTOD manual for real-time quality control, attenuated signal test (IOOS 2020); merging of parts: T. F. Chan,
    G. H. Golub, R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979.

    >>> from detectors.trial import trial
    >>> p, s = trial(Attenuated, over=1600.0, suspect=0.5)
    >>> tide = [1.0, -1.0] * 8 + [0.01, -0.01] * 8
    >>> flags = [Attenuated.step(p, s, 100.0 * i, x) for i, x in enumerate(tide)]
    >>> flags.index(3.0), flags[-1]
    (28, 3.0)
    """

    over: float = param(None, unit="time", low=1.0, doc="length of the window")
    suspect: float = param(nan, unit="value", reset=False, low=0.0, doc="a smaller deviation is doubtful")
    fail: float = param(nan, unit="value", reset=False, low=0.0, doc="a smaller deviation is a dead signal")
    least: float = param(5.0, unit="count", reset=False, low=2.0, integer=True, doc="fewer readings are not judged")

    slots: ClassVar[dict[str, int]] = {"parts": 16, "counts": 16, "means": 16, "moments": 16}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        part = floor(t / (p.over / 16.0))
        i = int(part) % 16
        if s.counts[i % 16] == 0.0 or s.parts[i % 16] != part:
            s.parts[i % 16], s.counts[i % 16], s.means[i % 16], s.moments[i % 16] = part, 0.0, 0.0, 0.0
        s.counts[i % 16] += 1.0
        d = x - s.means[i % 16]
        s.means[i % 16] += d / s.counts[i % 16]
        s.moments[i % 16] += d * (x - s.means[i % 16])
        n, mean, moment, oldest = 0.0, 0.0, 0.0, float(part)
        for j in range(16):
            k = s.counts[j % 16]
            if k > 0.0 and s.parts[j % 16] > part - 16.0:
                d = s.means[j % 16] - mean
                moment += s.moments[j % 16] + d * d * (n * k / (n + k))
                n += k
                mean += d * k / n
                oldest = min(oldest, s.parts[j % 16])
        if n < p.least or oldest > part - 12.0:
            return 1.0
        deviation = sqrt(max(moment, 0.0) / n)
        return 4.0 if deviation < p.fail else 3.0 if deviation < p.suspect else 1.0
