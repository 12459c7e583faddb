"""Crossings of a gauge's 99 % quantile foretold: rivers by the quarter of an hour, the hour and the day, and tides.

An event begins when a gauge comes to its limit, the 99 % quantile of its readings (of its first half, for daily rivers, whose
second half is then judged). An alarm is on while what a method says is at most a margin below the limit, or the gauge is at it;
times nearer to each other than the horizon are one. Lead: from the first rise of an alarm within two horizons before the event;
0 where the alarm came no earlier than the event, or had been on before that time, when nobody could know what it meant. An alarm
whose rise no event follows within two horizons, and that rises in none, is false. All methods sweep the same margins
(shares of the distance from the median to the limit). Plain rules: the gauge itself; it and its slope over the horizon or half
of it, drawn on over the horizon. Each set is told at the most false alarms a year that do not exceed its events a year,
and once more in the second half of its time at the margin so chosen in the first (each gauge is cut between its middle events).
"""
from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR, YEAR = 3600.0, 365.25 * 86400.0
MARGINS = np.concatenate([-np.logspace(0.5, -2.0, 16), [0.0], np.logspace(-2.0, 0.3, 18)])


class Gauge(NamedTuple):
    """One series: seconds UTC and values in order of time; rain beside it, or none; from which reading on it is judged."""

    t: Floats
    x: Floats
    rain: tuple[Floats, Floats] | None = None
    first: int = 0


class Front(NamedTuple):
    """What a method reaches at each margin: false alarms a year, median and mean lead (in horizons), events, years."""

    false: Floats
    median: Floats
    mean: Floats
    events: int
    years: float


def series(time: Any, value: Any) -> tuple[Floats, Floats]:
    """Times and values in order, each time once, without what is missing."""
    t = pd.to_datetime(time, format="ISO8601", utc=True).dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64) / 1e6
    frame = pd.DataFrame({"t": t, "x": np.asarray(value, float)}).dropna().drop_duplicates("t").sort_values("t")
    return frame["t"].to_numpy(), frame["x"].to_numpy()


def uk_rivers(tools: Any) -> list[Gauge]:
    """Twelve gauges round Glasgow, two months of quarter-hours."""
    frame = pd.read_csv(tools.folder("uk-rivers") / "sepa_glasgow_15min_2017.csv.gz")
    return [Gauge(*series(f["sampled_at"], f["level"])) for _, f in frame.groupby("riverstation_id")]


