"""How many, with levels of its own."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Measured, Seen
from detectors.step import param

__all__ = ["Count"]


@dataclass(frozen=True)
class Count(Measured):
    """How many members are at or above a level; `levels` of the rule say from how many on it is blue, yellow, orange, red.

    Not for areas that differ much in how many members they have: see share. Not with `within`: it counts all that hold.

    In a pack:

        rules:
          - {id: many, when: {count: {detector: stage}, level: yellow}, levels: {blue: 1, yellow: 3, red: 8}}

    Source: area grading by number of stations, as provincial flood plans do (own definition).

    >>> from detectors.holding import Held, Seen
    >>> Count(n=2).step(Held(), Seen({"a": (0, False), "b": (5, True)}, 9), 5, 0.0)[:6]
    (True, 5, -4611686018427387904, 2.0, 1.0, False)
    """

    n: float = param(1.0, unit="count", low=1, reset=False, doc="from how many on it holds; not where the rule has levels")

    slots: ClassVar[dict[str, int]] = {}

    def measure(self, seen: Seen, sure: bool) -> float:
        """Those that are up."""
        return float(sum(not doubt for _, doubt in seen.up.values()) if sure else len(seen.up))

    def most(self, seen: Seen) -> float:
        """With all silent ones."""
        return float(len(seen.up) + seen.silent)
