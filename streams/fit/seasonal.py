"""Hours of the week and of holidays, of a site by itself or with the shape of its group."""
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from detectors.days import profile
from streams.fit._rows import Asked

HOURS = 216             # 168 of the week, 24 of a public holiday, 24 of the Spring Festival
BOUND = 4.0             # deviations beyond which a reading counts as one that errs by so many
FEWEST = 48             # readings of a site without which nothing is said of it


def fit(readings: pd.DataFrame, asked: Asked) -> dict[str, dict[str, Any]]:
    """Slots of each site that has readings enough, with its group's shape where it has one."""
    if readings.empty:
        return {}
    told = next(iter(asked.told.values()))
    frame = readings.assign(hour=hours(readings["t"], told.offset, asked.calendar.row()))
    frame = frame[frame.groupby("site", observed=True)["x"].transform("size") >= FEWEST]
    shape = asked.detector.fit.shape if asked.detector.fit else {}
    frame["group"] = frame["site"].map(shape) if shape else frame["site"]
    out: dict[str, dict[str, Any]] = {}
    for name, part in frame[frame["group"].notna()].groupby("group", observed=True):
        alone = not shape or name == ""
        for sites in ([s for _, s in part.groupby("site", observed=True)] if alone else [part]):
            out |= pooled(sites, asked)
    return out


def hours(t: pd.Series, offset: float, row: tuple[float, ...]) -> Any:
    """The place of each moment (seconds UTC) in a profile: weekday * 24 + hour, then holidays, then the Spring Festival."""
    local = t.to_numpy(float) + offset
    days, inverse = np.unique(local // 86_400.0, return_inverse=True)
    profiles = np.array([profile(row, day) for day in days.tolist()], int)
    return profiles[inverse] * 24 + (local % 86_400.0 // 3600.0).astype(int)


def pooled(part: pd.DataFrame, asked: Asked) -> dict[str, dict[str, Any]]:
    """One shape for all of these sites, each at its own level. Of one site alone the shape is its own."""
    level = part.groupby("site", observed=True)["x"].mean()
    level = level.where(level.abs() > 0.0, 1.0) if len(level) > 1 else level * 0.0 + 1.0
    for _ in range(3 if len(level) > 1 else 1):                        # sites may have seen other hours of the week
        ratio = part["x"] / part["site"].map(level).to_numpy(float)
        mean, variance, count = robust(part["hour"].to_numpy(), ratio.to_numpy(float))
        usual = pd.Series(mean[part["hour"].to_numpy()], part.index)
        if len(level) > 1:
            sums = part["x"].groupby(part["site"], observed=True).sum() / usual.groupby(part["site"], observed=True).sum()
            level = sums.where(np.isfinite(sums) & (sums != 0.0), level)
    out = {}
    for site, scale in level.items():
        p = asked.told[str(site)]
        dense = max(3600.0 / p.every if p.every > 0.0 else 1.0, 1.0)
        weight = np.where(count > 0, np.minimum(count, dense * max(2.0 * p.warm, 1.0 / max(p.alpha, 1e-3))), 0.0)
        out[str(site)] = slots(mean * scale, variance * scale * scale, weight, dense)
    return out


def robust(hour: Any, x: Any) -> tuple[Any, Any, Any]:
    """Mean, variance and number of each hour; readings beyond BOUND deviations are drawn in, twice."""
    count = np.bincount(hour, minlength=HOURS).astype(float)
    some, y = np.maximum(count, 1.0), x
    for _ in range(3):
        mean = np.bincount(hour, y, HOURS) / some
        variance = np.bincount(hour, (y - mean[hour]) ** 2, HOURS) / some
        reach = BOUND * np.sqrt(variance)[hour]
        y = np.clip(x, mean[hour] - reach, mean[hour] + reach)
    return mean, variance, count


def slots(mean: Any, variance: Any, weight: Any, dense: float) -> dict[str, Any]:
    """As the kind keeps them."""
    known = weight[weight > 0.0]
    return {"means": mean[:168], "vars": variance[:168], "counts": weight[:168], "n": float(np.median(known)) / dense,
            "off_means": mean[168:], "off_vars": variance[168:], "off_counts": weight[168:]}
