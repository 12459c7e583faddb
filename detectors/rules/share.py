"""Which share of all, with levels of its own."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Measured, Seen
from detectors.step import param

__all__ = ["Share"]


@dataclass(frozen=True)
class Share(Measured):
    """The share of a place's members that are at or above a level; `levels` of the rule say from which share on.

    All members count below the line, the silent ones too: a share is never better because stations died.

    Not for a handful of members, where one of them is a third: see count.

    In a pack:

        rules:
          - {id: spread, when: {share: {detector: stage}, level: yellow}, levels: {yellow: 20 %, orange: 50 %}}

    Source: areal grading of weather warnings by share of stations (own definition).

    >>> from detectors.holding import Held, Seen
    >>> Share(n=0.2).step(Held(), Seen({"a": (0, False)}, 4), 5, 0.0).value
    0.25
    """

    n: float = param(1e-9, reset=False, low=0, high=1, doc="from which share on it holds; not where the rule has levels")

    slots: ClassVar[dict[str, int]] = {}

    def measure(self, seen: Seen, sure: bool) -> float:
        """Those that are up, of all."""
        return (sum(not doubt for _, doubt in seen.up.values()) if sure else len(seen.up)) / max(1, seen.total)

    def most(self, seen: Seen) -> float:
        """With all silent ones."""
        return (len(seen.up) + seen.silent) / max(1, seen.total)
