"""K of n: so many members are at or above a level, and came there within a time of each other."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Together
from detectors.step import param

__all__ = ["AtLeast"]


@dataclass(frozen=True)
class AtLeast(Together):
    """At least `n` members hold together. For one cause seen by several stations: a flood, smog, a burst pipe.

    Not for members that share one instrument or one feed: they agree about its faults too. Nor for areas that differ much
    in how many members they have: see share.

    In a pack:

        rules:
          - {id: wide, when: {at_least: 3, of: {detector: stage}, level: yellow}, within: 2h, level: orange}

    Source: voting k of n of IEC 61508-6:2010, Annex B; three-valued after Kleene 1952, section 64.

    >>> from detectors.holding import Held, Seen
    >>> up = {"a": (0, False), "b": (50, False), "c": (90, False)}
    >>> AtLeast(n=2).step(Held(), Seen(up, 5), 90, 60.0)[:4]
    (True, 90, 50, 2.0)
    >>> AtLeast(n=4).step(Held(), Seen(up, 5, silent=2), 90, 60.0).truth is None
    True
    """

    n: float = param(None, unit="count", low=1, integer=True, reset=False, doc="how many members must hold")

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("members", "parts")

    def need(self, total: int) -> int:
        """`n`, of however many."""
        return int(self.n)
