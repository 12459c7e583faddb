"""Faults of sensors by spell, and real floods not flagged: the checks of a pack beside the plain ones of QARTOD.

A fault is a spell of readings that a person judged bad (Logan River: any code; Sandy Creek: label 1). It is found when a flag (suspect
or fail) lies in it or up to two readings from it. Flags less than five readings apart are one spell; one that touches no fault is
false. F1 = 2 found / (2 found + false + missed), over all sensors of a set. A flood is where the corrected level is among the highest
twentieth of its file and the reading is not judged bad. Missing readings (-9999) are no readings: they are neither faults nor found.

Three settings are told. At a place not seen: limits with the best F1 on the other places (`unseen`), for Sandy Creek those of the Logan
River. One setting: the pack's, `change` as it comes with ranges of what is physically possible, the same at every site. Tuned on these
files: each limit of ours and of the plain four for the best F1 on the very files that are told, which flatters both.
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
ALIKE = {"level": ("stage", 100.0), "ec": ("cond", 1.0), "tur": ("turb", 1.0)}        # of Sandy Creek in the units of the Logan River

OURS = [{"up": up, "down": down} for up in (60.0, 100.0, 1e9) for down in (15.0, 20.0, 25.0, 30.0)]
TIMES = (0.7, 1.4, 2.8, 4.0, 5.6, 8.0, 16.0, 32.0, np.nan)       # limits of the plain ones: so many times the 99 % quantile of all sites


class Sensor(NamedTuple):
    """One sensor of one file: its indicator and site, times (µs UTC), values, judged bad, in a flood."""

    indicator: str
    site: str
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    bad: Bools
    flood: Bools
    place: str = ""


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
            out.append(Sensor(name, f"logan{k}", t[there], x[there], bad[there], (high & ~bad)[there], path.name[:-11]))
    return out


def sandy(tools: Any) -> list[Sensor]:
    """A year of Sandy Creek in Queensland."""
    frame = pd.read_csv(tools.folder("oddwater") / "sandy_anom.csv.gz")
    t = micros(pd.to_datetime(frame["Timestamp"], dayfirst=True))
    high = (frame["Level"] >= frame["Level"].quantile(0.95)).to_numpy()
    out = []
    for name, column in SANDY.items():
        bad = (frame[f"label_{column}"] == 1).to_numpy()
        out.append(Sensor(name, "sandy", t, frame[column].to_numpy(float), bad, high & ~bad, "sandy"))
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


def tally(s: Sensor, on: Bools) -> NDArray[np.int64]:
    """Of one sensor: faults, those found, false spells, readings of floods, those flagged."""
    wide = [(a - NEAR, b + NEAR) for a, b in spells(s.bad)]
    rows = np.flatnonzero(on)
    found = sum(bool(np.searchsorted(rows, a) < np.searchsorted(rows, b, "right")) for a, b in wide)
    false = sum(not any(a <= q and p <= b for a, b in wide) for p, q in spells(on, MERGE - 1))
    return np.array([len(wide), found, false, s.flood.sum(), (s.flood & on).sum()])


def told(sums: NDArray[np.int64]) -> dict[str, float]:
    """Faults, those found, false spells, F1, flags per thousand readings of floods."""
    faults, found, false, high, wrong = (int(n) for n in sums)
    return {"faults": faults, "found": found, "false": false, "f1": 2 * found / max(found + false + faults, 1),
            "floods": 1000.0 * wrong / max(high, 1)}


def counted(sensors: list[Sensor], flagged: list[Bools]) -> dict[str, float]:
    """What is told of all sensors together."""
    return told(np.sum([tally(s, on) for s, on in zip(sensors, flagged, strict=True)], axis=0))


def alone(name: str, s: Sensor, **limits: float) -> Bools:
    """What one check with these limits flags of one sensor."""
    from detectors.kernel import kernel
    from detectors.registry import load
    from detectors.step import params

    check = load("checks")[name]
    p, state, out = np.zeros(1, check.PARAMS), np.zeros(1, check.STATE), np.empty(len(s.t))
    for known in params(check):
        p[known.name] = limits.get(known.name, known.default)
    kernel(check)(np.zeros(len(s.t), np.int64), s.t.astype(float), s.x, np.ones(len(s.t)), 3.0, p, state, out)
    return np.asarray(out >= 3.0)


def plain(sensors: list[Sensor]) -> list[NDArray[np.int64]]:
    """Tallies of `rate` with `spike` at every pair of limits: for each sensor (pairs x 5).

    With `range` and `flat` beside them, tuned alike, the plain ones are worse at a place not seen: 0.36 against 0.41.
    """
    out = []
    for s in sensors:
        kin = [r for r in sensors if r.indicator == s.indicator and r.place != "sandy"]
        moves = np.quantile(np.abs(np.concatenate([np.diff(r.x) for r in kin])), 0.99)
        fast = [alone("rate", s, suspect=moves * n / 900.0) for n in TIMES]
        high = [alone("spike", s, suspect=moves * 2.0 * n) for n in TIMES]
        out.append(np.array([tally(s, one | other) for one in fast for other in high]))
    return out


def unseen(sensors: list[Sensor], tallies: list[NDArray[np.int64]], places: set[str], each: bool) -> dict[str, float]:
    """At each of the places: the setting with the best F1 on the Logan River without it, with `each` for every indicator its own."""
    sums = np.zeros(5, np.int64)
    for place in places:
        for group in {s.indicator for s in sensors} if each else {""}:
            mine = [group in ("", s.indicator) for s in sensors]
            learn = sum(n for n, s, of in zip(tallies, sensors, mine, strict=True) if of and s.place not in (place, "sandy"))
            best = int(np.argmax([told(row)["f1"] for row in learn]))  # type: ignore[union-attr]
            sums += sum(n[best] for n, s, of in zip(tallies, sensors, mine, strict=True) if of and s.place == place)
    return told(sums)


def at_places_not_seen(rivers: list[Sensor], creek: list[Sensor]) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Ours and the plain ones at each site of the Logan River with limits of the others, and at Sandy Creek with those of all."""
    alike = [s._replace(indicator=ALIKE[s.indicator][0], x=s.x * ALIKE[s.indicator][1]) for s in creek]
    sensors = rivers + alike
    ours = [np.array([tally(s, alone("change", s, **limits)) for limits in OURS]) for s in sensors]
    both, sites = ((ours, False), (plain(sensors), True)), {s.place for s in rivers}
    return {name: tuple(unseen(sensors, tallies, places, each) for tallies, each in both)  # type: ignore[misc]
            for name, places in (("logan-river", sites), ("oddwater", {"sandy"}))}


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows, sets = [], {"logan-river": logan(tools), "oddwater": sandy(tools)}
    far = at_places_not_seen(*sets.values())
    for name, sensors in sets.items():
        one, tuned, four = (counted(sensors, flags(tools, sensors, prefix)) for prefix in ("", "tuned_", "plain_"))
        for what, ours, simple, aim in (
                ("limits of other sites" if name == "logan-river" else "limits of the Logan River", *far[name], True),
                ("one setting for all, the plain four tuned on these files", one, four, False),
                ("limits of both tuned on these files", tuned, four, True)):
            rows.append(tools.Row(name, f"F1 of {ours['faults']} faults by spell, {what}", _said(ours), _said(simple),
                                  "F1 above the best plain QARTOD set" if aim else "told only",
                                  ours["f1"] > simple["f1"] if aim else None, {"ours": ours, "plain": simple}))
        rows.append(tools.Row(name, "flags a thousand readings of floods: limits of other sites, one setting, tuned",
                              ", ".join(f"{f['floods']:.2f}" for f in (far[name][0], one, tuned)),
                              f"{far[name][1]['floods']:.2f}, tuned {four['floods']:.2f}", "near 0 (below 5)",
                              max(f["floods"] for f in (far[name][0], one, tuned)) < 5.0))
    return rows


def _said(figures: dict[str, float]) -> str:
    return f"{figures['f1']:.3f} ({figures['found']} found, {figures['false']} false)"
