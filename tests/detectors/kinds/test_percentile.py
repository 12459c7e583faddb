from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from detectors.kinds.percentile import Percentile
from detectors.trial import trial

DAY = 86400.0
MONDAY = datetime(2018, 1, 1, tzinfo=UTC).timestamp() - 28800.0     # 00:00 in China


def run(values: Any, step: float, **params: Any) -> tuple[list[float], Any]:
    p, s = trial(Percentile, **params)
    return [Percentile.step(p, s, MONDAY + step * i, float(x)) for i, x in enumerate(values)], s


def baseline(weeks: Any, now: int, years: int, beside: int) -> list[float]:
    """The sums of the same weeks of the years before, as far as they exist."""
    same = [now - round(52.1775 * y) + k for y in range(1, years + 1) for k in range(-beside, beside + 1)]
    return [float(weeks[w]) for w in same if 0 <= w < now]


@pytest.mark.parametrize(("years", "beside"), [(3, 2), (5, 2), (5, 4), (1, 1)])
def test_the_rule_on_weekly_counts(years: int, beside: int) -> None:
    """The score is at least q exactly when the count is at least NumPy's q-th percentile of the same weeks."""
    counts = np.random.default_rng(1).poisson(8.0 + 5.0 * np.sin(np.arange(330) / 52.18 * 2.0 * np.pi)) + 1.0
    scores, s = run(counts, 7 * DAY, years=years, beside=beside, warm=3)
    for i in range(60, 330):
        base = baseline(counts, i, years, beside)
        for q in (10.0, 50.0, 60.0, 80.0, 90.0):
            assert (scores[i] >= q - 1e-9) == (counts[i] >= np.percentile(base, q) - 1e-9)
    assert s.n == len(base)


def test_daily_counts_are_sums_of_seven_days() -> None:
    """Of daily counts the last seven are judged, whatever day it is, against whole weeks of earlier years."""
    counts = np.random.default_rng(2).poisson(3.0, 4 * 365).astype(float)
    scores, _ = run(counts, DAY, years=3, warm=15)
    weeks = [counts[7 * w:7 * w + 7].sum() for w in range(len(counts) // 7)]
    for i in range(1200, len(counts)):
        base, now = baseline(weeks, i // 7, 3, 2), counts[i - 6:i + 1].sum()
        assert len(base) == 15
        assert (scores[i] >= 80.0 - 1e-9) == (now >= np.percentile(base, 80.0) - 1e-9)
    assert scores[3 * 365 - 60] == 0.0


def test_a_missing_day_is_not_an_old_one() -> None:
    """After a week without readings the days before it do not count."""
    p, s = trial(Percentile)
    for day in (*range(7), 13):
        Percentile.step(p, s, MONDAY + DAY * day, 5.0)

    assert sum(c for d, c in zip(s.days, s.counts, strict=True) if d > max(s.days) - 7.0) == 5.0


def test_few_are_never_unusual() -> None:
    """Where nobody ever fell ill, no case is no signal, one case is one, and below `least` it is none."""
    quiet = [0.0] * 300
    assert run(quiet, 7 * DAY)[0] == quiet
    assert run([*quiet, 1.0], 7 * DAY)[0][-1] == 100.0
    assert run([*quiet, 1.0], 7 * DAY, least=3.0)[0][-1] == 0.0


def test_no_opinion_without_years() -> None:
    """With fewer weeks of earlier years than `warm` the score is 0.0, however high the count."""
    scores, s = run([*[5.0] * 120, 500.0], 7 * DAY)

    assert scores[-1] == 0.0 and s.n == 10.0
