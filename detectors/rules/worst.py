"""As bad as the worst of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Measured, Seen, worst
from detectors.step import param

__all__ = ["Worst"]


@dataclass(frozen=True)
class Worst(Measured):
    """The worst level that any member has: the level of an area is that of its worst station.

    Not for hundreds of noisy members: one of them is always at its worst; see share.

    In a pack:

        rules:
          - {id: overall, when: {worst: {detector: stage}}, covers: members}

    With `levels: {yellow: orange}` the rule says yellow once the worst is orange.

    Source: roll-up by maximum (own definition).

    >>> from detectors.holding import Held, Seen
    >>> Worst().step(Held(), Seen({"a": (0, False)}, 4, tops=[0, 1, 0, 1, 0]), 5, 0.0).value
    3.0
    """

    n: float = param(1.0, low=1, high=4, integer=True, reset=False, doc="from which level on it holds, 1 blue to 4 red")

    slots: ClassVar[dict[str, int]] = {}

    def measure(self, seen: Seen, sure: bool) -> float:
        """The highest level."""
        return float(worst(seen.firm if sure else seen.tops))

    def most(self, seen: Seen) -> float:
        """A silent one may be red."""
        return 4.0 if seen.silent else float(seen.level)
