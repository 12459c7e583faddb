"""The real data of `../shared/data` as readings, for tests; nothing of it is kept in this repository.

A test that uses a function here skips, saying so, on a machine without the data. Times are µs UTC.
"""
from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEIJING = timezone(timedelta(hours=8))
POLLUTANTS = {"SO2": "so2", "NO2": "no2", "PM10": "pm10", "PM2.5": "pm25", "CO": "co", "O3": "o3"}
ECONOMY = {"INDPRO": "industry", "UNRATE": "unemployment", "PAYEMS": "payrolls", "HOUST": "housing"}


class Row(NamedTuple):
    """One reading: event time, series (`indicator@site`), value (NaN = missing), arrival."""

    t: int
    series: str
    x: float
    arrived: int


def pack(name: str) -> Path:
    """The configs folder for a data set: `uk-rivers`, `beijing-air` or `us-economy`."""
    return HERE / name


def uk_rivers(limit: int | None = None) -> list[Row]:
    """Twelve gauges round Glasgow, 15-minute levels with the times at which they truly arrived (hours later), in that order."""
    rows = [Row(_us(_utc(r["sampled_at"])), f"river_level@g{r['riverstation_id']}", float(r["level"]),
                _us(_utc(r["archived_at"])))
            for r in _read("uk-rivers", "sepa_glasgow_15min_2017.csv.gz")]
    return sorted(rows, key=lambda row: (row.arrived, row.t))[:limit]


def beijing_air(limit: int | None = None, factors: dict[str, float] | None = None) -> list[Row]:
    """Twelve stations, hourly, in the order of time. CO is in µg/m³ as published: the feed's `scale` converts it.

    For a test without a feed `factors={"co": 0.001}` does what the feed would do. The hour is Beijing's; NA is missing.
    """
    files = sorted(_folder("beijing-air").glob("*.csv.gz"))
    stations = [_station(file, factors or {}) for file in files]
    return list(islice((row for hour in zip(*stations, strict=True) for rows in hour for row in rows), limit))


def us_economy(limit: int | None = None) -> list[Row]:
    """Four monthly series since 1959; a month's figure is taken to arrive on the 15th of the next (the data do not say)."""
    rows = []
    for r in _read("us-economy", "fred_md_monthly.csv.gz"):
        month = _utc(r["sasdate"])
        after = (month + timedelta(days=32)).replace(day=15)
        rows += [Row(_us(month), f"{name}@us", float(r[column] or "nan"), _us(after)) for column, name in ECONOMY.items()]
    return rows[:limit]


def recessions() -> list[tuple[int, int]]:
    """NBER recessions as [start, end) in µs UTC."""
    rows = [(_us(_utc(r["observation_date"])), r["USREC"] == "1") for r in _read("us-economy", "nber_recession_months.csv")]
    edges = [t for (t, now), (_, was) in zip(rows, [(0, False), *rows], strict=False) if now != was]
    return list(zip(edges[::2], [*edges[1::2], rows[-1][0]], strict=False))


def write_history(rows: Iterable[Row], path: Path) -> Path:
    """The rows as a history CSV (design section 8)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("time", "site", "indicator", "value", "arrived"))
        for row in rows:
            indicator, site = row.series.split("@")
            out.writerow((_iso(row.t), site, indicator, "" if row.x != row.x else repr(row.x), _iso(row.arrived)))
    return path


def _station(file: Path, factors: dict[str, float]) -> Iterator[list[Row]]:
    site = file.name.removesuffix(".csv.gz").lower()
    for r in _lines(file):
        t = _us(datetime(int(r["year"]), int(r["month"]), int(r["day"]), int(r["hour"]), tzinfo=BEIJING))
        yield [Row(t, f"{name}@{site}", _number(r[column]) * factors.get(name, 1.0), t) for column, name in POLLUTANTS.items()]


def _number(cell: str) -> float:
    return float("nan") if cell in ("", "NA") else float(cell)


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not on this machine")
    return folder


def _read(name: str, file: str) -> Iterator[dict[str, str]]:
    yield from _lines(_folder(name) / file)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _iso(t: int) -> str:
    return (EPOCH + timedelta(microseconds=t)).isoformat()
