"""So many per head."""
from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any, ClassVar

from detectors.numbers import known
from detectors.step import param

__all__ = ["PerPopulation"]


@dataclass(frozen=True)
class PerPopulation:
    """x * per / population: cases per 100 000 people, where `population` is a column of sites.csv; NaN where it is empty or 0.

    Not for small places: a single case in a village of 300 is 333 per 100 000; sum over time or areas first.

    In a pack:

        derive:
          incidence: {per_population: cases, population: population}

    Source: crude incidence rate: R. Bonita, R. Beaglehole, T. Kjellström, Basic epidemiology, 2nd edition, WHO 2006, chapter 2.

    >>> from detectors.trial import trial
    >>> p, s = trial(PerPopulation, population=5_000_000)
    >>> PerPopulation.step(p, s, 0.0, 0.0, 20.0)
    0.4
    """

    population: float = param(None, reset=False, low=0.0, doc="people at the site: a column of sites.csv")
    per: float = param(100_000.0, reset=False, low=1.0, doc="so many people make one unit of the result")

    result_unit: ClassVar[str] = ""
    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, k: float, x: float) -> float:
        return known(x * p.per / p.population) if p.population > 0.0 else nan