def canada_daily(tools: Any) -> list[Gauge]:
    """128 daily series, level and flow, half of their thirteen years; those with a year of readings in the first half."""
    out = []
    for name in ("level_m", "flow_m3s"):
        frame = pd.read_csv(tools.folder("canada-daily") / f"{name}.csv.gz")
        for column in frame.columns[1:]:
            t, x = series(frame["date"], frame[column])
            if len(t) // 2 >= 365:
                out.append(Gauge(t, x, None, len(t) // 2))
    return out


def usgs_hourly(tools: Any) -> list[Gauge]:
    """A creek in Tennessee, hourly, with rain."""
    frame = pd.read_csv(tools.folder("usgs-hourly") / "03567500_south_chickamauga_hourly.csv.gz")
    return [Gauge(*series(frame["datetime"], frame["cfs"]), series(frame["datetime"], frame["precip"]))]


def rivers_misc(tools: Any) -> list[Gauge]:
    """The Ardières at irregular times; the Wye, hourly, with rain."""
    ardieres = pd.read_csv(tools.folder("rivers-misc") / "ardieres_irregular.csv.gz")
    wye = pd.read_csv(tools.folder("rivers-misc") / "wye_hourly_1987.csv.gz")
    hours = wye["hour"].to_numpy(float) * HOUR
    return [Gauge(*series(ardieres["datetime"], ardieres["obs"])), Gauge(hours, wye["Q"].to_numpy(float), (hours, wye["P"].to_numpy(float)))]


def sea_level(tools: Any) -> list[Gauge]:
    """Tide gauges: Vlissingen every ten minutes and, five years of it, hourly; one of the United States, hourly."""
    with gzip.open(tools.folder("sea-level") / "vlissingen_obs19.dia.gz", "rt", encoding="latin-1") as file:
        words = file.read().partition("[WRD]")[2].replace("\n", "").split(":")
    cm = np.array([float(word.partition("/")[0]) for word in words if word.strip()])
    hours = np.datetime64("1976-01-01T00", "s").astype(float) + HOUR * np.arange(len(cm))
    years = slice(-5 * 8766, None)
    flushing = pd.read_csv(tools.folder("sea-level") / "vlissingen_10min_2018q1.csv.gz")
    example = pd.read_csv(tools.folder("sea-level") / "ioos_water_level_example.csv.gz")
    return [Gauge(*series(flushing["time_utc"], flushing["level_m"])),
            Gauge(hours[years], cm[years] / 100.0), Gauge(*series(example["time"], example["sea_surface_height_above_sea_level"]))]


SETS: dict[str, tuple[Callable[[Any], list[Gauge]], str, float]] = {
    "uk-rivers": (uk_rivers, "rivers/hours-3", 3 * HOUR), "canada-daily": (canada_daily, "rivers/days-3", 72 * HOUR),
    "usgs-hourly": (usgs_hourly, "rivers/hours-6", 6 * HOUR), "rivers-misc": (rivers_misc, "rivers/hours-3", 3 * HOUR),
    "sea-level": (sea_level, "rivers/tide", 3 * HOUR)}
"""Reader, detector, horizon in seconds."""


def spells(on: NDArray[np.bool_], t: Floats, gap: float) -> list[tuple[float, float]]:
    """[start, end] of each time that it is on; those not farther apart than `gap` are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    out: list[tuple[float, float]] = []
    for a, b in zip(t[edges[::2]], t[np.minimum(edges[1::2], len(t) - 1)], strict=True):
        if out and a - out[-1][1] <= gap:
            out[-1] = out[-1][0], float(b)
        else:
            out.append((float(a), float(b)))
    return out


def account(g: Gauge, score: Floats, limit: float, margin: float, within: float) -> tuple[list[float], int]:
    """Lead of each event in horizons, and false alarms."""
    begun, before = g.t[g.first], 2.0 * within
    events = [e for e in spells(g.x >= limit, g.t, within) if e[0] > begun]
    rises = np.array([a for a, _ in spells((score >= limit - margin) | (g.x >= limit), g.t, within) if a >= begun])
    starts, ends = np.array([e for e, _ in events]), np.array([e for _, e in events])
    if not events:
        return [], len(rises)
    first = np.searchsorted(rises, starts - before)                     # the first rise within two horizons before each event
    there = np.append(rises, np.inf)[first]
    leads = np.where(there <= starts, starts - there, 0.0) / within
    near = np.searchsorted(ends, rises - within)                        # the first event that is not over when it rises
    return leads.tolist(), int((np.append(starts, np.inf)[near] - before > rises).sum())


def middle(g: Gauge, limit: float, within: float) -> int:
    """The reading halfway between the two events in the middle; where there are fewer, the middle one."""
    events = [e for e in spells(g.x >= limit, g.t, within) if e[0] > g.t[g.first]]
    n = len(events) // 2
    return int(np.searchsorted(g.t, (events[n - 1][1] + events[n][0]) / 2)) if n else (g.first + len(g.t)) // 2


def front(gauges: list[Gauge], scores: list[Floats], within: float, half: int | None = None) -> Front:
    """The method's figures at every margin, all gauges of a set together; of one half of their time, if asked for."""
    known, years = [], 0.0
    for whole, score in zip(gauges, scores, strict=True):
        past = whole.x[:whole.first] if whole.first else whole.x
        limit = float(np.quantile(past, 0.99))
        wide = limit - float(np.median(past))
        cut = middle(whole, limit, within)
        rows = slice(None) if half is None else slice(cut, None) if half else slice(whole.first, cut)
        g = Gauge(whole.t[rows], whole.x[rows], None, whole.first if half is None else 0)
        years += float(np.minimum(np.diff(g.t[g.first:]), 2.0 * within).sum()) / YEAR
        if wide > 0.0:
            known.append((g, score[rows], limit, wide))
    out, events = [], 0
    for margin in MARGINS:
        told = [account(g, score, limit, margin * wide, within) for g, score, limit, wide in known]
        leads = np.array([lead for some, _ in told for lead in some])
        out.append((sum(false for _, false in told) / years, float(np.median(leads)), float(leads.mean())))
        events = len(leads)
    false, median, mean = np.array(out).T
    return Front(false, median, mean, events, years)


def slope(g: Gauge, within: float, over: float) -> Floats:
    """The gauge drawn on over the horizon, along its slope of the last `over`."""
    then = np.minimum(np.searchsorted(g.t, g.t - over - 1e-6), np.arange(len(g.t)))
    dt = g.t - g.t[then]
    return g.x + np.where(dt > 0.0, (g.x - g.x[then]) / np.where(dt > 0.0, dt, 1.0), 0.0) * within


def ours(tools: Any, city: Any, gauges: list[Gauge], detector: str) -> list[Floats]:
    """The detector's scores, gauge by gauge."""
    rain = {f"rain@s{k}": ((g.rain[0] * 1e6).astype(np.int64), g.rain[1]) for k, g in enumerate(gauges) if g.rain is not None}
    level = {f"level@s{k}": ((g.t * 1e6).astype(np.int64), g.x) for k, g in enumerate(gauges)}
    told = tools.scores(city, tools.history(rain | level), detector)
    ends = np.cumsum([len(t) for t, _ in (rain | level).values()])[:-1]
    scores = np.split(told, ends)[len(rain):]
    return [np.where(np.isnan(score), g.x, score) for g, score in zip(gauges, scores, strict=True)]


def best(f: Front, most: float) -> int:
    """The longest median lead with at most so many false alarms a year; of equals the fewest, then the longest mean lead."""
    return max(np.flatnonzero(f.false <= most).tolist(), key=lambda i: (f.median[i], -f.false[i], f.mean[i]))


def dominated(f: Front, i: int, other: Front) -> bool:
    """Whether another method has, at some margin, no less median lead and no more false alarms, and one of them better."""
    as_good = (other.false <= f.false[i]) & (other.median >= f.median[i])
    return bool((as_good & ((other.false < f.false[i]) | (other.median > f.median[i]))).any())


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows, city = [], tools.configs("rivers")
    for name, (read, detector, within) in SETS.items():
        gauges = read(tools)
        scores = {"ours": ours(tools, city, gauges, detector), "persistence": [g.x for g in gauges],
                  "level + slope": [slope(g, within, within) for g in gauges],
                  "+ slope of half": [slope(g, within, within / 2) for g in gauges]}
        plain = {m: front(gauges, s, within) for m, s in scores.items()}
        found = plain.pop("ours")
        most = found.events / found.years
        i = best(found, most)
        beaten = [any(dominated(found, k, f) for f in plain.values()) for k in range(len(MARGINS))]
        own = [m > 0.0 and not dominated(found, k, found) for k, m in enumerate(found.median)]
        lost = sum(b for b, o in zip(beaten, own, strict=True) if o)
        said = {m: told(f, best(f, most), within) for m, f in {"ours": found, **plain}.items()}
        rows.append(tools.Row(
            name, f"median (mean) lead in {within / HOUR:g} h before the 99 % quantile, at most {most:.1f} false a year",
            f"{said['ours']} (of {sum(own)} points of its front {lost} are beaten)", "; ".join(f"{m} {said[m]}" for m in plain), "on the front: no margin of a plain rule has as much lead and fewer false",
            not beaten[i], {"ours": figures(found), **{m: figures(f) for m, f in plain.items()}}))
        halves = {m: [front(gauges, s, within, half) for half in (0, 1)] for m, s in scores.items()}
        chosen = {m: best(first, first.events / first.years) for m, (first, _) in halves.items()}
        said = {m: told(then, chosen[m], within) for m, (_, then) in halves.items()}
        point = {m: (then.median[chosen[m]], -then.false[chosen[m]]) for m, (_, then) in halves.items()}
        rows.append(tools.Row(
            name, "the same in the second half of the time, with the margin of the first", said["ours"], "; ".join(f"{m} {said[m]}" for m in plain),
            tools.TOLD, all(point["ours"] > point[m] for m in plain), {m: figures(then) for m, (_, then) in halves.items()}))
    return rows


def told(f: Front, i: int, within: float) -> str:
    """A point of a front in words."""
    return f"{f.median[i] * within / HOUR:.2g} ({f.mean[i] * within / HOUR:.2g}) h, {f.false[i]:.1f} a year"


def figures(f: Front) -> dict[str, Any]:
    """The whole front, for whoever wants to draw it."""
    return {"false_a_year": f.false.tolist(), "median": f.median.tolist(), "mean": f.mean.tolist(), "events": f.events}
