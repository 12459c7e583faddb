"""Counts of notified diseases (R package surveillance), if they are on this machine."""
from __future__ import annotations

from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd

from streams.fit._glm import quantile
from streams.fit.farrington import predicted

TOLD = SimpleNamespace(years=5.0, beside=3.0, exclude=26.0)


def alarms(real: ModuleType, name: str, start: int, alpha: float = 0.005) -> list[int]:
    """The weeks from `start` on whose count lies beyond the limit that the weeks before gave."""
    column = pd.read_csv(real._folder("surveillance-counts") / f"{name}.csv").iloc[:, -1]
    y = column.to_numpy(float)
    out = []
    for week in range(start, len(y)):
        found = predicted(pd.Series(y[:week], index=np.arange(week)), week, week, TOLD)
        if found is not None and y[week] > quantile(found[0], found[1], 1 - alpha) and y[week - 3:week + 1].sum() >= 5:
            out.append(week)
    return out


def test_cryptosporidiosis(real: ModuleType) -> None:
    """The autumn wave of k1 (weeks 138 to 141: 12, 12, 17, 11 where 2 are usual) is told from its first week, and little else is."""
    found = alarms(real, "k1", 130, 0.01)
    assert {138, 139, 140} <= set(found) and len(found) <= 8


def test_salmonella(real: ModuleType) -> None:
    """Eleven years of a count in the hundreds, overdispersed and falling: a few weeks in a hundred lie beyond the limit."""
    found = alarms(real, "salmAllOnset", 200, 0.01)
    assert 5 <= len(found) <= 30
