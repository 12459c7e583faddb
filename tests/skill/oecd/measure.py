"""The break of March and April 2020 in four indicators of many countries, beside EWMA.

A country is found when one (first row) or two (second row) of its indicators are in alarm for a month from March to May 2020, and false
when as many were from August 2019 to February 2020. Monthly figures as published in the end, so revised; countries with fewer indicators
are left out. Detector and rule `at_least: 2` as the pack has them.
"""
from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

FILES = {"cli": "CLI", "bci": "BCI", "cci": "CCI", "unemployment": "Unemployment"}


def series(tools: Any) -> dict[str, Any]:
    """`indicator@country` -> months (µs UTC, their first day), values."""
    out = {}
    for name, file in FILES.items():
        table = pd.read_csv(tools.folder("oecd-indicators") / f"OECD_{file}.csv.gz")
        for country, part in table.sort_values("TIME").groupby("LOCATION"):
            t = pd.to_datetime(part["TIME"]).to_numpy("datetime64[us]").astype(np.int64)
            out[f"{name}@{country.lower()}"] = t, part["Value"].to_numpy(float)
    return out


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    from streams.replay.judged import Judged

    made = series(tools)
    judged = Judged(tools.configs("oecd"), tools.history(made))
    before, start, end = (tools.micros(day) for day in ("2019-08-01", "2020-03-01", "2020-05-31"))
    countries = sorted({name.partition("@")[2] for name in made})
    rows = []
    for least in (1, 2):
        there = [c for c in countries if sum(f"{name}@{c}" in made for name in FILES) >= least]
        told = {}
        for prefix in ("", "ewma-"):
            found = false = 0
            for c in there:
                spans = [judged.alarms(f"oecd/{prefix}{name}", c, 2) for name in FILES]
                found += sum(any(a <= end and b >= start for a, b in s) for s in spans) >= least
                false += sum(any(a < start and b >= before for a, b in s) for s in spans) >= least
            told[prefix] = found, false
        (ours, wrong), (plain, plain_wrong) = told[""], told["ewma-"]
        rows.append(tools.Row("oecd-indicators", f"break of March-April 2020: countries with {least} or more indicators in alarm",
                              f"{ours} of {len(there)}, {wrong} before it", f"EWMA {plain}, {plain_wrong} before it", "found, with few others",
                              ours >= plain and wrong <= plain_wrong, {"ours": told[""], "ewma": told["ewma-"]}))
    return rows
