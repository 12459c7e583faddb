"""Too many at once: one event for all of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Together
from detectors.step import param

__all__ = ["Storm"]


@dataclass(frozen=True)
class Storm(Together):
    """At least `storm` members of a detector, rule or pack rise within `within` of each other: one event that covers them.

    It lasts until fewer than half of `storm` are left, and says its members anew when they are a tenth more or fewer.

    Not for finding out what is wrong: it says only that people would be called too often. It `covers: members`.

    In a pack:

        rules:
          - {id: flood-of-calls, when: {storm: 20, of: {pack: basin}, level: blue}, within: 30min, level: orange, covers: members}

    Source: alarm floods of ANSI/ISA-18.2-2016 and EEMUA 191 (10 alarms in 10 min; over when fewer than 5).

    >>> from detectors.holding import Held, Seen
    >>> ten = {str(i): (i, False) for i in range(10)}
    >>> held = Storm(storm=10).step(Held(), Seen(ten, 50), 9, 60.0)
    >>> held.truth, Storm(storm=10).step(held, Seen(dict(list(ten.items())[:5]), 50), 30, 60.0).truth
    (True, True)
    """

    storm: float = param(None, unit="count", low=2, integer=True, reset=False, doc="so many rise within the time")

    slots: ClassVar[dict[str, int]] = {}
    coarse: ClassVar[bool] = True

    def need(self, total: int) -> int:
        """To begin."""
        return int(self.storm)

    def stay(self, total: int) -> int:
        """Half of it goes on."""
        return max(1, int(self.storm) // 2)
