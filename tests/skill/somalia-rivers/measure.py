"""The moderate flood level of the Shabelle foretold at least a day ahead, at Belet Weyne and Bulo Burti, from daily levels.

An event (flood_events.csv) is caught when an alarm rises one to ten days before it begins. An alarm that rises neither in the ten
days before an event, nor in one, nor in the week after it, is false; alarms less than a week apart are one. FAR is their share of
the false and the events. Leads: that of every event, 0 where none was caught. Gaps: an event counts only where the gauge was
read on most of the ten days before it (so it is with all 16); a day without a reading changes nothing that was said; after a
gap the first reading is no rise; while the upper gauge is silent the lower one is foretold from itself. The plain rules may
choose their margin below the limit, and the slope also its length; ours has the one limit of its pack.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY = 86_400_000_000
WEEK, BEFORE = 7 * DAY, 10 * DAY
LIMIT = 6.5
SITES = {"Belet Weyne": "belet-weyne", "Bulo Burti": "bulo-burti"}
MARGINS = np.arange(-0.4, 1.2, 0.02)

Series = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]
Spans = list[tuple[int, int]]


def read(tools: Any) -> tuple[Series, dict[str, Spans]]:
    """Levels and moderate floods by site."""
    folder, levels, floods = tools.folder("somalia-rivers"), dict[str, list[tuple[int, float]]](), dict[str, Spans]()
    for r in tools.rows(folder / "shabelle_daily_levels.csv.gz"):
        levels.setdefault(SITES[r["location"]], []).append((tools.micros(r["date"]), float(r["level_m"])))
    series = {site: (np.array([t for t, _ in some], np.int64), np.array([x for _, x in some])) for site, some in levels.items()}
    for r in tools.rows(folder / "flood_events.csv"):
        site, start = SITES[r["station"]], tools.micros(r["start"])
        t = series[site][0]
        if r["threshold"] == "moderate_flood_risk" and ((t >= start - BEFORE) & (t < start)).sum() > 5:
            floods.setdefault(site, []).append((start, tools.micros(r["end"])))
    return series, floods


def merged(spans: Spans) -> Spans:
    """Alarms less than a week apart are one."""
    out: Spans = []
    for start, end in sorted(spans):
        if out and start - out[-1][1] <= WEEK:
            out[-1] = out[-1][0], max(end, out[-1][1])
        else:
            out.append((start, end))
    return out


def account(alarms: dict[str, Spans], floods: dict[str, Spans]) -> tuple[float, float, float]:
    """POD a day ahead, FAR, median lead in days."""
    leads, false = list[float](), 0
    for site, events in floods.items():
        rises = [start for start, _ in merged(alarms[site])]
        leads += [max(((start - r) / DAY for r in rises if start - BEFORE <= r <= start), default=0.0) for start, _ in events]
        false += sum(not any(start - BEFORE <= r <= end + WEEK for start, end in events) for r in rises)
    return float(np.mean([lead >= 1.0 for lead in leads])), false / (false + len(leads)), float(np.median(leads))


def on(t: NDArray[np.int64], high: NDArray[np.bool_]) -> Spans:
    """Spans of readings at which a rule is on."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], high.astype(np.int8), [0]])))
    return [(int(t[a]), int(t[min(b, len(t) - 1)])) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def ahead(t: NDArray[np.int64], x: NDArray[np.float64], days: int, over: int) -> NDArray[np.float64]:
    """Level and slope: the last `over` days drawn on for `days`."""
    then = np.minimum(np.searchsorted(t, t - over * DAY), np.arange(len(t)))
    dt = np.maximum(t - t[then], 1)
    return np.asarray(x + (x - x[then]) / dt * days * DAY)


def plain(series: Series, floods: dict[str, Spans], far: float, slopes: list[tuple[int, int]]) -> tuple[float, float, float]:
    """The best of a plain rule with at most that FAR: the longest median lead, then the highest POD. (0, 0): the level alone."""
    found = []
    for days, over in slopes:
        guess = {site: ahead(t, x, days, over) for site, (t, x) in series.items()}
        for margin in MARGINS:
            told = {site: on(t, (guess[site] >= LIMIT - margin) | (x >= LIMIT)) for site, (t, x) in series.items()}
            found.append(account(told, floods))
    return max((f for f in found if f[1] <= far), key=lambda f: (f[2], f[0]), default=(0.0, 0.0, 0.0))


def measure(tools: Any) -> list[Any]:
    """The row of the table."""
    series, floods = read(tools)
    city = tools.configs("somalia-rivers")
    history = tools.history({f"level@{site}": told for site, told in series.items()})
    alarms = {site: tools.alarms(city, history, "somalia-rivers/ahead", site, 2) for site in series}
    pod, far, lead = account(alarms, floods)
    slope = plain(series, floods, 0.15, [(d, over) for d in (1, 2, 3) for over in (1, 2, 3, 5, 7)])
    level = plain(series, floods, 0.15, [(0, 1)])
    events = sum(map(len, floods.values()))
    return [tools.Row(
        "somalia-rivers", f"{events} moderate floods at least a day ahead", told(pod, far, lead),
        f"level + slope {told(*slope)}; a margin below the limit {told(*level)}",
        "POD >= 0.9, FAR <= 0.15, longer lead than level + slope at that FAR", pod >= 0.9 and far <= 0.15 and lead > slope[2],
        {"pod": pod, "far": far, "lead_days": lead, "slope": slope, "persistence": level})]


def told(pod: float, far: float, lead: float) -> str:
    """The figures in words."""
    return f"POD {pod:.2f}, FAR {far:.2f}, median lead {lead:.1f} days"
