"""Expectation and limit of the coming weeks' counts: the improved Farrington algorithm (Noufaily et al. 2013)."""
from __future__ import annotations

from math import exp
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from detectors.charts import EPOCH
from detectors.kinds.farrington import AHEAD
from streams.clock import MICRO
from streams.fit._glm import Model, anscombe, quantile, quasi_poisson
from streams.fit._rows import Asked

YEAR = 52.1775          # weeks
GROUPS = 10             # seasonal levels, this week's own among them
HEAVY = 2.58            # weeks that lie farther from the first fit (Anscombe) weigh less in the second
FEWEST = 104            # weeks of history without which there is no fit


def fit(readings: pd.DataFrame, asked: Asked) -> dict[str, dict[str, Any]]:
    """Slots of each site with at least two years of weeks."""
    out = {}
    for site, mine in readings.groupby("site", observed=True):
        p = asked.told[str(site)]
        now = int(((asked.as_of / MICRO + p.offset) // 86_400 + 3) // 7)
        counts = weekly(mine, p.offset, now)
        if len(counts) >= FEWEST:
            out[str(site)] = coming(counts, now, p)
    return out


def weekly(readings: pd.DataFrame, offset: float, now: int) -> pd.Series:
    """Counts of whole weeks (number of the week -> count), before the week `now`."""
    week = ((readings["t"] + offset) // 86_400 + 3) // 7
    counts = readings["x"].clip(lower=0.0).groupby(week.astype(int)).sum()
    return counts[counts.index < now]


def coming(counts: pd.Series, now: int, p: SimpleNamespace) -> dict[str, Any]:
    """Slots for the week `now` and those after it."""
    weeks, means, limits = np.zeros(AHEAD), np.zeros(AHEAD), np.zeros(AHEAD)
    used = 0
    for week in range(now, now + AHEAD):
        found = predicted(counts, week, now, p)
        if found is not None:
            mean, dispersion, used = found
            k = week % AHEAD
            weeks[k], means[k] = week + EPOCH, mean
            limits[k] = max(quantile(mean, dispersion, 1.0 - p.alpha) + 1.0, mean + 1.0)
    return {"weeks": weeks, "means": means, "limits": limits, "fits": float(used)}


def predicted(counts: pd.Series, week: int, now: int, p: SimpleNamespace) -> tuple[float, float, int] | None:
    """Mean, dispersion and number of weeks behind them; None where the model cannot be fitted."""
    back = week - counts.index.to_numpy()
    kept = (back > p.exclude + week - now) & (back <= round(p.years * YEAR) + p.beside)
    y, back = counts.to_numpy(float)[kept], back[kept].astype(float)
    if len(y) < FEWEST // 2 or not y.any():
        return None
    seasons = season(back, p.beside)
    columns = [np.ones(len(y)), *((seasons == g).astype(float) for g in range(1, GROUPS) if (seasons == g).any())]
    trend = -back / YEAR
    model = reweighted(np.column_stack([*columns, trend]), y) if back.max() - back.min() >= 2 * YEAR else None
    if model is None or exp(min(model.beta[0], 30.0)) > max(y.max(), 1.0):      # a trend that foretells more than was ever seen
        model = reweighted(np.column_stack(columns), y)
    return None if model is None else (exp(min(float(model.beta[0]), 30.0)), model.dispersion, len(y))


def season(back: Any, beside: float) -> Any:
    """The seasonal level of weeks so far back: 0 within `beside` weeks of this time of the year, then nine equal parts."""
    phase = back % YEAR
    near = np.minimum(phase, YEAR - phase) <= beside + 0.5
    part = 1 + np.floor((phase - beside) / (YEAR - 2 * beside) * (GROUPS - 1)).astype(int)
    return np.where(near, 0, np.clip(part, 1, GROUPS - 1))


def reweighted(design: Any, y: Any) -> Model | None:
    """Fitted twice: the second time weeks that the first found far off weigh less, as past outbreaks."""
    first = quasi_poisson(design, y, np.ones(len(y)))
    if first is None:
        return None
    far = anscombe(y, first)
    weights = np.where(far > HEAVY, 1.0 / np.maximum(far, 1.0) ** 2, 1.0)
    return quasi_poisson(design, y, weights * len(y) / weights.sum())
