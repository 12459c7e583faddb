"""Beginnings of recessions (NBER), from figures as published by the middle of the next month; final revised data.

A start is caught by an alarm that was on at some moment between twelve months before it and three months after it; an alarm that overlaps no
recession, nor the twelve months before one, is false. Leads count by the day on which the figure was known.
"""
from __future__ import annotations

from typing import Any

import numpy as np

COLUMNS = {"UNRATE": "unemployment", "CLAIMSx": "claims", "HOUST": "housing"}
DAY = 86_400_000_000
LAG = 45 * DAY          # a month's figure: the middle of the next


def recessions(tools: Any) -> list[tuple[int, int]]:
    """[start, end) in µs UTC."""
    rows = [(tools.micros(r["observation_date"]), r["USREC"] == "1")
            for r in tools.rows(tools.folder("us-economy") / "nber_recession_months.csv")]
    edges = [t for (t, now), (_, was) in zip(rows, [(0, False), *rows], strict=False) if now != was]
    return list(zip(edges[::2], [*edges[1::2], rows[-1][0]], strict=False))


def judged(alarms: list[tuple[int, int]], real: list[tuple[int, int]]) -> tuple[int, int, list[float]]:
    """Starts caught, false alarms, lead of each caught start in months (below 0: after it)."""
    leads = []
    for start, _ in real:
        found = [a for a, b in alarms if a <= start + 92 * DAY and b >= start - 366 * DAY]
        leads += [(start - min(found)) / DAY / 30.4] if found else []
    false = sum(not any(a <= end and b >= start - 366 * DAY for start, end in real) for a, b in alarms)
    return len(leads), false, leads


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    rows = list(tools.rows(tools.folder("us-economy") / "fred_md_monthly.csv.gz"))
    t = np.array([tools.micros(r["sasdate"]) for r in rows], np.int64)
    series = {f"{name}@us": (t, np.array([float(r[column] or "nan") for r in rows])) for column, name in COLUMNS.items()}
    real = [(a, b) for a, b in recessions(tools) if t[0] <= a <= t[-1]]
    city = tools.configs("us-economy")
    history = tools.history(series, LAG)
    caught, false, leads = judged(tools.alarms(city, history, "us-economy/recession", "us", 2), real)
    plain, wrong, _ = judged(tools.alarms(city, history, "us-economy/half-point", "us", 2), real)
    return [tools.Row("us-economy", "recession starts caught before or within 3 months of publication",
                      f"{caught} of {len(real)}, {false} false; leads {', '.join(f'{x:.1f}' for x in leads)} months",
                      f"unemployment 0.5 above its low of a year: {plain} of {len(real)}, {wrong} false", "5 of 5, at most 2 false",
                      caught == len(real) == 5 and false <= 2, {"caught": caught, "false": false, "leads": leads})]
