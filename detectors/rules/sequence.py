"""First this, then that, within a time."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Held, Seen

__all__ = ["Sequence"]


@dataclass(frozen=True)
class Sequence:
    """Conditions come to hold in this order, the last one within `within` of the first. It lasts as long as the last one.

    What came first may be over by then: a crest that has passed. The order is that of event times, whatever arrived first;
    two at one moment count as in order.

    Not for causes whose order does not matter (all), nor for "that this did *not* follow": no moment tells it.

    In a pack:

        rules:
          - id: wave
            when: {sequence: [{detector: rising, level: blue}, {detector: stage, level: yellow}], within: 6h}
            level: orange

    Source: followed-by with a window, Luckham 2002, The Power of Events.

    >>> from detectors.holding import Held, Seen
    >>> first, none = Held(True, since=10), Held()
    >>> held = Sequence().step(Held(), Seen({}, 2, parts=(first, none)), 10, 60.0)
    >>> Sequence().step(held, Seen({}, 2, parts=(none, Held(True, since=50))), 50, 60.0).truth
    True
    >>> Sequence().step(held, Seen({}, 2, parts=(none, Held(True, since=90))), 90, 60.0).truth
    False
    """

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("parts",)
    timed: ClassVar[bool] = True
    follows: ClassVar[bool] = True
    shows: ClassVar[bool] = True

    def bound(self, total: int) -> float:
        """All of them."""
        return float(total)

    def step(self, was: Held, seen: Seen, time: int, within: float) -> Held:
        """The condition at `time`. `chain[i]`: the latest start from which the first i + 1 have come in order."""
        chain = list(was.chain) or [None] * len(seen.parts)
        for i, part in enumerate(seen.parts):
            if part.truth and part.since == time:
                before = time if i == 0 else chain[i - 1]
                chain[i] = before if before is not None and time - before <= within else None
        last, came = seen.parts[-1], sum(at is not None for at in chain)
        if last.truth and chain[-1] is not None:
            since, begun = (was.since if was.truth else time), chain[-1]
            return Held(True, since, begun, float(len(chain)), float(len(chain)), last.good, seen.level or last.level or 1,
                        seen.due, tuple(chain))
        unknown = [part.truth is None for part in seen.parts]
        sure = not (unknown[-1] or (last.truth and any(unknown)))
        return Held(False if sure else None, was.since, was.start, float(came), chain=tuple(chain))
