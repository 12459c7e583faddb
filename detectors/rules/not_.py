"""That it does not hold."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Held, Seen

__all__ = ["Not"]


@dataclass(frozen=True)
class Not:
    """A condition does not hold. For what is missing beside something else: rain without the pumps.

    Not for a rule by itself: it would hold on every quiet day. What cannot be heard is unknown, so it is not denied either:
    a silent pump does not make the rule hold, and a rule that holds does not end by silence.

    In a pack:

        rules:
          - id: unseen
            when: {all: [{detector: forecast, level: blue}, {not: {detector: stage, level: blue}}]}
            level: blue

    Source: negation of Kleene 1952, section 64.

    >>> [Not().step(Held(), Seen({}, 1, parts=(Held(truth),)), 7, 60.0).truth for truth in (True, False, None)]
    [False, True, None]
    """

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("parts",)
    timed: ClassVar[bool] = False
    follows: ClassVar[bool] = False
    shows: ClassVar[bool] = False

    def bound(self, total: int) -> float:
        """None of them."""
        return 0.0

    def step(self, was: Held, seen: Seen, time: int, within: float) -> Held:
        """The condition at `time`: the other way round."""
        part = seen.parts[0]
        truth = None if part.truth is None else not part.truth
        since = was.since if was.truth and truth else time
        return Held(truth, since, since, part.value, part.value, True, int(bool(truth)))
