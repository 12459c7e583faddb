"""A station against its neighbours, and heavy pollution six to 24 hours ahead, beside persistence (Beijing, fine particles).

Neighbours: into four months of twelve stations faults are put, always the same, three of a day each: dead at its value, twice and a
half of the truth, half of it. Found when an alarm touches it; alarms less than twelve hours apart are one, one that touches no fault is
false; F1 = 2 found / (2 found + false + missed), each method at its best limit. Simple: the change within an hour.

Ahead: the mean of 24 hours over the city (median of the stations) at 150 µg/m3 or more, so many hours before it ends; POD, FAR and CSI by
hour at the limit with the best CSI. Persistence: the mean of the last 24 hours, or the hour itself, whichever is better.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HEAVY = 150.0
FIRST, LAST = "2013-11-01", "2014-03-01"


def stations(tools: Any) -> Any:
    """Hours x stations."""
    out = {}
    for path in sorted(tools.folder("beijing-air").glob("*.csv.gz")):
        frame = pd.read_csv(path)
        time = pd.to_datetime(frame[["year", "month", "day", "hour"]])
        out[path.name.removesuffix(".csv.gz").lower()] = pd.Series(frame["PM2.5"].to_numpy(float), index=time)
    return pd.DataFrame(out)


def micros(index: Any) -> NDArray[np.int64]:
    """As µs UTC."""
    return np.asarray(index.to_numpy("datetime64[us]").astype(np.int64))


def with_faults(clean: Any) -> tuple[Any, dict[str, list[tuple[int, int]]]]:
    """The table with faults put in, and [first, last] rows of each by station."""
    chance, table, faults = np.random.default_rng(11), clean.copy(), {}
    for name in table:
        starts = np.sort(chance.choice(len(table) // 96 - 1, 3, replace=False)) * 96 + 48
        for start, how in zip(starts, chance.permutation(3), strict=True):
            rows, column = slice(start, start + 24), table.columns.get_loc(name)
            x = table.iloc[rows, column]
            table.iloc[rows, column] = [table.iloc[start - 1, column], x * 2.5, x * 0.5][how]
        faults[name] = [(int(s), int(s) + 23) for s in starts]
    return table, faults


def f1(scores: dict[str, Floats], faults: dict[str, list[tuple[int, int]]]) -> tuple[float, int, int]:
    """The best F1 of all limits, faults found and false alarms there."""
    best = (0.0, 0, 0)
    every = np.concatenate(list(scores.values()))
    for limit in np.unique(np.quantile(every[every > 0.0], np.linspace(0.9, 0.9999, 60))):
        found = false = 0
        for name, score in scores.items():
            rows = np.flatnonzero(score >= limit)
            parts = np.split(rows, np.flatnonzero(np.diff(rows) > 12) + 1) if len(rows) else []
            wide = [(a, b + 12) for a, b in faults[name]]           # a mean of a day lasts longer than the fault
            found += sum(bool(((rows >= a) & (rows <= b)).any()) for a, b in wide)
            false += sum(not any(a <= p[-1] and p[0] <= b for a, b in wide) for p in parts)
        total = sum(len(v) for v in faults.values())
        best = max(best, (2 * found / (found + false + total), found, false))
    return best


def against_neighbours(tools: Any, table: Any) -> Any:
    """The row of faults of stations."""
    table, faults = with_faults(table[FIRST:LAST])
    t = micros(table.index)
    series = {f"pm25@{name}": (t, table[name].to_numpy()) for name in table}
    city, history = tools.configs("air"), tools.history(series)
    scores = {name: by_station(tools.scores(city, history, f"air/{name}"), table) for name in ("stranger", "step")}
    told = {detector: f1(score, faults) for detector, score in scores.items()}
    (ours, found, false), (plain, plain_found, plain_false) = told["stranger"], told["step"]
    return tools.Row("beijing-air", f"F1 of {sum(map(len, faults.values()))} faults put into stations",
                     f"{ours:.2f} ({found} found, {false} false)",
                     f"change in an hour {plain:.2f} ({plain_found} found, {plain_false} false)", tools.TOLD, ours > plain,
                     {"ours": ours, "plain": plain})


def by_station(scores: Floats, table: Any) -> dict[str, Floats]:
    """The size of the scores of each station."""
    return dict(zip(table, np.split(np.abs(np.nan_to_num(scores)), len(table.columns)), strict=True))


def csi(said: Floats, heavy: NDArray[np.bool_], there: NDArray[np.bool_]) -> tuple[float, float, float]:
    """CSI, POD, FAR at the limit with the best CSI."""
    best = (0.0, 0.0, 0.0)
    for limit in range(60, 260, 5):
        on = (said >= limit) & there
        hit, false, missed = (on & heavy).sum(), (on & ~heavy).sum(), (~on & heavy & there).sum()
        best = max(best, (hit / (hit + false + missed), hit / (hit + missed), false / max(hit + false, 1)))
    return best


def ahead(tools: Any, table: Any) -> list[Any]:
    """The rows of heavy pollution."""
    hour = table.median(axis=1)
    day = hour.rolling(24, min_periods=18).mean()
    city, rows = tools.configs("air"), []
    history = tools.history({"city@aotizhongxin": (micros(hour.index), hour.to_numpy())})
    for hours in (6, 12, 24):
        later = day.shift(-hours)
        said = tools.scores(city, history, f"air/heavy-{hours}h")
        there = (later.notna() & hour.notna() & day.notna()).to_numpy() & np.isfinite(said)
        heavy = (later >= HEAVY).to_numpy()
        ours = csi(said, heavy, there)
        plain = max(csi(x.to_numpy(), heavy, there) for x in (day, hour))
        rows.append(tools.Row("beijing-air", f"heavy pollution {hours} h ahead: CSI (POD, FAR)", _told(ours), f"persistence {_told(plain)}",
                              tools.TOLD, ours[0] > plain[0], {"ours": ours, "plain": plain}))
    return rows


def _told(figures: tuple[float, float, float]) -> str:
    return f"{figures[0]:.2f} ({figures[1]:.2f}, {figures[2]:.2f})"


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    table = stations(tools)
    return [against_neighbours(tools, table), *ahead(tools, table)]
