"""Days unlike any other and dead spells of counters: found, and how many others with them.

Days: the total or peak of each day, the first ten weeks only teach. Hurricane Irene closed the hire of bicycles in Washington (27 August
2011, named with the data); the heat of 29 November 2012 and of 4 January 2013 in Victoria (the hottest early and the hottest day of
the temperatures beside the load; the data name none). Told is how many other days alarm at the detector's own limit; the simple rule,
EWMA of the same days, gets the limit at which it just finds all.

Dead spells: real ones, a value that stays the same for a day and more (trail counters: SOURCE.md; London: zeros of 2004, which a kerb
never has), and twelve of a day put into each counter, always the same. Found by the check `flat`, or `gap` where hours without hires are
absent; other spells that it flags are counted. The simple rule is the range check (0 and more), which sees none of them.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HOUR, DAY = 3_600_000_000, 86_400_000_000
LEARN = 70              # days
PUT_IN = 12
Series = tuple[NDArray[np.int64], NDArray[np.float64]]
Spans = list[tuple[int, int]]


def micros(times: Any) -> NDArray[np.int64]:
    """As µs UTC."""
    return np.asarray(pd.to_datetime(times).to_numpy("datetime64[us]").astype(np.int64))


def bikes(tools: Any) -> Any:
    """Hires of each hour that had any, 2011."""
    frame = pd.read_csv(tools.folder("dc-bikes") / "hour.csv.gz", parse_dates=["dteday"])
    return frame["cnt"].set_axis(frame["dteday"] + pd.to_timedelta(frame["hr"], unit="h"))


def load(tools: Any) -> Any:
    """Demand of Victoria each half hour, by local date as well."""
    return pd.read_csv(tools.folder("victoria-power") / "vic_elec_halfhourly.csv.gz", parse_dates=["Time"])


def of_days(tools: Any, detector: str, series: str, days: Any) -> dict[str, float]:
    """Day -> score, sign turned so that unusual is high."""
    told = np.nan_to_num(tools.scores(tools.configs("days"), tools.history({series: (micros(days.index), days.to_numpy(float))}),
                                      f"days/{detector}"))
    return {str(day)[:10]: abs(float(x)) for day, x in zip(days.index[LEARN:], told[LEARN:], strict=True)}


def named(tools: Any, what: str, site: str, days: Any, real: set[str], limit: float = 4.0) -> Any:
    """The row of days unlike any other."""
    ours, plain = (of_days(tools, f"{kind}-{what}", f"{what}@{site}", days) for kind in ("unlike", "ewma"))
    on = {day for day, score in ours.items() if score >= limit}
    same = {day for day, score in plain.items() if score >= min(plain[day] for day in real)}
    data = {"dc": "dc-bikes", "victoria": "victoria-power"}[site]
    return tools.Row(data, f"days unlike any other ({', '.join(sorted(real))})", f"{len(on & real)} of {len(real)}, {len(on - real)} others",
                     f"EWMA at the limit that finds all: {len(same - real)} others", "found, with few others",
                     on >= real and len(on - real) <= 2, {"others": len(on - real), "ewma": len(same - real)})


def stuck(series: Series, chance: np.random.Generator) -> tuple[Series, Spans]:
    """The series with dead spells of a day put in, and all dead spells: those and the real ones."""
    t, x = series[0], series[1].copy()
    for start in np.sort(chance.choice(len(t) // 100, PUT_IN, replace=False)) * 100 + 10:
        x[(t >= t[start]) & (t < t[start] + DAY)] = x[start]
    first = np.concatenate([[True], np.diff(x) != 0.0])
    begin, end = np.flatnonzero(first), np.concatenate([np.flatnonzero(first)[1:], [len(x)]]) - 1
    return (t, x), [(int(t[a]), int(t[b])) for a, b in zip(begin, end, strict=True) if t[b] - t[a] >= DAY - 2 * HOUR]


def flagged(tools: Any, series: dict[str, Series]) -> dict[str, Spans]:
    """Spells of doubtful readings of each series, µs UTC."""
    from streams.replay.score import score

    flag = np.isin(score(tools.configs("days"), tools.history(series), "days/unlike-hires").flag, (3, 4))
    out, at = {}, 0
    for name, (t, _) in series.items():
        rows = np.flatnonzero(flag[at:at + len(t)])
        parts = np.split(rows, np.flatnonzero(np.diff(rows) > 3) + 1) if len(rows) else []
        out[name] = [(int(t[p[0]]), int(t[p[-1]])) for p in parts]
        at += len(t)
    return out


def dead(tools: Any, data: str, series: dict[str, Series]) -> Any:
    """The row of dead spells of several counters."""
    chance = np.random.default_rng(7)
    made = {name: stuck(one, chance) for name, one in series.items()}
    told = flagged(tools, {name: one for name, (one, _) in made.items()})
    real = sum(len(spans) for _, spans in made.values())
    found = sum(any(a <= q and p <= b for p, q in told[name]) for name, (_, spans) in made.items() for a, b in spans)
    others = sum(not any(a <= q and p <= b for a, b in made[name][1]) for name, spans in told.items() for p, q in spans)
    years = sum((t[-1] - t[0]) / DAY / 365.25 for (t, _), _ in made.values())
    return tools.Row(data, f"dead spells of {len(series)} counter{'s' * (len(series) > 1)}", f"{found} of {real}, {others / years:.1f} others a counter and year",
                     f"range: 0 of {real}", "found, with few others", found >= 0.95 * real and others / years <= 2.0,
                     {"found": found, "real": real, "others": others})


def columns(frame: Any, time: str, names: dict[str, str], site: str) -> dict[str, Series]:
    """Columns without their gaps."""
    t = micros(frame[time])
    values = {name: frame[column].to_numpy(float) for column, name in names.items()}
    return {f"{name}@{site}": (t[np.isfinite(x)], x[np.isfinite(x)]) for name, x in values.items()}


def closed(tools: Any, hires: Any) -> Any:
    """The row of half days without a single hire."""
    t = micros(hires.index)
    told = flagged(tools, {"hour@dc": (t, hires.to_numpy(float))})["hour@dc"]
    irene = tools.micros("2011-08-28T14:00:00")
    found = [a for a, _ in told if abs(a - irene) <= DAY]
    return tools.Row("dc-bikes", "closed for half a day and more (27-28 August 2011)", f"{len(found)} of 1, {len(told) - len(found)} others",
                     "range: 0 of 1", "found, with few others", len(found) == 1 and len(told) <= 4, {"others": len(told) - 1})


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    hires, demand = bikes(tools), load(tools)
    peaks = demand.groupby("Date")["Demand"].max()
    trail = pd.read_csv(tools.folder("seattle-trail") / "trail_hourly.csv.gz")
    kerb = pd.read_csv(tools.folder("london-air") / "marylebone_1998_2005.csv.gz")
    walkers = {"Ped South": "ped_south", "Ped North": "ped_north", "Bike North": "bike_north", "Bike South": "bike_south"}
    return [named(tools, "hires", "dc", hires.groupby(hires.index.normalize()).sum(), {"2011-08-27"}),
            closed(tools, hires),
            named(tools, "peak", "victoria", peaks, {"2012-11-29", "2013-01-04"}),
            dead(tools, "victoria-power", columns(demand, "Time", {"Demand": "demand"}, "victoria")),
            dead(tools, "seattle-trail", columns(trail, "Date", walkers, "seattle")),
            dead(tools, "london-air", columns(kerb, "date", {n: n for n in ("nox", "no2", "pm10")}, "london"))]
