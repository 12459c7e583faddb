from __future__ import annotations

import random

import numpy as np
import pytest

from detectors.kinds.five_lamp import FiveLamp
from detectors.trial import trial


def score(x: float, **zones: float) -> float:
    p, s = trial(FiveLamp, **zones)
    return FiveLamp.step(p, s, 0.0, x)


def test_lamps_at_their_limits() -> None:
    """At each zone limit the score is the lamp's own number, exactly, so limits are reached; for zones of any kind."""
    r = random.Random(1)
    for _ in range(300):
        zones = sorted(r.uniform(-1e3, 1e3) for _ in range(4))
        given = dict(zip(("blue", "cyan", "yellow", "red"), zones, strict=True))
        assert [score(x, **given) for x in zones] == [-2.0, -1.0, 1.0, 2.0]


def test_straight_between_and_beyond() -> None:
    """Between and beyond the limits the score is that of NumPy's straight lines, and 0.0 in the middle of green."""
    places, lamps = (30.0, 60.0, 80.0, 100.0, 120.0, 140.0, 180.0), (-3.5, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0)
    for x in np.linspace(30.0, 180.0, 301).tolist():
        assert score(x, blue=60.0, cyan=80.0, yellow=120.0, red=140.0) == pytest.approx(np.interp(x, places, lamps))


@pytest.mark.parametrize(("index", "lamp"), [(88.0, 0), (84.0, 0), (113.3, 0), (106.7, 0), (66.0, -2), (70.0, -1), (120.0, 1), (134.0, 2)])
def test_published_months(index: float, lamp: int) -> None:
    """Months of 1991 and 2008 whose index was published as green are green; the other zones are where they are said to be."""
    assert int(score(index)) == lamp


def test_zones_without_width() -> None:
    """Where two limits are one, the further lamp shows at once and nothing is divided by zero."""
    assert score(5.0, blue=1.0, cyan=1.0, yellow=5.0, red=5.0) == 2.0
    assert score(1.0, blue=1.0, cyan=1.0, yellow=5.0, red=5.0) == -2.0
