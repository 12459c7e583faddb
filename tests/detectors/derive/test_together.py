from __future__ import annotations

from math import inf, nan

from hypothesis import given
from hypothesis import strategies as st

from detectors.derive.together import Together
from detectors.trial import trial

VALUES = st.lists(st.one_of(st.floats(-10, 10), st.just(nan)), min_size=2, max_size=8)


@given(VALUES)
def test_it_counts(values: list[float]) -> None:
    """The number of inputs that are there and outside their band, whatever came before; nothing of nothing."""
    n = len(values)
    p, s = trial(Together, inputs=n, low=[-1.0 - k for k in range(8)], high=[2.0 + k for k in range(8)])
    for k in range(n):
        Together.step(p, s, 0.0, float(k), 99.0)
    said = [Together.step(p, s, 1.0, float(k), x) for k, x in enumerate(values)]
    off = sum(x < -1.0 - k or x > 2.0 + k for k, x in enumerate(values))
    assert all(y != y for y in said[:-1])
    assert said[-1] == off if any(x == x for x in values) else said[-1] != said[-1]


def test_a_band_may_be_open() -> None:
    """An end that is NaN is off."""
    p, s = trial(Together, inputs=2, low=[nan] * 8, high=[nan] * 8)
    assert [Together.step(p, s, 0.0, float(k), x) for k, x in enumerate((-inf, 1e300))][-1] == 0.0
