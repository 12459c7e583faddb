"""What is upstream is on its way: expected here by a time."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Together
from detectors.step import param

__all__ = ["Upstream"]


@dataclass(frozen=True)
class Upstream(Together):
    """A member upstream of this place holds, so it is expected here one travel time later (the event says by when).

    Columns `downstream` and `travel` of sites.csv (a rule `for_each: site`) or of areas.csv (`for_each: {area: …}`) say
    where the water of a place goes and how long it takes. In a sequence with the place's own detector it tells a wave
    that did come. It holds as long as a member upstream does.

    Not for places between which the travel time changes much with the flow: use a residual against the gauge upstream.

    In a pack:

        rules:
          - {id: coming, for_each: site, when: {upstream: 1, of: {detector: stage}, level: yellow}, level: blue}

    Source: travel time of a flood wave between gauges, WMO-No. 1072 (2011), Manual on Flood Forecasting and Warning.

    >>> from detectors.holding import Held, Seen
    >>> seen = Seen({"level@up": (100, False)}, 1, travel={"level@up": 50})
    >>> Upstream().step(Held(), seen, 100, 1e9).due
    150
    """

    steps: float = param(1.0, unit="count", low=1, high=20, integer=True, reset=False, doc="so many places up the river")

    slots: ClassVar[dict[str, int]] = {}
    timed: ClassVar[bool] = False

    def need(self, total: int) -> int:
        """One is enough."""
        return 1
