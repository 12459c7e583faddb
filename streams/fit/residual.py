"""Base, slopes and spread of a `residual`, and the travel time of each input that leaves it to the fit."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from detectors.pack import Derive, Indicator
from detectors.plan import Plan, told
from detectors.registry import load
from detectors.step import params

FEWEST = 50             # pairs of readings without which there is no fit
HUBER = 1.345           # standard deviations beyond which a reading pulls no harder
STEPS = 96              # travel times that are tried, at most
Readings = Callable[[Indicator], pd.DataFrame]


def sites(plan: Plan, target: Indicator, readings: Readings) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(indicator, site, piece, slots) of each row that is to be written; a site with too little history has none."""
    derive = target.derive
    assert derive is not None
    sources = [_source(plan, name) for name in derive.inputs]
    tables = {i.id: readings(i) for i, _ in sources}
    for site in target.sites:
        series = [_line(tables[i.id], site) for i, _ in sources]
        if any(len(t) < FEWEST for t, _ in series):
            continue
        t, y = series[0]
        lags = [_lags(plan, name, lag, site, target.every) for name, (_, lag) in zip(derive.inputs[1:], sources[1:], strict=True)]
        found = fit(t, y, series[1:], lags)
        if found is None:
            continue
        chosen, slots = found
        yield target.id, site, f"made:{target.id}", slots
        for name, (source, lag), tried, best in zip(derive.inputs[1:], sources[1:], lags, chosen, strict=True):
            if lag is not None and len(tried) > 1:
                yield source.id, site, f"op:{name}", {"lag": best}


def fit(t: Any, y: Any, others: list[tuple[Any, Any]], lags: list[list[float]]) -> tuple[list[float], dict[str, Any]] | None:
    """The travel times (one of `lags` of each input, s) and the slots that explain `y` best; None with too little in common.

    Each input's time is chosen by itself, with the others at theirs, twice round; weights after Huber.
    """
    chosen = [tried[0] for tried in lags]
    for _ in range(2 if any(len(tried) > 1 for tried in lags) else 1):
        for k, tried in enumerate(lags):
            if len(tried) > 1:
                scores = [_error(t, y, others, [*chosen[:k], lag, *chosen[k + 1:]]) for lag in tried]
                chosen[k] = tried[int(np.argmin(scores))]
    design, kept = _design(t, others, chosen)
    if kept.sum() < FEWEST:
        return None
    beta, spread = robust(design[kept], y[kept])
    slopes = np.zeros(6)
    slopes[1:1 + len(others)] = beta[1:]
    return chosen, {"left": 0.0, "slopes": slopes, "base": float(beta[0]), "spread": spread, "fits": float(kept.sum())}


def robust(design: Any, y: Any) -> tuple[Any, float]:
    """Coefficients and the deviation of what is left (1.4826 MAD), after Huber."""
    weights, beta, spread = np.ones(len(y)), np.zeros(design.shape[1]), 1.0
    for _ in range(20):
        root = np.sqrt(weights)
        beta = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        left = y - design @ beta
        spread = max(1.4826 * float(np.median(np.abs(left - np.median(left)))), 1e-9)
        weights = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(left), 1e-12))
    return beta, spread


def _error(t: Any, y: Any, others: list[tuple[Any, Any]], lags: list[float]) -> float:
    """The mean absolute error of the best straight line; inf with too little in common."""
    design, kept = _design(t, others, lags)
    if kept.sum() < FEWEST:
        return float("inf")
    beta = np.linalg.lstsq(design[kept], y[kept], rcond=None)[0]
    return float(np.mean(np.abs(y[kept] - design[kept] @ beta)))


def _design(t: Any, others: list[tuple[Any, Any]], lags: list[float]) -> tuple[Any, Any]:
    """One column of ones and each input as it was its lag before; which rows all inputs reach."""
    columns = [np.interp(t - lag, ts, xs, left=np.nan, right=np.nan) for (ts, xs), lag in zip(others, lags, strict=True)]
    design = np.column_stack([np.ones(len(t)), *columns])
    return design, np.isfinite(design).all(axis=1)


def _source(plan: Plan, name: str) -> tuple[Indicator, Derive | None]:
    """The measured series behind an input: itself, or what a `lagged` one delays."""
    indicator = plan.indicators[name]
    if indicator.derive is not None and indicator.derive.use.kind == "lagged":
        return plan.indicators[indicator.derive.inputs[0]], indicator.derive
    return indicator, None


def _lags(plan: Plan, name: str, lag: Derive | None, site: str, every: float) -> list[float]:
    """The travel times to try, s: the one of the pack, or every step up to `most`."""
    if lag is None:
        return [0.0]
    told_of = {p.name: told(lag.use, p, site, {}) for p in params(load("derive")["lagged"])}
    if told_of["by"] == told_of["by"]:
        return [float(told_of["by"])]
    step = max(every, told_of["most"] / STEPS)
    return [step * n for n in range(1, int(told_of["most"] // step) + 1)]


def _line(readings: pd.DataFrame, site: str) -> tuple[Any, Any]:
    """Times (s UTC) and values of a site, each time once."""
    mine = readings[readings["site"] == site].drop_duplicates("t", keep="last")
    return mine["t"].to_numpy(float), mine["x"].to_numpy(float)
