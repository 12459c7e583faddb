"""A reading that stands alone."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import middle
from detectors.step import param

__all__ = ["Spike"]


@dataclass(frozen=True)
class Spike:
    """How far a reading lies from the median of the five before it: suspect (3), fail (4) if farther; NaN is off.

    QARTOD compares with the neighbours on both sides and so flags a reading only when the next one is there. A warning
    cannot wait for that; here only readings before it are asked (at least three). The price: the first two or three
    readings of a step that stays are flagged as well, until the median follows. A spike of up to two readings damns no
    neighbour. After a gap longer than `gap` all begins anew.

    Not for values that jump by nature (rain in 5 minutes, counts), and not with `fail` where a true wave may come
    within two readings.

    In a pack:

        checks:
          - spike: {suspect: 30 cm, fail: 2 m}

    Source: QARTOD manual for real-time quality control, spike test (IOOS 2020); the running median: J. W. Tukey,
    Exploratory Data Analysis, 1977, chapter 7.

    >>> from detectors.trial import trial
    >>> p, s = trial(Spike, suspect=0.5, fail=5.0)
    >>> [Spike.step(p, s, 300.0 * i, x) for i, x in enumerate((26.0, 26.1, 26.0, 27.0, 26.2, 99.0, 26.2))]
    [1.0, 1.0, 1.0, 3.0, 1.0, 4.0, 1.0]
    """

    suspect: float = param(nan, unit="value", reset=False, low=0.0, doc="farther is unusual")
    fail: float = param(nan, unit="value", reset=False, low=0.0, doc="farther is impossible")
    gap: float = param(nan, unit="time", reset=False, low=0.0, doc="after a longer gap nothing is compared; NaN: never")

    slots: ClassVar[dict[str, int]] = {"five": 5, "n": 1, "before": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if t - s.before > p.gap:
            s.n = 0.0
        flag = 1.0
        if s.n >= 3.0:
            away = abs(x - middle(s.five, int(min(s.n, 5.0)), np.empty(5)))
            flag = 4.0 if away > p.fail else 3.0 if away > p.suspect else 1.0
        s.five[int(s.n) % 5] = x
        s.n, s.before = s.n + 1.0, t
        return flag
