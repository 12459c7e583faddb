"""Slow drift of cheap gas sensors (Italy), beside persistence.

Into the daily means of four sensors (PT08.S1, S2, S4, S5) a drift is put, one at a time, always the same: from day 60, 150 or 240 on half a
percent more each day for 60 days, then staying. Found when the score within 90 days exceeds all that the series without it ever reached:
no false alarm in a year is the limit of both methods. Ours: the Mann-Kendall trend over 60 days of the sensor against the three
others; persistence: the change to the day before.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NAMES = {1: "PT08.S1(CO)", 2: "PT08.S2(NMHC)", 4: "PT08.S4(NO2)", 5: "PT08.S5(O3)"}
STARTS, LONG, RATE, WITHIN = (60, 150, 240), 60, 0.005, 90


def days(tools: Any) -> Any:
    """Daily means, days x sensors, without days of few hours."""
    frame = pd.read_csv(tools.folder("italy-gas-sensors") / "AirQualityUCI.csv.gz", encoding="utf-8-sig").replace(-200.0, np.nan)
    time = pd.to_datetime(frame["Date"] + " " + frame["Time"], format="mixed")
    return frame[list(NAMES.values())].set_axis(time).resample("D").mean().set_axis(list(NAMES), axis=1).dropna()


def measure(tools: Any) -> list[Any]:
    """The row of the table."""
    table, city = days(tools), tools.configs("drift")
    t = table.index.to_numpy("datetime64[us]").astype(np.int64)
    day = (t - t[0]) / 86_400e6
    factor = {start: 1.0 + RATE * np.clip(day - start, 0, LONG) for start in STARTS}
    put_in = [(k, start) for k in NAMES for start in STARTS]
    sites = {"real": table}
    for k, start in put_in:
        drifted = table.copy()
        drifted[k] = table[k] * factor[start]
        sites[f"s{k}-{start}"] = drifted
    history = tools.history({f"s{k}@{site}": (t, values[k].to_numpy()) for site, values in sites.items() for k in NAMES})
    found = {}
    for kind in ("drift", "day"):
        late = []
        for k in NAMES:
            score = np.abs(np.nan_to_num(tools.scores(city, history, f"drift/{kind}{k}"))).reshape(len(sites), len(NAMES), len(t)).max(axis=1)
            at = dict(zip(sites, score, strict=True))
            for start in STARTS:
                on = (at[f"s{k}-{start}"] > 1.001 * at["real"].max()) & (day >= start) & (day <= start + WITHIN)
                late += [float(day[on][0] - start)] if on.any() else []
        found[kind] = late
    ours, plain = found["drift"], found["day"]
    return [tools.Row("italy-gas-sensors", f"slow drift of {100 * RATE:g} % a day found without a false alarm in a year",
                      f"{len(ours)} of {len(put_in)}" + (f", after {np.median(ours):.0f} days" if ours else ""),
                      f"change to the day before: {len(plain)} of {len(put_in)}", tools.TOLD, len(ours) > len(plain),
                      {"ours": ours, "plain": plain})]
