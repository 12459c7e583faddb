"""sites.csv: where or who.

Some columns are known by name, a column named as an area tree of areas.csv is an area, all others are numbers.
"""
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from detectors.pack import Area, Site, Text
from streams.packs.citygrammar import SITES
from streams.packs.faults import Faults, Place
from streams.packs.links import read_link
from streams.packs.sheets import Row, Sheet, read
from streams.packs.values import Columns

WORDS = SITES.names
"""Columns that are not parameters."""

SITE = re.compile(r"[^\s@,;:/|\"']+")
"""A site's id: it becomes a part of `indicator@site`, of addresses and of labels."""


@dataclass
class Sites:
    """The sites of one pack: their rows resolved, and which indicators each says it has (none named = all of the pack)."""

    by: dict[str, Site] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    named: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)        # sites alike, such as a trade: they may share a fitted shape


def read_sites(path: Path, name: str, trees: Mapping[str, Mapping[str, Area]], faults: Faults) -> Sites:
    """The sites of a pack; `trees` is tree -> area id -> area."""
    sheet = read(path, faults, name)
    sites = Sites()
    if sheet.head is None or not sheet.need(["site"], faults):
        return sites
    numbers = [c for c in sheet.columns if c and c not in WORDS and c not in trees]
    rows: dict[str, dict[str, float]] = {}
    for row in sheet.rows:
        site = _id(row, sites, faults)
        if site:
            sites.by[site] = _site(site, row, trees, sheet, faults)
            sites.named[site] = tuple(row["indicators"].split())
            if row["category"]:
                sites.categories[site] = row["category"]
            sites.places[site] = row.at("indicators" if row["indicators"] else "site")
            rows[site] = {c: row.number(c, faults) for c in numbers}
    sites.columns = Columns(numbers, rows)
    return sites


def _id(row: Row, sites: Sites, faults: Faults) -> str:
    site = row["site"]
    if not SITE.fullmatch(site):
        faults.add(row.at("site"), f"site {site!r}: expected a name without spaces and without any of @ , ; : / | quotes")
        return ""
    if site in sites.by:
        faults.add(row.at("site"), f"duplicate site {site!r}, first at line {sites.places[site].line}")
        return ""
    return site


def _site(site: str, row: Row, trees: Mapping[str, Mapping[str, Area]], sheet: Sheet, faults: Faults) -> Site:
    areas = {tree: row[tree] for tree in trees if tree in sheet.columns and row[tree]}
    for tree, area in areas.items():
        if area not in trees[tree]:
            faults.unknown(row.at(tree), f"{tree} area", area, trees[tree])
    return Site(site, Text(row["zh"] or row["en"] or site, row["en"]), _degrees(row, "lat", 90, faults),
                _degrees(row, "lon", 180, faults), row["agency"], {t: a for t, a in areas.items() if a in trees[t]},
                *read_link(row, faults))


def _degrees(row: Row, column: str, most: float, faults: Faults) -> float | None:
    value = row.number(column, faults)
    if isnan(value):
        return None
    if abs(value) > most:
        faults.add(row.at(column), f"column {column}: {value:g} is out of bounds; allowed: {-most:g} to {most:g}")
    return value
