"""Several fields in one number: levels, weighted."""
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Measured, Seen
from detectors.step import param

__all__ = ["Index"]


@dataclass(frozen=True)
class Index(Measured):
    """A weighted index of levels, 0 to 100: each part gives the points of its worst level, times its weight.

    A part that is a condition (not, all …) counts as blue when it holds. `levels` of the rule are the zones.

    Not for values: an index of values is derived (`expr`, `diffusion`) and then judged by `five_lamp` or `threshold`.

    In a pack:

        rules:
          - id: strain
            when: {index: [{detector: stage, weight: 2}, {detector: other/hot}]}
            levels: {blue: 20, yellow: 40, orange: 60, red: 80}

    Source: weighted sum of ordinal scores, OECD/JRC 2008, Handbook on Constructing Composite Indicators, section 6.

    >>> from detectors.holding import Held, Seen
    >>> parts = (Held(True, level=2), Held())
    >>> Index(n=10).step(Held(), Seen({}, 2, parts=parts, weights=(3.0, 1.0)), 5, 0.0).value
    37.5
    """

    n: float = param(1e-9, reset=False, low=0, high=100, doc="from which score on it holds; not where the rule has levels")
    points: tuple[float, ...] = param((0.0, 1.0, 2.0, 3.0, 4.0), size=5, reset=False, low=0,
                                      doc="points of normal, blue, yellow, orange, red")

    slots: ClassVar[dict[str, int]] = {}
    over: ClassVar[tuple[str, ...]] = ("parts",)

    def measure(self, seen: Seen, sure: bool) -> float:
        """Points by weight, of the most."""
        return self._score(seen, [part.level if part.truth and (part.good or not sure) else 0 for part in seen.parts])

    def most(self, seen: Seen) -> float:
        """An unknown part may be red."""
        return self._score(seen, [4 if part.truth is None else part.level if part.truth else 0 for part in seen.parts])

    def _score(self, seen: Seen, levels: list[int]) -> float:
        got = sum(weight * self.points[level] for weight, level in zip(seen.weights, levels, strict=True))
        return 100.0 * got / max(1e-9, sum(seen.weights) * max(self.points))
