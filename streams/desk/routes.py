"""Which ladder an alert climbs: the first row of routes.yaml whose every given field matches. Pure."""
from __future__ import annotations

from detectors.level import Level
from detectors.pack import City, Ladder, Route


def areas_of(city: City, site: str, area: str) -> frozenset[str]:
    """All areas of an alert, with their ancestors, as `id` and as `tree:id`."""
    parents = {(a.tree, a.id): a.parent for a in city.areas}
    found = city.sites[site].areas if site in city.sites else {}
    tree, _, own = area.partition(":")
    todo = [*found.items(), (tree, own)]
    out: set[str] = set()
    for tree, lowest in todo:
        node = lowest
        while node and f"{tree}:{node}" not in out:
            out |= {node, f"{tree}:{node}"}
            node = parents.get((tree, node), "")
    return frozenset(out)


def matches(route: Route, pack: str, level: int, areas: frozenset[str], agency: str) -> bool:
    """Whether every field that the row gives holds."""
    return ((not route.packs or pack in route.packs) and (not route.levels or level in route.levels)
            and (not route.areas or bool(areas & set(route.areas))) and (not route.agencies or agency in route.agencies))


def ladder_of(city: City, pack: str, level: int, site: str = "", area: str = "", as_of: bool = False) -> Ladder | None:
    """The ladder, or None where no row matches. What is only known "as of" climbs yellow's ladder at most."""
    level = min(level, Level.YELLOW) if as_of else level
    areas = areas_of(city, site, area)
    agency = city.sites[site].agency if site in city.sites else ""
    name = next((r.ladder for r in city.routes if matches(r, pack, level, areas, agency)), None)
    return next((ladder for ladder in city.ladders if ladder.id == name), None)
