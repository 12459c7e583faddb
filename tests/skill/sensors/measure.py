"""Faults of sensors by spell, and real floods not flagged: the checks of a pack beside the plain four of QARTOD.

A fault is a spell of readings that a person judged bad (Logan River: any code; Sandy Creek: label 1). It is found when a flag (suspect
or fail) lies in it or up to two readings from it. Flags less than five readings apart are one spell; one that touches no fault is
false. F1 = 2 found / (2 found + false + missed), over all sensors of a set. A flood is where the corrected level is among the highest
twentieth of its file and the reading is not judged bad. The limits were tuned on the same files, so both figures flatter; of the
Logan River limits tuned on two of its three sites were no better than the plain ones at the third (README.md). Missing readings (-9999) are no readings: they are neither faults nor found.
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
NEAR, MERGE = 2, 4      # readings
LOGAN = ("temp", "cond", "ph", "do", "turb", "stage")
SANDY = {"level": "Level", "ec": "Cond", "tur": "Tur"}


class Sensor(NamedTuple):
    """One sensor of one file: its indicator and site, times (µs UTC), values, judged bad, in a flood."""

    indicator: str
    site: str
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    bad: Bools
    flood: Bools


def micros(times: Any) -> NDArray[np.int64]:
    """As µs UTC."""
    return np.asarray(times.to_numpy("datetime64[us]").astype(np.int64))


def logan(tools: Any) -> list[Sensor]:
    """Nine years of three sites in Utah."""
    out = []
    for k, path in enumerate(sorted(tools.folder("logan-river").glob("*20*.csv.gz"))):
        frame = pd.read_csv(path)
        t = micros(pd.to_datetime(frame["datetime"], format="mixed"))
        level = frame["stage_cor"].where(frame["stage_cor"] > -9000.0)
        high = (level >= level.quantile(0.95)).to_numpy()
        for name in LOGAN:
            x, bad = frame[name].to_numpy(float), frame[f"{name}_qual"].notna().to_numpy()
            there = np.isfinite(x) & (x > -9000.0)
            out.append(Sensor(name, f"logan{k}", t[there], x[there], bad[there], (high & ~bad)[there]))
    return out


def sandy(tools: Any) -> list[Sensor]:
    """A year of Sandy Creek in Queensland."""
    frame = pd.read_csv(tools.folder("oddwater") / "sandy_anom.csv.gz")
    t = micros(pd.to_datetime(frame["Timestamp"], dayfirst=True))
    high = (frame["Level"] >= frame["Level"].quantile(0.95)).to_numpy()
    out = []
    for name, column in SANDY.items():
        bad = (frame[f"label_{column}"] == 1).to_numpy()
        out.append(Sensor(name, "sandy", t, frame[column].to_numpy(float), bad, high & ~bad))
    return out


def flags(tools: Any, sensors: list[Sensor], prefix: str) -> list[Bools]:
    """Whether each reading is flagged suspect or fail by the checks of `PREFIXindicator`."""
    from streams.replay.score import score

    made = tools.history({f"{prefix}{s.indicator}@{s.site}": (s.t, s.x) for s in sensors})
    flag = np.isin(score(tools.configs("sensors"), made, "sensors/any").flag, (3, 4))
    return np.split(flag, np.cumsum([len(s.t) for s in sensors])[:-1])


def spells(on: Bools, merge: int = 0) -> list[tuple[int, int]]:
    """[first, last] of each run; runs at most `merge` readings apart are one."""
    rows = np.flatnonzero(on)
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > merge + 1) + 1) if len(rows) else []
    return [(int(part[0]), int(part[-1])) for part in parts]


def counted(sensors: list[Sensor], flagged: list[Bools]) -> dict[str, float]:
    """Faults, those found, false spells, F1, flags per thousand readings of floods."""
    faults = found = false = high = wrong = 0
    for s, on in zip(sensors, flagged, strict=True):
        wide = [(a - NEAR, b + NEAR) for a, b in spells(s.bad)]
        said = spells(on, MERGE - 1)
        rows = np.flatnonzero(on)
        faults += len(wide)
        found += sum(bool(((rows >= a) & (rows <= b)).any()) for a, b in wide)
        false += sum(not any(a <= q and p <= b for a, b in wide) for p, q in said)
        high, wrong = high + int(s.flood.sum()), wrong + int((s.flood & on).sum())
    return {"faults": faults, "found": found, "false": false, "f1": 2 * found / max(found + false + faults, 1),
            "floods": 1000.0 * wrong / max(high, 1)}


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows = []
    for name, read in (("logan-river", logan), ("oddwater", sandy)):
        sensors = read(tools)
        ours, plain = (counted(sensors, flags(tools, sensors, prefix)) for prefix in ("", "plain_"))
        rows.append(tools.Row(name, f"F1 of {ours['faults']} faults by spell, limits of both tuned on these files", *(_told(f) for f in (ours, plain)),
                              "F1 above the best plain QARTOD set", ours["f1"] > plain["f1"], {"ours": ours, "plain": plain}))
        rows.append(tools.Row(name, "flags a thousand readings of floods", *(f"{f['floods']:.2f}" for f in (ours, plain)), "near 0 (below 5)",
                              ours["floods"] < 5.0))
    return rows


def _told(figures: dict[str, float]) -> str:
    return f"{figures['f1']:.3f} ({figures['found']} found, {figures['false']} false)"
