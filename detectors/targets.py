"""Who feeds on readings of other sites: the sites that name a foreign series, and there the rows that it goes to (guests.py)."""
from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from detectors.pack import Indicator
from detectors.table import Table

ALONE = "of"
"""The operator that takes over one foreign series as it is; all others are told several at one t."""


class Target(NamedTuple):
    """Where a foreign reading goes: the derived series in this row, as its input number `k`; alone, or one of several."""

    table: Table
    row: int
    k: int
    alone: bool


def targets(tables: list[Table]) -> dict[str, list[Target]]:
    """Foreign series -> what it feeds here."""
    found: dict[str, list[Target]] = {}
    for table in tables:
        derive = table.group.indicator.derive
        if derive is not None and derive.guests:
            for row, site in enumerate(table.sites):
                for k, series in enumerate(derive.sources(site)):
                    found.setdefault(series, []).append(Target(table, row, k, derive.use.kind == ALONE))
    return found


def named(indicators: Iterable[Indicator]) -> dict[str, tuple[str, ...]]:
    """Foreign series -> the sites that name it, for whoever has to write its readings into their partitions as well."""
    found: dict[str, dict[str, None]] = {}
    for indicator in indicators:
        if indicator.derive is not None and indicator.derive.guests and not indicator.derive.tree:
            for site in indicator.sites:
                for series in indicator.derive.sources(site):
                    found.setdefault(series, {})[site] = None
    return {series: tuple(sites) for series, sites in found.items()}
