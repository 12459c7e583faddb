from __future__ import annotations

from math import exp, lgamma, log, pi
from typing import Any

import numpy as np
import pytest

from detectors.kinds.bocpd import Bocpd
from detectors.trial import trial

NILE = (1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140, 1100, 1210,
        1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969, 831, 726, 456, 824, 702)
"""Yearly flow of the Nile at Aswan from 1871, 10^8 m3: it fell for good in 1899 (G. W. Cobb, Biometrika 65 (1978) 243-251)."""


def run(values: Any, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Bocpd, **params)
    return [Bocpd.step(p, s, 0.0, float(x)) for x in values], s


def foretold(x: float, past: Any, mean: float, var: float, strength: float) -> float:
    """Density of a reading after those of its run: Student's t of the normal-gamma posterior, as textbooks have it."""
    n, a = len(past), 1.0 + len(past) / 2.0
    k, own = strength + n, float(np.mean(past)) if n else mean
    m = (strength * mean + n * own) / k
    b = var + 0.5 * float(np.sum((past - own) ** 2)) + 0.5 * strength * n * (own - mean) ** 2 / k
    scale, v = b * (k + 1.0) / (a * k), 2.0 * a
    return exp(lgamma((v + 1.0) / 2.0) - lgamma(v / 2.0) - 0.5 * log(v * pi * scale)
               - 0.5 * (v + 1.0) * log(1.0 + (x - m) ** 2 / (v * scale)))


def published(xs: Any, warm: int, regime: float, recent: int, strength: float, alpha: float) -> list[float]:
    """The recursion over run lengths with the whole past at hand, runs beyond 64 lumped."""
    mean, var, runs, out = 0.0, 0.0, {warm: 1.0}, []
    for i, x in enumerate(xs):
        score, d = 0.0, x - mean
        if i >= warm:
            grown = {1: foretold(x, xs[:0], mean, var, strength) / regime}
            for r, w in runs.items():
                past = xs[i - min(r, 64):i]
                now = min(r + 1, 64)
                grown[now] = grown.get(now, 0.0) + w * foretold(x, past, mean, var, strength) * (1.0 - 1.0 / regime)
            total = sum(grown.values())
            runs = {r: w / total for r, w in grown.items()}
            score = sum(w for r, w in runs.items() if r <= recent)
            d = float(np.clip(d, -4.0 * var**0.5, 4.0 * var**0.5))
        out.append(score)
        a = max(alpha, 1.0 / (i + 1.0))
        mean, var = mean + a * d, (1.0 - a) * (var + a * d * d)
    return out


def test_as_published() -> None:
    """The chance of a recent change is that of the published recursion with textbook Student densities."""
    r = np.random.default_rng(1)
    xs = np.concatenate([r.normal(10.0, 1.0, 120), r.normal(13.0, 1.0, 40), r.normal(13.0, 0.2, 50)])
    scores, _ = run(xs, warm=30, regime=100, recent=4)

    assert scores == pytest.approx(published(xs, 30, 100.0, 4, 0.1, 0.005), abs=1e-9)
    assert max(scores[30:120]) < 0.5 and max(scores[120:126]) > 0.95


def test_run_lengths_are_chances() -> None:
    """The weights of the run lengths are never negative and add up to 1, whatever was read."""
    r = np.random.default_rng(2)
    p, s = trial(Bocpd, warm=20)
    for x in [*r.normal(size=60), *r.choice([1e300, -1e300, 5e-324, 0.0, 7.0], 400)]:
        score = Bocpd.step(p, s, 0.0, float(x))
        assert 0.0 <= score <= 1.0
        assert s.begun == 0.0 or (min(s.runs) >= 0.0 and sum(s.runs) == pytest.approx(1.0))


def test_quiet() -> None:
    """Over 5 000 readings of one regime a chance above 0.9 is given at most ten times."""
    scores, _ = run(np.random.default_rng(3).normal(5.0, 2.0, 5000))

    assert sum(y > 0.9 for y in scores) <= 10


def test_finds_every_step() -> None:
    """Of 20 steps of six deviations each is found within five readings."""
    r = np.random.default_rng(4)
    levels = np.repeat([0.0, 6.0] * 11, 80)
    scores, _ = run(levels + r.normal(size=len(levels)), warm=80)
    for at in range(160, len(levels), 80):
        assert max(scores[at:at + 5]) > 0.9


def test_what_never_moved() -> None:
    """A constant has no spread to compare with and says 0.0, unless `floor` gives it one."""
    assert set(run([5.0] * 80, warm=50)[0]) == {0.0}
    assert run([5.0] * 80 + [9.0], warm=50, floor=0.1)[0][-1] > 0.9


def test_the_nile_of_1899() -> None:
    """The fall of 1899 is the only change it is sure of, and it is sure within seven years."""
    scores, _ = run(NILE, warm=20, regime=100, recent=10)
    sure = [1871 + i for i, y in enumerate(scores) if y > 0.7]

    assert 1899 <= sure[0] <= 1905 and sure[-1] <= 1909
