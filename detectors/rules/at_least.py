"""K of n: so many members are at or above a level, and came there within a time of each other."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from detectors.step import param

__all__ = ["AtLeast"]


@dataclass(frozen=True)
class AtLeast:
    """At least `n` members hold together. For one cause seen by several stations: a flood, smog, a burst pipe.

    Not for members that share one instrument or one feed: they agree about its faults too.

    Three-valued after Kleene 1952 (Introduction to Metamathematics, §64): with too few fresh members the answer
    is unknown, never no.

    >>> AtLeast(n=2).begins([0, 50, 90], 60)
    50
    """

    n: float = param(None, unit="count", low=1, integer=True, reset=False, doc="how many members must hold")

    slots: ClassVar[dict[str, int]] = {}

    def begins(self, rises: Iterable[int], within: float) -> int | None:
        """The first of the rises (µs, of members that are up) which the newest of them completes, or None."""
        times = sorted(rises)
        if not times:
            return None
        together = [t for t in times if times[-1] - t <= within]
        return together[0] if len(together) >= self.n else None

    def lasts(self, count: int) -> bool:
        """Whether a rule that holds goes on with `count` members."""
        return count >= self.n

    def known(self, up: int, silent: int, total: int, unknown: str, quorum: float) -> bool:
        """Whether a rule that does not hold may say so: `up` members are up, `silent` of `total` are not fresh and not up.

        >>> AtLeast(n=3).known(1, 2, 6, "quorum", 0.7)
        False
        """
        if unknown == "worst":
            return up + silent < self.n
        return unknown != "quorum" or total - silent >= quorum * total
