"""Where the water of a site or area goes, and how long it takes: the columns `downstream` and `travel`."""
from __future__ import annotations

from collections.abc import Mapping

from streams.packs.faults import Faults, Place
from streams.packs.sheets import Row
from streams.packs.units import UnitError, seconds


def read_link(row: Row, faults: Faults) -> tuple[str, float]:
    """(the next one, seconds until it is there)."""
    down, written = row["downstream"], row["travel"]
    if not down and not written:
        return "", 0.0
    if not down or not written:
        have, lack = ("downstream", "travel") if down else ("travel", "downstream")
        faults.add(row.at(have), f"{have} without {lack}: where it comes to and how long it takes belong together")
        return "", 0.0
    try:
        travel = seconds(written)
        if travel <= 0:
            raise UnitError(f"{written} is no time of travel")
    except UnitError as error:
        faults.add(row.at("travel"), f"travel: {error}")
        travel = 0.0
    return down, travel


def check_links(noun: str, links: Mapping[str, str], places: Mapping[str, Place], known: Mapping[str, object],
                faults: Faults) -> None:
    """Each goes to one that exists, and none comes back to itself. `links`: from -> to."""
    for name, down in links.items():
        if down not in known:
            faults.unknown(places[name], f"{noun} downstream", down, known)
            continue
        way = [name]
        while way[-1] in links and links[way[-1]] not in way:
            way.append(links[way[-1]])
        if links.get(way[-1]) == name == min(way):
            faults.add(places[name], f"{noun} {name!r} is downstream of itself: {' -> '.join([*way, name])}")
