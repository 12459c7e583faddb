"""Today's count against the days before: the CDC's early aberration reporting, C1, C2 and C3."""
from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar

from detectors.charts import HUGE, held
from detectors.numbers import tame
from detectors.step import param

__all__ = ["Ears"]


@dataclass(frozen=True)
class Ears:
    """Standard deviations of a count above the mean of seven counts before it, for counts without years of history.

    C1 (`method: 1`) looks at the seven just before. C2 leaves two out between, so an outbreak does not hide itself.
    C3 adds what C2 of today and the two days before exceeds 1, for what builds up slowly. CDC's own limits: 3 for C1 and
    C2, 2 for C3 (or 3.09 and 1.96). The seven are readings, so a missing day moves the baseline.

    Not for counts with a strong shape of the week (sum seven days first) and not where years of history exist: see
    `percentile`. A few cases a week need `floor`.

    In a pack:

        detectors:
          - {id: c2, indicator: cases, kind: ears, method: 2, levels: {blue: {above: 3}, yellow: {above: 5}}}

    Source: L. Hutwagner et al., J. Urban Health 80 (2003) i89-i96;
    R. D. Fricker et al., Statistics in Medicine 27 (2008) 3407-3429.

    >>> from detectors.trial import trial
    >>> p, s = trial(Ears, method=2, warm=10)
    >>> [round(Ears.step(p, s, 0.0, x), 2) for x in (3, 5, 4, 6, 2, 4, 5, 3, 4, 6, 5, 12)][-4:]
    [0.0, 1.38, 0.64, 6.2]
    """

    method: float = param(2.0, low=1.0, high=3.0, integer=True, doc="1, 2 or 3: C1, C2 or C3")
    floor: float = param(0.5, unit="value", reset=False, low=0.0, doc="smallest standard deviation that counts")
    warm: float = param(12.0, unit="count", reset=False, low=8.0, integer=True, doc="counts it needs: C1 8, C2 10, C3 12")

    score_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {"xs": 9, "over": 2, "n": 1}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        x = held(x, HUGE)
        n, guard = int(s.n), 0 if p.method == 1.0 else 2
        z = distance(s.xs, n, 7 + guard, x, p.floor) if n >= 7 + guard else 0.0
        s.xs[n % 9] = x
        s.n += 1.0
        if p.method == 3.0:
            today = tame(max(z - 1.0, 0.0))
            z = tame(s.over[0] + s.over[1] + today)
            s.over[0], s.over[1] = s.over[1], today
        ready = n >= (7 if p.method == 1.0 else 9 if p.method == 2.0 else 11)
        return z if ready and s.n >= p.warm else 0.0


def distance(xs: Any, n: int, back: int, x: float, floor: float) -> float:
    """Standard deviations (n - 1) of `x` above the seven readings from `back` before reading `n` on; 0.0 if there is none."""
    mean, squares = 0.0, 0.0
    for i in range(7):
        mean += xs[(n - back + i) % 9]
    mean = mean / 7.0
    for i in range(7):
        d = xs[(n - back + i) % 9] - mean
        squares += d * d
    deviation = max(sqrt(squares / 6.0), floor)
    return tame((x - mean) / deviation) if deviation > 0.0 else 0.0
