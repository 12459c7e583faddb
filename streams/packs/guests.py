"""`at:` and `area:` of a derived indicator: which other sites it is made of (design 9.10)."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import asin, cos, radians, sin, sqrt
from typing import Any

from detectors.pack import Indicator, Site, Use, Value
from detectors.registry import load
from streams.packs.book import Book, Draft
from streams.packs.fields import Fields
from streams.packs.grammar import AREA, GUEST
from streams.packs.values import some

KEYS, AT = GUEST.names, GUEST.words("at")


def foreign(op: Any) -> int:
    """How many other sites an operator takes: 0 none, 1 one, else as many."""
    return int(getattr(op, "foreign", 0))


def read_guests(book: Book, draft: Draft, fields: Fields, operator: str, source: Indicator) -> dict[str, tuple[str, ...]]:
    """By site of the new series the sites whose `source` it is made of; {} after a fault."""
    if source.derive is not None:
        fields.faults.add(fields.at(operator), f"{fields.what}: {source.id} is derived; take "
                          f"{' and '.join(source.derive.inputs)} from there and derive here")
        return {}
    if ("at" in fields) == ("area" in fields):
        fields.faults.add(fields.place, f"{fields.what}: {operator} needs one of at: {', '.join(AT)} or area: {{tree, depth}}")
        return {}
    sites: dict[str, Site] = {id: site for other in book.drafts.values() for id, site in other.sites.by.items()}
    if "area" in fields:
        groups = read_areas(book, fields, source)
        if not groups:
            return {}
        found = {site: tuple(o for o in group if o != site) for group in groups.values() for site in group if len(group) > 1}
        means = "in one area with others that have it"
    else:
        word = fields.choice("at", AT)
        if not word:
            return {}
        found, means = _linked(word, list(draft.sites.by), source, sites), f"with one {word} that has it"
    most = foreign(load("derive")[operator])
    several = [site for site, others in found.items() if len(others) > most]
    if several:
        fields.faults.add(fields.place, f"{fields.what}: {operator} takes at most {most} other site{'s' * (most > 1)}, and "
                          f"there are more for {some(several)}" + ("; see neighbours" if most == 1 else ""))
        return {}
    if not found:
        fields.faults.add(fields.place, f"{fields.what}: no site {means}: {source.id}")
    return found


def moved(source: Indicator, away: dict[str, tuple[str, ...]]) -> tuple[Use, ...]:
    """The checks of the foreign indicator, with the numbers of the foreign site: a reading is doubted here as at home."""
    def of(value: Value) -> Value:
        if not isinstance(value, dict):
            return value
        return {site: value[others[0]] for site, others in away.items() if others[0] in value}

    return tuple(replace(use, params={name: of(value) for name, value in use.params.items()})
                 for use in source.checks if not use.beside)


def _linked(word: str, mine: list[str], source: Indicator, sites: dict[str, Site]) -> dict[str, tuple[str, ...]]:
    """Up and down the links of sites.csv, or by distance. A site that measures it itself is its own nearest."""
    def near(site: str) -> tuple[str, ...]:
        there = [s for s in source.sites if s == site or _far(sites[site], sites[s]) is not None]
        return tuple(sorted(there, key=lambda s: (_far(sites[site], sites[s]) or 0.0, s))[:1])

    def up(site: str) -> tuple[str, ...]:
        return tuple(s for s in source.sites if sites[s].downstream == site)

    def down(site: str) -> tuple[str, ...]:
        return tuple(s for s in (sites[site].downstream,) if s in source.sites)

    find: Callable[[str], tuple[str, ...]] = {"upstream": up, "downstream": down, "nearest": near}[word]
    return {site: others for site in mine if (others := find(site))}


def read_areas(book: Book, fields: Fields, source: Indicator) -> dict[str, tuple[str, ...]]:
    """The sites that have an indicator in each area of one depth, by `tree:area`; {} after a fault."""
    area = fields.sub("area", AREA.names)
    tree = area.choice("tree", book.trees)
    depth = area.choice("depth", dict.fromkeys(a.depth for a in book.trees[tree].values())) if tree else ""
    for key in ("tree", "depth"):
        area.need(key)
    if not tree or not depth:
        return {}
    lies: dict[str, str] = {}
    for other in book.drafts.values():
        lies |= {site: found.areas[tree] for site, found in other.sites.by.items() if tree in found.areas}
    groups: dict[str, list[str]] = {}
    for site in source.sites:
        name = lies.get(site, "")
        while name in book.trees[tree] and book.trees[tree][name].depth != depth:
            name = book.trees[tree][name].parent
        if name in book.trees[tree]:
            groups.setdefault(f"{tree}:{name}", []).append(site)
    if not groups:
        fields.faults.add(fields.place, f"{fields.what}: no site that has {source.id} lies in a {depth} of {tree}")
    return {area: tuple(group) for area, group in groups.items()}


def _far(a: Site, b: Site) -> float | None:
    """Kilometres between two sites along a great circle (haversine); None where one has no coordinates."""
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    p, q = radians(a.lat), radians(b.lat)
    h = sin((q - p) / 2) ** 2 + cos(p) * cos(q) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * 6371.0 * asin(sqrt(min(1.0, h)))
