"""The weighted mean of what is there; and the chain of operators that a pack makes the Conference Board's index of."""
from __future__ import annotations

from math import exp, log, nan

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from detectors.derive.weighted import Weighted
from detectors.trial import trial

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(nan)), min_size=2, max_size=16)
WEIGHTS = st.lists(st.floats(0.1, 10), min_size=16, max_size=16)


def said(p: object, s: object, values: list[float]) -> list[float]:
    return [Weighted.step(p, s, 0.0, float(k), x) for k, x in enumerate(values)]


@given(VALUES, WEIGHTS)
def test_mean_of_what_is_there(values: list[float], weights: list[float]) -> None:
    """Whatever came before, missing inputs weigh nothing, and nothing makes no mean."""
    p, s = trial(Weighted, inputs=len(values), weights=weights, times=2.0)
    said(p, s, [1e5] * len(values))
    there = [(w, x) for w, x in zip(weights, values, strict=False) if x == x]
    *early, last = said(p, s, values)
    assert all(y != y for y in early)
    assert last == approx(2 * sum(w * x for w, x in there) / sum(w for w, _ in there), abs=1e-6) if there else last != last


def test_conference_board() -> None:
    """A weighted mean of symmetric changes, chained, is the published composite index (two series of four months)."""
    rows = ([100.0, 101.0, 102.0, 101.0], [50.0, 50.5, 52.0, 51.0])
    p, s = trial(Weighted, inputs=2, weights=[0.682495, 0.317505, *[0.0] * 14])
    grown, index = 0.0, [100.0]
    for i in range(1, 4):
        change = said(p, s, [200 * (row[i] - row[i - 1]) / (row[i] + row[i - 1]) for row in rows])[-1]
        grown += log((200 + change) / (200 - change))
        index.append(100 * exp(grown))
    assert index == approx([100, 101, 102.630769, 101.316408], abs=1e-5)
