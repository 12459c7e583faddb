"""Which readings are guests where: the partitions, beside its own, whose sites feed on a series (design 9.10). Pure."""
from __future__ import annotations

from detectors.pack import City
from detectors.targets import named
from streams.shards import partition


def guests(city: City, partitions: int) -> dict[str, frozenset[int]]:
    """Series -> partitions; a series that only sites of its own partition name is not there."""
    found: dict[str, frozenset[int]] = {}
    for series, sites in named(i for pack in city.packs for i in pack.indicators).items():
        away = {partition(site, partitions) for site in sites} - {partition(series.partition("@")[2], partitions)}
        if away:
            found[series] = frozenset(away)
    return found
