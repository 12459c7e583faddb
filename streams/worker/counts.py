"""What the judge's metrics say of the series it holds: counts by area, freshness and level, and the few key series of a wall."""
from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from detectors.level import Level
from detectors.pack import SELF, Limit, Site
from detectors.plan import Plan, number
from detectors.state import State
from detectors.table import Table
from streams.metrics import Metrics

FRESH = ("never", "fresh", "stale")
WORDS = [level.word for level in Level]
Rows = dict[tuple[object, ...], float]


def area_of(site: Site | None) -> str:
    """The area that a site is counted in, once: its own in the tree `admin`, else in its first tree; `tree:area`."""
    if site is None or not site.areas:
        return ""
    tree = "admin" if "admin" in site.areas else min(site.areas)
    return f"{tree}:{site.areas[tree]}"


class Counts:
    """Gauges of one partition; its places are worked out once a plan."""

    def __init__(self, metrics: Metrics, owner: Hashable) -> None:
        self.metrics, self.owner = metrics, owner
        self.state: State | None = None

    def report(self, plan: Plan, state: State) -> None:
        """Put all rows anew."""
        if state is not self.state:
            self.state = state
            self._prepare(plan, state)
        series: Rows = {}
        levels: Rows = {}
        for table, (names, places) in zip(state.tables, self.areas, strict=True):
            pack = table.group.indicator.pack
            if pack == SELF:        # the station of the self check is no part of the city
                continue
            _count(series, pack, names, places, table.live.series["fresh"], FRESH)
            real = [d for d, x in enumerate(table.group.detectors) if x.scope == "real"]
            if real and len(table.sites):
                _count(levels, pack, names, places, table.live.heads["said"][:, real].max(axis=1), WORDS)
        self.metrics.series.put(series, owner=self.owner)
        self.metrics.series_level.put(levels, owner=self.owner)
        if self.keys:
            self.metrics.key_value.put({(table.name(row),): value for table in self.keys for row in range(len(table.sites))
                                        if np.isfinite(value := float(table.live.series["value"][row]))}, owner=self.owner)

    def _prepare(self, plan: Plan, state: State) -> None:
        self.areas = []
        for table in state.tables:
            of = [area_of(plan.city.sites.get(site)) for site in table.sites]
            names = sorted(set(of))
            self.areas.append((names, np.array([names.index(name) for name in of], np.int64)))
        self.keys = [table for table in state.tables if table.group.indicator.wall]
        if self.keys:
            self.metrics.key_limit.put(dict(_limits(self.keys)), owner=self.owner)
            infos = {_info(plan, table, site): 1.0 for table in self.keys for site in table.sites}
            self.metrics.key_info.put(infos, owner=self.owner)


def _count(rows: Rows, pack: str, names: list[str], places: Any, codes: Any, words: Any) -> None:
    """Add the counts of (area, code) pairs; every word of an area that has any series is said, 0 too."""
    table = np.bincount(places * len(words) + codes.astype(np.int64), minlength=len(names) * len(words))
    for n, count in enumerate(table.tolist()):
        key = (pack, names[n // len(words)], words[n % len(words)])
        rows[key] = rows.get(key, 0.0) + count


def _limits(tables: list[Table]) -> Any:
    for table in tables:
        limits: list[Limit] = [limit for d in table.group.detectors if d.use.kind == "threshold" for limit in d.limits]
        for site in table.sites:
            for limit in limits:
                if np.isfinite(at := number(limit.at, site)):
                    yield (f"{table.group.indicator.id}@{site}", Level(limit.level).word), at


def _info(plan: Plan, table: Table, site: str) -> tuple[object, ...]:
    found, indicator = plan.city.sites.get(site), table.group.indicator
    title = f"{found.title.zh if found else site} {indicator.title.zh}"
    return (f"{indicator.id}@{site}", title, area_of(found), "" if found is None or found.lat is None else found.lat,
            "" if found is None or found.lon is None else found.lon)
