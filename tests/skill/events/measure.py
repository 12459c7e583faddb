"""Events found against false alarms a day: a rig, a simulated town's water, a real water works, cloud counters.

An event (a labelled spell) is found when an alarm begins inside it or up to ten readings before or after. Alarms less than ten
readings apart are one; the first 10 % of a file only teaches. Each method has one threshold for a whole set; told are the events
found at the highest number of false alarms a day that is allowed, and beside them those found in each file (of one file: in each
seventh of its events) at the threshold that is best for all others. Several sensors: of a works and a rig ours asks for two of them
at once (a rule `at_least: 2`, whose score is the second highest); the simple rules are told at the better of one sensor and two.
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PARTS = 7               # of a set of one file


class Case(NamedTuple):
    """One file: times in µs UTC, sensors by name, 1 where an event is labelled."""

    t: NDArray[np.int64]
    sensors: dict[str, Floats]
    label: NDArray[np.bool_]


def case(frame: Any, time: str, label: Any, sensors: list[str], dayfirst: bool = False) -> Case:
    """A frame as a case, in order of time."""
    t = pd.to_datetime(frame[time], format="%d/%m/%y %H" if dayfirst else "ISO8601").to_numpy("datetime64[us]").astype(np.int64)
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


class Counts(NamedTuple):
    """Events found and false alarms, limits x parts; a part is a file, or of a set of one file a share of its events."""

    found: NDArray[np.int64]
    false: NDArray[np.int64]

    def best(self, days: Floats, allowed: float, learn: NDArray[np.bool_]) -> tuple[int, int]:
        """The limit that finds most in the parts to learn from with at most `allowed` false alarms a day, and how many; -1: none."""
        found, false = self.found[:, learn].sum(axis=1), self.false[:, learn].sum(axis=1)
        found = np.where(false / days[learn].sum() <= allowed, found, -1)
        k = int(np.argmax(found)) if len(found) else -1
        return (k, int(found[k])) if k >= 0 and found[k] >= 0 else (-1, 0)


def cut(cases: list[Case]) -> list[list[int]]:
    """The first row of each part of each file: one file alone is cut midway between events."""
    out = [[len(c.t) // 10] for c in cases]
    if len(cases) == 1:
        told = [e for e in spells(cases[0].label) if e[0] >= out[0][0]]
        at = [len(told) * k // PARTS for k in range(1, PARTS)]
        out[0] += [(told[i - 1][1] + told[i][0]) // 2 for i in at]
    return out


def lengths(cases: list[Case], parts: list[list[int]]) -> Floats:
    """Days of each part."""
    return np.concatenate([np.diff(c.t[[*first, -1]]) / 86.4e9 for c, first in zip(cases, parts, strict=True)])


def counts(cases: list[Case], scores: list[Floats], parts: list[list[int]]) -> Counts:
    """What each limit finds, high limits first."""
    above = np.concatenate([s[s > 0.0] for s in scores])
    levels = np.unique(np.quantile(above, 1.0 - np.logspace(-5, -0.7, 60)))[::-1] if len(above) else np.empty(0)
    told = [[_count(c, s, float(level), np.array(first)) for c, s, first in zip(cases, scores, parts, strict=True)] for level in levels]
    rows = np.array([np.concatenate(row, axis=1) for row in told]).reshape(len(levels), 2, -1)
    return Counts(rows[:, 0], rows[:, 1])


def _count(c: Case, score: Floats, level: float, parts: NDArray[np.int64]) -> NDArray[np.int64]:
    on = np.flatnonzero(score >= level)
    on = on[on >= parts[0]]
    begins = on[np.concatenate([[True], np.diff(on) > 10])] if len(on) else on
    wide = np.array([(a - 10, b + 10) for a, b in spells(c.label) if a >= parts[0]]).reshape(-1, 2)
    inside = (begins[:, None] >= wide[:, 0]) & (begins[:, None] <= wide[:, 1])
    found, false = wide[inside.any(axis=0), 0] + 10, begins[~inside.any(axis=1)]
    return np.array([np.bincount(np.searchsorted(parts, rows, "right") - 1, minlength=len(parts)) for rows in (found, false)])


def unseen(several: list[Counts], days: Floats, allowed: float) -> tuple[int, float]:
    """Events found, and false alarms a day, in each part at the limit (and with the method of several) best in all other parts."""
    found = false = 0
    for part in range(len(days)):
        learn = np.arange(len(days)) != part
        (k, _), c = max(((c.best(days, allowed, learn), c) for c in several), key=lambda one: one[0][1])
        found, false = (found + int(c.found[k, part]), false + int(c.false[k, part])) if k >= 0 else (found, false)
    return found, false / float(days.sum())


def by_product(tools: Any, detectors: tuple[str, ...]) -> Callable[[list[Case]], list[Floats]]:
    """Scores of detectors of the pack, sensors x times: the highest of the detectors (a rule `any`)."""
    city = tools.configs("events")

    def scores(cases: list[Case]) -> list[Floats]:
        sensors = [(c.t, x) for c in cases for x in c.sensors.values()]
        made = tools.history({f"value@s{k}": one for k, one in enumerate(sensors)})
        told = np.max([np.abs(np.nan_to_num(tools.scores(city, made, f"events/{d}"))) for d in detectors], axis=0)
        parts = iter(np.split(told, np.cumsum([len(t) for t, _ in sensors])[:-1]))
        return [np.array([next(parts) for _ in c.sensors]) for c in cases]

    return scores


def of_several(scores: list[Floats], least: int) -> list[Floats]:
    """The score that `least` sensors reach together (all there are, where there are fewer)."""
    return [np.sort(s, axis=0)[-min(least, len(s))] for s in scores]


def beyond(cases: list[Case]) -> list[Floats]:
    """The simple range: how far beyond the least and greatest of the first tenth, in their distance; sensors x times."""
    out = []
    for c in cases:
        rows = []
        for x in c.sensors.values():
            past = x[:len(x) // 10]
            low, high = (np.nanmin(past), np.nanmax(past)) if np.isfinite(past).any() else (0.0, 1.0)
            far = np.maximum(low - x, x - high) / max(high - low, 1e-9)
            rows.append(np.nan_to_num(np.maximum(far, 0.0)))
        out.append(np.array(rows))
    return out


class Set(NamedTuple):
    """Reader, false alarms a day that are allowed, our detectors, how many sensors ours asks for."""

    read: Callable[[Any], list[Case]]
    allowed: float
    ours: tuple[str, ...]
    least: int


SETS = {"ms-cloud": Set(ms_cloud, 0.1, ("unlike", "ewma"), 1), "gecco2018": Set(gecco, 0.2, ("unlike",), 2),
        "batadal": Set(batadal, 0.02, ("unlike",), 1), "skab": Set(skab, 48.0, ("shift",), 2)}
"""skab: two an hour of its running."""


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows = []
    for name, (read, allowed, detectors, least) in SETS.items():
        cases = read(tools)
        parts = cut(cases)
        days = lengths(cases, parts)
        events = sum(a >= len(c.t) // 10 for c in cases for a, _ in spells(c.label))
        plain = {"EWMA": by_product(tools, ("ewma",))(cases), "range": beyond(cases)}
        told = {"ours": [counts(cases, of_several(by_product(tools, detectors)(cases), least), parts)],
                **{n: [counts(cases, of_several(s, k), parts) for k in (1, 2)] for n, s in plain.items()}}
        what = " or ".join(detectors) + (", two sensors" if least > 1 else "")
        here = {n: max((c.best(days, allowed, days > 0.0) for c in some), key=lambda one: one[1]) for n, some in told.items()}
        false = float(told["ours"][0].false[here["ours"][0]].sum() / days.sum())
        found = {n: most for n, (_, most) in here.items()}
        there = {n: unseen(some, days, allowed) for n, some in told.items()}
        rows.append(tools.Row(name, f"events found at most {allowed:g} false alarms a day", f"{found['ours']} of {events} ({what}; {false:.2f} false a day)",
                              f"EWMA {found['EWMA']}, range {found['range']}", "clearly better", found["ours"] > max(found["EWMA"], found["range"]),
                              {"found": found, "events": events}))
        rows.append(tools.Row(name, f"the same, at each {'file' if len(cases) > 1 else 'seventh'} with the limit of the others",
                              f"{there['ours'][0]} of {events} ({there['ours'][1]:.2f} false a day)",
                              ", ".join(f"{n} {there[n][0]} ({there[n][1]:.2f})" for n in plain), tools.TOLD,
                              there["ours"][0] > max(there[n][0] for n in plain), {"found": there, "events": events}))
    return rows
