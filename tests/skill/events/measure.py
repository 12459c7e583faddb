"""Events found against false alarms a day: a rig, a simulated town's water, a real water works, cloud counters.

An event (a labelled spell) is found when an alarm begins inside it or up to ten readings before or after. Alarms less than ten
readings apart are one; the first 10 % of a file only teaches. Several sensors: the highest score counts. Each method has one
threshold for a whole set; told are the events found at the highest number of false alarms a day that is allowed.
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Case(NamedTuple):
    """One file: times in µs UTC, sensors by name, 1 where an event is labelled."""

    t: NDArray[np.int64]
    sensors: dict[str, Floats]
    label: NDArray[np.bool_]


def case(frame: Any, time: str, label: Any, sensors: list[str], dayfirst: bool = False) -> Case:
    """A frame as a case, in order of time."""
    t = pd.to_datetime(frame[time], dayfirst=dayfirst, format=None if dayfirst else "ISO8601").to_numpy("datetime64[us]").astype(np.int64)
    order = np.argsort(t, kind="stable")
    return Case(t[order], {c: frame[c].to_numpy(float)[order] for c in sensors}, np.asarray(label)[order] > 0)


def ms_cloud(tools: Any) -> list[Case]:
    """30 counters of services."""
    frames = [pd.read_csv(f) for f in sorted(tools.folder("ms-cloud").glob("*/*.csv.gz"))]
    return [case(f, "TimeStamp", f["Label"], ["Value"]) for f in frames]


def gecco(tools: Any) -> list[Case]:
    """A water works, each minute."""
    frame = pd.read_csv(tools.folder("gecco2018") / "geccoIC2018Train.csv.gz")
    return [case(frame, "Time", frame["EVENT"], ["Tp", "Cl", "pH", "Redox", "Leit", "Trueb", "Cl_2", "Fm", "Fm_2"])]


def batadal(tools: Any) -> list[Case]:
    """A simulated town, hourly: tanks, flows, pressures."""
    folder: Path = tools.folder("batadal")
    frame = pd.read_csv(next(folder.glob("training*.csv.gz")))
    time = frame.columns[0]
    label = frame[next(c for c in frame if c.strip() == "ATT_FLAG")]
    return [case(frame, time, label, [c for c in frame if c.strip()[:2] in ("L_", "F_", "P_")], True)]


def skab(tools: Any) -> list[Case]:
    """A rig with eight sensors, each second; every file a run of 20 minutes."""
    out = []
    for file in sorted(tools.folder("skab").glob("*/*.csv.gz")):
        frame = pd.read_csv(file, sep=";")
        if "anomaly" in frame:
            out.append(case(frame, "datetime", frame["anomaly"], [c for c in frame if c not in ("datetime", "anomaly", "changepoint")]))
    return out


def spells(label: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Rows [first, last] of each run of ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], label.astype(np.int8), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def found_at(cases: list[Case], scores: list[Floats], allowed: float) -> tuple[int, float]:
    """Most events found with at most `allowed` false alarms a day, and those a day."""
    levels = np.unique(np.quantile(np.concatenate([s[s > 0.0] for s in scores]), 1.0 - np.logspace(-5, -0.7, 60)))
    best = (0, 0.0)
    days = sum((c.t[-1] - c.t[0]) / 86.4e9 * 0.9 for c in cases)
    for level in levels:
        found = false = 0
        for c, score in zip(cases, scores, strict=True):
            f, w = _count(c, score, float(level))
            found, false = found + f, false + w
        if false / days <= allowed and found > best[0]:
            best = found, false / days
    return best


def _count(c: Case, score: Floats, level: float) -> tuple[int, int]:
    first = len(score) // 10
    on = np.flatnonzero(score >= level)
    on = on[on >= first]
    begins = on[np.concatenate([[True], np.diff(on) > 10])] if len(on) else on
    wide = [(a - 10, b + 10) for a, b in spells(c.label) if a >= first]
    inside = [any(a <= i <= b for a, b in wide) for i in begins]
    return sum(any(a <= i <= b for i in begins) for a, b in wide), len(begins) - sum(inside)


def by_product(tools: Any, detector: str) -> Callable[[list[Case]], list[Floats]]:
    """The scores of a detector of the pack, the highest of all sensors at each moment."""
    city = tools.configs("events")

    def scores(cases: list[Case]) -> list[Floats]:
        out = []
        for c in cases:
            names = list(c.sensors)
            made = tools.history({f"value@s{k}": (c.t, c.sensors[n]) for k, n in enumerate(names)})
            told = np.nan_to_num(tools.scores(city, made, detector), nan=0.0)
            top = np.zeros(len(c.t))
            for k in range(len(names)):
                top = np.maximum(top, np.abs(told[k * len(c.t):(k + 1) * len(c.t)]))
            out.append(top)
        return out

    return scores


def beyond(cases: list[Case]) -> list[Floats]:
    """The simple range: how far beyond the least and greatest of the first tenth, in their distance."""
    out = []
    for c in cases:
        top = np.zeros(len(c.t))
        for x in c.sensors.values():
            past = x[:len(x) // 10]
            low, high = (np.nanmin(past), np.nanmax(past)) if np.isfinite(past).any() else (0.0, 1.0)
            far = np.maximum(low - x, x - high) / max(high - low, 1e-9)
            top = np.maximum(top, np.nan_to_num(np.maximum(far, 0.0)))
        out.append(top)
    return out


SETS: dict[str, tuple[Callable[[Any], list[Case]], float]] = {
    "ms-cloud": (ms_cloud, 0.1), "gecco2018": (gecco, 0.5), "batadal": (batadal, 0.1), "skab": (skab, 48.0)}
"""Reader, and false alarms a day that are allowed (skab: two an hour of its running)."""


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows = []
    for name, (read, allowed) in SETS.items():
        cases = read(tools)
        events = sum(a >= len(c.t) // 10 for c in cases for a, _ in spells(c.label))
        ours, false = found_at(cases, by_product(tools, "events/unlike")(cases), allowed)
        ewma, _ = found_at(cases, by_product(tools, "events/ewma")(cases), allowed)
        wide, _ = found_at(cases, beyond(cases), allowed)
        rows.append(tools.Row(name, f"events found at most {allowed:g} false alarms a day", f"{ours} of {events} ({false:.2f} false a day)",
                              f"EWMA {ewma}, range {wide}", "clearly better", ours > max(ewma, wide),
                              {"found": ours, "events": events, "ewma": ewma, "range": wide}))
    return rows
