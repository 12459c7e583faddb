"""A fast rise that something else explains."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from detectors.step import param

__all__ = ["Confirmed"]


@dataclass(frozen=True)
class Confirmed:
    """Takes back the doubt of `rate`, `jump` or `change` at a rise while the series named in `with:` is at least `above`.

    That series is of the same site: the rain of the last hours, how much the neighbours rose, what is upstream. A rise that it
    confirms is judged without a cap; what fails (a value that cannot be) still fails. It stands after the check it speaks of.
    `above` is in the unit of that series. What comes later confirms afterwards: the cap is then lifted by a revision.

    Not for falls, and not for the `neighbours` check: being far from them needs a look whatever it rains.

    In a pack:

        checks:
          - confirmed: {with: extra, above: 20}

    Source: Delft-FEWS, validation by secondary series; SL 651-2014 asks for a look at every fast rise.

    >>> from detectors.trial import trial
    >>> p, s = trial(Confirmed, above=20.0)
    >>> s.beside = 25.0
    >>> [Confirmed.step(p, s, 300.0 * i, x) for i, x in enumerate((26.0, 26.9, 26.5))]
    [1.0, 0.0, 1.0]
    """

    above: float = param(None, reset=False, doc="from here on it explains a rise, in the other series' unit")

    beside: ClassVar[tuple[int, int]] = (1, 1)
    lifts: ClassVar[tuple[str, ...]] = ("rate", "jump", "change")
    slots: ClassVar[dict[str, int]] = {"beside": 1, "x": 1, "n": 1}

    @staticmethod
    def example(p: Any, s: Any, t: float) -> None:
        """A state beside which it rains."""
        s.beside = 1e9

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        rises = s.n > 0.0 and x > s.x
        s.x, s.n = x, 1.0
        return 0.0 if rises and s.beside >= p.above else 1.0
