"""One of them is enough."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Together

__all__ = ["Any"]


@dataclass(frozen=True)
class Any(Together):
    """At least one member holds, or one of several conditions. `{detector: stage, level: yellow}` alone says the same.

    Not for noisy members: the more of them, the more often one is wrong; see at_least.

    In a pack:

        rules:
          - {id: anywhere, when: {any: {detector: stage}, level: red}, level: red}

    Source: disjunction of Kleene 1952, section 64.

    >>> from detectors.holding import Held, Seen
    >>> Any().step(Held(), Seen({"a": (7, False)}, 3), 7, 60.0).truth, Any().step(Held(), Seen({}, 3, silent=1), 7, 60.0).truth
    (True, None)
    """

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("members", "parts")
    timed: ClassVar[bool] = False

    def need(self, total: int) -> int:
        """One."""
        return 1
