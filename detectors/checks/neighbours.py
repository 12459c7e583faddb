"""Far from what its neighbours measure."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import tame
from detectors.step import param

__all__ = ["Neighbours"]


@dataclass(frozen=True)
class Neighbours:
    """Doubtful (3) when a reading is more than `suspect`, or than `deviations` times their spread, from its neighbours.

    `with:` names the neighbours' median as a derived series of the same site (`neighbours`), and after it, for `deviations`,
    their spread (`how: spread`). Sites at different heights differ for good: `settle` is the time in which such a difference is
    learned, and only what departs from it is far. What comes from the neighbours later changes the flag afterwards.

    It only doubts, so a warning is capped and never muted: the first gauge that a flood reaches is far from all others.
    Not for what is local by nature (a cloudburst, a burst pipe).

    In a pack:

        checks:
          - neighbours: {with: extra, suspect: 0.5 m, settle: 1d}

    Source: spatial check of QARTOD's multi-variate family (IOOS 2020) and of WMO-No. 488, Guide to the Global Observing
    System, part VI; spread: 1.4826 MAD, P. J. Rousseeuw and C. Croux 1993.

    >>> from detectors.trial import trial
    >>> p, s = trial(Neighbours, suspect=0.5)
    >>> s.beside = [26.0, nan]
    >>> [Neighbours.step(p, s, 300.0 * i, x) for i, x in enumerate((26.2, 26.6, 25.4))]
    [1.0, 3.0, 3.0]
    """

    suspect: float = param(nan, unit="value", reset=False, low=0.0, doc="farther is unusual")
    deviations: float = param(nan, reset=False, low=0.0, doc="so many robust standard deviations are unusual")
    settle: float = param(0.0, unit="time", low=0.0, doc="time in which a lasting difference is learned; 0: none is")

    beside: ClassVar[tuple[int, int]] = (1, 2)
    slots: ClassVar[dict[str, int]] = {"beside": 2, "usual": 1, "t": 1, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        near, spread = s.beside[0], s.beside[1]
        if near != near:
            return 1.0
        away = tame(x - near)
        if p.settle > 0.0:
            dt = max(t - s.t, 0.0)
            usual = s.usual if s.n > 0.0 else away
            s.usual = tame(usual + tame(away - usual) * (dt / (dt + p.settle)))
            s.t, s.n = t, 1.0
            away = tame(away - usual)
        far = abs(away)
        if far > p.suspect or (spread == spread and far > p.deviations * spread and spread > 0.0):
            return 3.0
        return 1.0
