"""Every one of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Together

__all__ = ["All"]


@dataclass(frozen=True)
class All(Together):
    """Every member holds, or every one of several conditions. For causes that must meet: rain, a high river and a full drain.

    Not for many stations of one kind: one that is out of order keeps the rule from ever holding; see share.

    In a pack:

        rules:
          - id: compound
            when: {all: [{detector: stage, level: yellow}, {not: {detector: rising, level: yellow}}]}
            level: orange

    Source: conjunction of Kleene 1952, section 64.

    >>> from detectors.holding import Held, Seen
    >>> both = {"a": (0, False), "b": (50, False)}
    >>> All().step(Held(), Seen(both, 2), 50, 60.0).truth, All().step(Held(), Seen(both, 3), 50, 60.0).truth
    (True, False)
    """

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("members", "parts")

    def need(self, total: int) -> int:
        """All that there are."""
        return max(1, total)
