"""What another site measures, here."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Of"]


@dataclass(frozen=True)
class Of:
    """The readings of an indicator of one other site, as a series of this site: the gauge upstream, the nearest rain.

    `at: upstream` and `at: downstream` follow the columns `downstream` of sites.csv; `at: nearest` takes the nearest site that
    measures it (by lat and lon; the site itself if it does). The readings pass the same checks as there. Whatever sets two
    sites beside each other is made of it: `lagged`, `expr`, `residual`, `sum`.

    Not for a site with several upstream (`neighbours` with `at: upstream`), and not for what is derived there: take what it is
    made of and derive here.

    In a pack:

        derive:
          level_upstream: {of: level, at: upstream}

    Source: design 9.10; gauge relations, WMO-No. 168, Guide to Hydrological Practices, volume II (2009), chapter 7.

    >>> from detectors.trial import trial
    >>> p, s = trial(Of)
    >>> Of.step(p, s, 0.0, 0.0, 26.5)
    26.5
    """

    inputs: float = param(1.0, low=1.0, high=1.0, integer=True, doc="filled in by the plan")

    foreign: ClassVar[int] = 1
    slots: ClassVar[dict[str, int]] = {"none": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        return x
