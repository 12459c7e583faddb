"""A level that has shifted and stays."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

import numpy as np

from detectors.numbers import HAIR, middle
from detectors.step import param

__all__ = ["Jump"]


@dataclass(frozen=True)
class Jump:
    """A gauge that was knocked or set anew: from one reading to the next far off the level before, and staying there.

    The level before is the median of the last five readings (at least three). A reading farther than `suspect` from it
    begins a shift; back within half of that ends it. What still stands after `hold` is suspect (3), and where it is
    farther than `fail`, fail (4), until `keep` has passed since the shift: then the new level is taken for true.
    A ramp counts as a shift where it rises more than `suspect` within about three readings.

    Not for levels that step by nature (a gate, a pump, a tariff), and not with `fail` where a flood wave may come so fast.
    For a reading that stands alone see `spike`.

    In a pack:

        checks:
          - jump: {suspect: 50 cm, hold: 30min, keep: 3d}

    Source: the offset or datum shift of hydrometric records, WMO-No. 1044, Manual on Stream Gauging, volume I (2010);
    shift against a running median: J. W. Tukey, Exploratory Data Analysis, 1977.

    >>> from detectors.trial import trial
    >>> p, s = trial(Jump, suspect=0.5, hold=600.0, keep=1500.0)
    >>> [Jump.step(p, s, 300.0 * i, x) for i, x in enumerate((26.0, 26.1, 26.0, 27.0, 27.1, 27.0, 27.0, 27.1, 27.0, 27.0))]
    [1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 1.0, 1.0]
    """

    suspect: float = param(None, unit="value", low=0.0, doc="farther from the level before is a shift")
    fail: float = param(nan, unit="value", reset=False, low=0.0, doc="a shift so large is no value")
    hold: float = param(None, unit="time", reset=False, low=0.0, doc="a shift must stay so long to be flagged")
    keep: float = param(86400.0, unit="time", reset=False, low=0.0, doc="after so long the new level is believed")
    gap: float = param(nan, unit="time", reset=False, low=0.0, doc="after a longer gap nothing is compared; NaN: never")

    slots: ClassVar[dict[str, int]] = {"steady": 5, "n": 1, "before": 1, "base": 1, "since": 1, "shifted": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        if t - s.before > p.gap or (s.shifted > 0.0 and t - s.since >= p.keep - HAIR):
            s.n, s.shifted = 0.0, 0.0
        s.before = t
        if s.shifted == 0.0 and s.n >= 3.0:
            base = middle(s.steady, int(min(s.n, 5.0)), np.empty(5))
            if abs(x - base) > p.suspect:
                s.base, s.since, s.shifted = base, t, 1.0
        away = abs(x - s.base)
        if s.shifted > 0.0 and away > 0.5 * p.suspect:
            return 1.0 if t - s.since < p.hold - HAIR else 4.0 if away > p.fail else 3.0
        s.shifted = 0.0
        s.steady[int(s.n) % 5] = x
        s.n += 1.0
        return 1.0
