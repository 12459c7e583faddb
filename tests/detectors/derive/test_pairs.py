"""Operators of several inputs of one time, and those of one reading alone."""
from __future__ import annotations

from math import isnan, nan
from typing import Any

import pytest

from detectors.derive.difference import Difference
from detectors.derive.diffusion import Diffusion
from detectors.derive.per_population import PerPopulation
from detectors.derive.ratio import Ratio
from detectors.derive.share import Share
from detectors.derive.water_class import WaterClass
from detectors.trial import trial


def at_once(kind: Any, *values: float, **params: Any) -> float | None:
    """What an operator says of its inputs at one time, after another time that must leave nothing behind."""
    p, s = trial(kind, inputs=len(values), **params)
    for x in ([7.5] * len(values), list(values)):
        said = [kind.step(p, s, 0.0, float(k), v) for k, v in enumerate(x)]
        assert all(map(isnan, said[:-1]))
    return None if isnan(said[-1]) else said[-1]


@pytest.mark.parametrize(("kind", "values", "params", "expected"), [
    (Difference, (5.0, 3.0), {}, 2.0),
    (Difference, (5.0, 3.0, 4.0, -1.0), {}, -1.0),
    (Difference, (5.0, nan, 4.0), {}, None),
    (Difference, (nan, 3.0), {}, None),
    (Difference, (1.7e308, -1.7e308), {}, None),
    (Ratio, (3.0, 4.0), {}, 0.75),
    (Ratio, (3.0, 4.0), {"times": 100.0}, 75.0),
    (Ratio, (3.0, 0.0), {}, None),
    (Ratio, (3.0, 2.0), {"floor": 2.0}, None),          # as small as the floor says nothing, either sign
    (Ratio, (3.0, -2.0), {"floor": 2.0}, None),
    (Ratio, (3.0, -2.5), {"floor": 2.0}, -1.2),
    (Ratio, (0.0, 2.5), {"floor": 2.0}, 0.0),
    (Ratio, (nan, 4.0), {}, None),
    (Ratio, (3.0, nan), {}, None),
    (Ratio, (1e300, 1e-300), {}, None),
    (Share, (1.0, 3.0), {}, 25.0),
    (Share, (1.0, 2.0, 3.0, 4.0), {}, 10.0),
    (Share, (0.0, 3.0), {}, 0.0),
    (Share, (0.0, 0.0), {}, None),
    (Share, (1.0, 3.0), {"floor": 4.0}, None),
    (Share, (1.0, nan, 3.0), {}, None),
    (Diffusion, (1.0, -1.0, 0.0, 2.0), {}, 62.5),
    (Diffusion, (0.1, -0.1, 0.0, 2.0), {"same": 0.1}, 62.5),
    (Diffusion, (-1.0, -2.0), {}, 0.0),
    (Diffusion, (1.0, 2.0), {}, 100.0),
    (Diffusion, (1.0, nan, -1.0, 3.0), {}, pytest.approx(200.0 / 3.0)),      # the missing are left out
    (Diffusion, (nan, nan), {}, None),
])
def test_several(kind: Any, values: tuple[float, ...], params: dict[str, float], expected: float | None) -> None:
    """By hand; missing inputs, small denominators and overflow say nothing; nothing is said before the last input."""
    assert at_once(kind, *values, **params) == expected


# GB 3838-2002, table 1: what is kept at exactly the limit, and the class just beyond it.
TABLE = {"oxygen": (0, [7.5, 6, 5, 3, 2], -0.001), "codmn": (1, [2, 4, 6, 10, 15], 0.001),
         "nh3n": (2, [0.15, 0.5, 1.0, 1.5, 2.0], 0.001), "tp": (3, [0.02, 0.1, 0.2, 0.3, 0.4], 0.001)}
LAKE = {"tp": (3, [0.01, 0.025, 0.05, 0.1, 0.2], 0.001), "tn": (5, [0.2, 0.5, 1.0, 1.5, 2.0], 0.001)}
CASES = [(lake, name, place, limit, beyond, j + 1) for lake, table in ((0, TABLE), (1, LAKE))
         for name, (place, limits, beyond) in table.items() for j, limit in enumerate(limits)]


@pytest.mark.parametrize(("lake", "name", "place", "limit", "beyond", "grade"), CASES)
def test_each_limit_of_water(lake: int, name: str, place: int, limit: float, beyond: float, grade: int) -> None:
    """One factor alone: at the limit its class, a little beyond it the next."""
    clean = [9.0, 0.1, 0.01, 0.001, 7.0, 0.1]
    at, over = [[*clean[:place], v, *clean[place + 1:]] for v in (limit, limit + beyond)]
    assert at_once(WaterClass, *at, lake=lake) == grade
    assert at_once(WaterClass, *over, lake=lake) == grade + 1


def test_the_worst_factor_decides() -> None:
    """The worst class of all; pH outside 6 to 9 meets none; nitrogen counts in lakes only; the missing are left out."""
    assert at_once(WaterClass, 7.6, 5.9, 0.6, 0.05) == 3.0
    assert at_once(WaterClass, 1.9, 1.0, 0.1, 0.01) == 6.0
    assert [at_once(WaterClass, 9.0, 1.0, 0.1, 0.01, ph) for ph in (6.0, 9.0, 5.99, 9.01)] == [1.0, 1.0, 6.0, 6.0]
    assert [at_once(WaterClass, 9.0, 1.0, 0.1, 0.01, 7.0, 5.0, lake=lake) for lake in (0, 1)] == [1.0, 6.0]
    assert at_once(WaterClass, nan, 5.0, nan, nan) == 3.0
    assert at_once(WaterClass, nan, nan, nan, nan) is None


def test_water_from_other_units() -> None:
    """A limit that comes by way of µg/L is still kept, though the product may be a hair more."""
    for j, limit in enumerate((20, 100, 200, 300, 400)):
        for factor in (0.001, 1e-3 + 1e-19):
            assert at_once(WaterClass, 9.0, 1.0, 0.1, limit * factor) == j + 1
    assert at_once(WaterClass, 9.0, 1.0, 0.1, 0.1 + 0.2) == 4.0


@pytest.mark.parametrize(("population", "per", "x", "expected"), [
    (5e6, 1e5, 20.0, 0.4), (1000.0, 1000.0, 3.0, 3.0), (0.0, 1e5, 3.0, None), (nan, 1e5, 3.0, None), (10.0, 1e5, nan, None),
])
def test_per_population(population: float, per: float, x: float, expected: float | None) -> None:
    """Cases per so many people; an empty or zero population says nothing."""
    p, s = trial(PerPopulation, population=population, per=per)
    said = PerPopulation.step(p, s, 0.0, 0.0, x)
    assert isnan(said) if expected is None else said == pytest.approx(expected)
