"""Which ladder an alert climbs: the first row of routes.yaml whose every given field matches. Pure."""
from __future__ import annotations

from datetime import date

from detectors.calendar import SPECIAL
from detectors.level import Level
from detectors.pack import City, Ladder, Route
from streams.desk.local import local

EPOCH = date(1970, 1, 1).toordinal()


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


def timely(route: Route, city: City, at: int | None) -> bool:
    """Whether the row is for this moment (µs UTC; the city's time counts). Without a moment a row that asks for one is not."""
    if not route.days and not route.hours and route.office is None:
        return True
    if at is None:
        return False
    when = local(at)
    minute = when.hour * 60 + when.minute
    if route.office is not None and route.office != (_works(city, when.date()) and _within(minute, city.duty.office_hours)):
        return False
    return (not route.days or when.weekday() in route.days) and (not route.hours or _within(minute, route.hours))


def _works(city: City, day: date) -> bool:
    """Whether offices are open on a day: its weekday, unless the calendar has a holiday or a weekend worked in exchange."""
    n = day.toordinal() - EPOCH
    special = [s.kind for s in city.calendar.special if s.first <= n <= s.last]
    return special[-1] == SPECIAL["workday"] if special else day.weekday() in city.duty.office_days


def _within(minute: int, spans: tuple[tuple[int, int], ...]) -> bool:
    """Whether a minute of the day lies in a span; one that ends at or before its start runs over midnight."""
    return any(a <= minute < b if a < b else minute >= a or minute < b for a, b in spans)


def matches(route: Route, pack: str, level: int, areas: frozenset[str], agency: str) -> bool:
    """Whether every field that the row gives holds, but for its time."""
    return ((not route.packs or pack in route.packs) and (not route.levels or level in route.levels)
            and (not route.areas or bool(areas & set(route.areas))) and (not route.agencies or agency in route.agencies))


def row_of(city: City, pack: str, level: int, site: str = "", area: str = "", as_of: bool = False, at: int | None = None) -> int:
    """The number (from 0) of the row that counts; -1 = none. What is only known "as of" climbs yellow's ladder at most."""
    level = min(level, Level.YELLOW) if as_of else level
    areas = areas_of(city, site, area)
    agency = city.sites[site].agency if site in city.sites else ""
    return next((n for n, r in enumerate(city.routes) if matches(r, pack, level, areas, agency) and timely(r, city, at)), -1)


def ladder_of(city: City, pack: str, level: int, site: str = "", area: str = "", as_of: bool = False,
              at: int | None = None) -> Ladder | None:
    """The ladder at a moment (µs UTC), or None where no row matches."""
    row = row_of(city, pack, level, site, area, as_of, at)
    return next((ladder for ladder in city.ladders if row >= 0 and ladder.id == city.routes[row].ladder), None)
