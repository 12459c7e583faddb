"""What judging needs of history goes into the log: fitted rows, and the state of kinds that begin anew with a plan."""
from __future__ import annotations

from collections.abc import Collection, Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from detectors.needs import needs
from detectors.pack import City, Detector
from detectors.plan import Group, Piece, Plan
from detectors.reading import Fit
from detectors.registry import load
from streams import clock
from streams.errors import Unavailable
from streams.shards import partition
from streams.sql import engine

if TYPE_CHECKING:
    import pandas as pd

    from streams.settings import Settings

YEARS = 6 * 366 * 86_400_000_000
"""So much of history a fit looks at, µs: five years and what is left out of them."""
WINDOW = 1000
"""Records on their way to Kafka at once."""


def fresh(before: City | None, after: City) -> list[str]:
    """The paths of detectors whose kind keeps a state and begins anew with the plan `after`."""
    old, new = (Plan(city) if city is not None else None for city in (before, after))
    assert new is not None
    return [path for path, detector in new.detectors.items() if _kept(detector) and not _same(old, new, detector)]


def rows(city: City, frame: pd.DataFrame, as_of: int, paths: Collection[str]) -> list[Fit]:
    """What history says of these detectors: fitted where that was asked for, else as if they had seen it."""
    from streams.fit import fit_rows, warm_rows

    asked = {d.path: d.fit for pack in city.packs for d in pack.detectors if d.path in paths}
    warm = [path for path, fit in asked.items() if fit is None]
    return fit_rows(city, frame, as_of, list(asked)) + (warm_rows(city, frame, as_of, warm) if warm else [])


def history(settings: Settings, city: City, paths: Collection[str], as_of: int) -> pd.DataFrame:
    """What history.db holds of what these detectors look at, and of what that is made of."""
    from streams.fit._stored import stored

    wanted = needs(city, (d for pack in city.packs for d in pack.detectors if d.path in paths))
    names = [f"{name}@{site}" for name, one in wanted.items() for site in one.sites]
    return stored(engine(settings.history_url), names, as_of - YEARS)


def send(settings: Settings, fits: Iterable[Fit]) -> int:
    """Each row into the partition of its site; how many. Unavailable when Kafka did not take one."""
    from kafka import KafkaProducer
    from kafka.errors import KafkaError

    from streams.codec import encode

    waiting, sent = [], 0
    try:
        producer = KafkaProducer(bootstrap_servers=settings.broker.split(","), acks="all", delivery_timeout_ms=60_000)
        try:
            for fit in fits:
                place = partition(fit.series.partition("@")[2], settings.partitions)
                waiting.append(producer.send(settings.topic("readings"), encode(fit), partition=place))
                sent += 1
                if len(waiting) == WINDOW:
                    waiting.pop(0).get(60)
            for future in waiting:
                future.get(60)
        finally:
            producer.close()
    except KafkaError as error:
        raise Unavailable(f"the broker at {settings.broker} did not take a row: {error}") from error
    return sent


def warm(settings: Settings, before: City | None, after: City) -> int:
    """After a plan was announced: what begins anew in it is filled from history.db, so far as that reaches; rows sent."""
    paths = fresh(before, after)
    if not paths or not find_spec("pandas"):        # without the extra `history` kinds warm up by themselves
        return 0
    now = clock.now()
    found = history(settings, after, paths, now)
    return send(settings, rows(after, found, now, paths)) if len(found) else 0


def _kept(detector: Detector) -> bool:
    return detector.fit is not None or bool(getattr(load("kinds")[detector.use.kind], "slots", None))


def _same(old: Plan | None, new: Plan, detector: Detector) -> bool:
    """Whether its state goes on at every site: found under its name or that of before, with the same stamp."""
    if old is None:
        return False
    there = old.detectors.get(detector.path) or old.detectors.get(detector.root)
    if there is None or there.indicator != detector.indicator:
        return False
    mine, its = _piece(new.groups[detector.indicator], detector), _piece(old.groups[there.indicator], there)
    stamps = new.groups[detector.indicator].indicator.sites if mine.varied or its.varied else ("",)
    return all(mine.stamp(site) == its.stamp(site) for site in stamps)


def _piece(group: Group, detector: Detector) -> Piece:
    return next(piece for piece in group.kinds if piece.name == f"kind:{detector.path}")
