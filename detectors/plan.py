"""From a city's packs to arrays: who sits where in the row of a series, what each step is told, in which order."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from math import ceil, inf, isfinite, nan
from types import SimpleNamespace
from typing import Any

import numpy as np

from detectors.beside import asked, lateness, record
from detectors.calendar import Published, Watch
from detectors.loops import HEAD, RULE, SERIES
from detectors.pack import City, Detector, Indicator, Num, Use, Value
from detectors.registry import load
from detectors.step import Param, params
from detectors.sums import record as summing

MICRO = 1e6
MONTH = 31 * 86_400.0
SPARE = 8                       # readings that a ring holds beyond twice the lateness


@dataclass(frozen=True)
class Piece:
    """One part of a row: its name for migration, its record, and what it is told at each site."""

    name: str                   # series, head:<path>, check:<n>:<kind>, kind:<path>, op:<derived id>
    dtype: np.dtype[Any]
    use: Use | None = None
    algorithm: Any = None
    filled: dict[str, Value] = field(default_factory=dict)

    @property
    def width(self) -> int:
        """Float64 slots."""
        return self.dtype.itemsize // 8

    @property
    def varied(self) -> bool:
        """Whether a parameter that resets the state is a column of sites.csv."""
        given = self.use.params if self.use is not None else {}
        return any(isinstance(given.get(p.name), dict) for p in (params(self.algorithm) if given else ()) if p.reset)

    def stamp(self, site: str) -> str:
        """Changes when the state it stands for would be meaningless: another kind, another reset parameter."""
        if self.use is None:
            return "1"
        values = [(p.name, told(self.use, p, site, self.filled)) for p in params(self.algorithm) if p.reset]
        return blake2b(repr((self.use.kind, values)).encode(), digest_size=6).hexdigest()


class Group:
    """One indicator: all its series share checks, detectors and derive operators. Row: series, heads, then each state."""

    def __init__(self, plan: Plan, indicator: Indicator) -> None:
        self.plan, self.indicator = plan, indicator
        self.detectors = [d for p in plan.city.packs for d in p.detectors if d.indicator == indicator.id]
        self.feeds = [i for i in plan.indicators.values()
                      if i.derive is not None and i.derive.inputs == (indicator.id,) and not i.derive.guests]
        self.checks = [Piece(f"check:{n}:{u.kind}", load("checks")[u.kind].STATE, u, load("checks")[u.kind],
                             {"every": indicator.every, "calendar": plan.calendar})
                       for n, u in enumerate(indicator.checks)]
        self.kinds = [Piece(f"kind:{d.path}", load("kinds")[d.use.kind].STATE, d.use, load("kinds")[d.use.kind],
                            {"every": indicator.every, "calendar": plan.calendar}) for d in self.detectors]
        self.ops = [_op(plan, indicator, i) for i in self.feeds]
        self.made = _made(indicator)
        others = [plan.indicators[i] for i in asked([*indicator.checks, *(d.use for d in self.detectors)])]
        late = max(indicator.lateness, lateness(indicator, others))
        self.beside = [Piece(f"beside:{i.id}", record(indicator, i, late)) for i in others]
        self.sums = [Piece(f"area:{i.id}", summing(indicator)) for i in plan.indicators.values()
                     if i.derive and i.derive.tree and i.derive.inputs == (indicator.id,)]
        self.pieces = [Piece("series", SERIES), *(Piece(f"head:{d.path}", HEAD) for d in self.detectors),
                       *self.checks, *self.kinds, *self.ops, *self.made, *self.beside, *self.sums]
        ends = np.cumsum([p.width for p in self.pieces])
        self.at = {p.name: slice(int(e) - p.width, int(e)) for p, e in zip(self.pieces, ends, strict=True)}
        self.width = int(ends[-1])
        self.guest = indicator.derive is not None and bool(indicator.derive.guests)     # fed by readings of other sites
        above = [plan.groups[name].lateness for name in (indicator.derive.inputs if indicator.derive else ())]
        self.lateness: float = max([late * MICRO, indicator.rejudge * MONTH * MICRO, *above])
        self.ring = _ring(indicator, self.lateness / MICRO) if self.lateness else 0
        self.varied = any(piece.varied for piece in self.pieces)
        self.layouts: dict[str, tuple[str, list[Any]]] = {}     # by site where it varies, else under ""

    @cached_property
    def future(self) -> float:
        """How far ahead of its arrival a reading may lie, µs."""
        return max(120.0, self.indicator.every) * MICRO

    def watches(self) -> dict[int, Watch]:
        """Of the detectors that do not always judge, by their place: when they do."""
        return {d: Watch(detector.active, self.plan.calendar) for d, detector in enumerate(self.detectors) if detector.active}

    @cached_property
    def published(self) -> Published | None:
        """When the next figure is overdue, where figures are published by a calendar and not sent."""
        i = self.indicator
        return Published(i.due, i.merge, self.plan.city.calendar.offset) if i.period and i.due else None

    @cached_property
    def known(self) -> Any:
        """The share of a count that is known after 0, 1, 2 … periods, and then all of it."""
        return np.array([*self.indicator.complete, 1.0])

    def completed(self, t: Any, x: Any, arrived: Any) -> Any:
        """What counts that still fill up will be (x), by their age on arrival in whole periods."""
        age = np.clip((arrived - t) // (self.indicator.every * MICRO), 0, len(self.known) - 1).astype(np.int64)
        return x / self.known[age]

    def told(self, piece: Piece, sites: list[str]) -> Any:
        """The parameter record of each site; one shared record unless a number is a column."""
        assert piece.use is not None
        alike = not any(isinstance(v, dict) for v in piece.use.params.values())
        rows = np.zeros(1 if alike else len(sites), piece.algorithm.PARAMS)
        for p in params(piece.algorithm):
            if not isinstance(piece.use.params.get(p.name), dict):
                if sites:
                    rows[p.name] = told(piece.use, p, sites[0], piece.filled)
                continue
            for n, site in enumerate(sites[:1] if alike else sites):
                rows[p.name][n] = told(piece.use, p, site, piece.filled)
        rows = np.broadcast_to(rows, len(sites)) if alike else rows
        rows.flags.writeable = False
        return rows

    def rules(self, sites: list[str]) -> Any:
        """The limits of each detector at each site, those below with their sign turned; one shared row if all sites are alike."""
        alike = not any(d.sites or isinstance(limit.at, dict) or isinstance(limit.clear, dict)
                        for d in self.detectors for limit in d.limits)
        some = sites[:1] if alike else sites
        rows = np.zeros((1 if alike else len(sites), len(self.detectors)), RULE)
        rows["limit"], rows["clear"] = nan, nan
        for d, detector in enumerate(self.detectors):
            named = set(detector.sites)
            rows["cap"][:, d] = detector.cap
            for limit in detector.limits:
                j, sign = limit.level - 1 + (0 if limit.above else 4), 1.0 if limit.above else -1.0
                at = numbers(limit.at, some)
                clear = at if limit.clear is None else numbers(limit.clear, some)
                here = np.array([site in named for site in some]) if named else True
                rows["limit"][:, d, j] = np.where(here, sign * at, nan)
                rows["clear"][:, d, j] = np.where(here, sign * clear, nan)
                rows["hold"][:, d, j], rows["keep"][:, d, j] = limit.hold * MICRO, limit.keep * MICRO
        rows["above"] = np.fmin.reduce(rows["limit"][:, :, :4], axis=2, initial=inf)
        rows["below"] = -np.fmin.reduce(rows["limit"][:, :, 4:], axis=2, initial=inf)
        rows = np.broadcast_to(rows, (len(sites), len(self.detectors))) if alike else rows
        rows.flags.writeable = False
        return rows


class Plan:
    """All that is judged. `hash` is the name of the city's canonical bytes; it is evidence, never part of an id."""

    def __init__(self, city: City, hash: str = "") -> None:
        self.city, self.hash = city, hash
        self.calendar = city.calendar.row()
        self.indicators: dict[str, Indicator] = {i.id: i for p in city.packs for i in p.indicators}
        self.detectors: dict[str, Detector] = {d.path: d for p in city.packs for d in p.detectors}
        self.groups: dict[str, Group] = {}
        for name in _order(self.indicators, self.detectors.values()):
            self.groups[name] = Group(self, self.indicators[name])
        self.series: dict[str, str] = {f"{i.id}@{site}": i.id for i in self.indicators.values() for site in i.sites}
        self.foreign: dict[tuple[str, int, str], Any] = {}      # what checks are told at the sites of guests (guests.py)
        self.several: list[Indicator] = [i for i in self.indicators.values() if i.derive and len(i.derive.inputs) > 1]

    @cached_property
    def sites(self) -> dict[str, tuple[str, ...]]:
        """Site -> the names of its series."""
        found: dict[str, list[str]] = {site: [] for site in self.city.sites}
        for name in self.series:
            if name.partition("@")[2] in self.city.sites or ":" not in name:        # `tree:area` is no site
                found.setdefault(name.partition("@")[2], []).append(name)
        return {site: tuple(names) for site, names in found.items()}

    @cached_property
    def row_floats(self) -> dict[str, int]:
        """Float64 slots that one series of each indicator takes, so memory is known before anything runs."""
        return {i: (2 * g.width + 4 * g.ring + 1 if g.ring else g.width) for i, g in self.groups.items()}


def told(use: Use, p: Param, site: str, filled: Mapping[str, Value]) -> Any:
    """What a parameter is at a site: as written, or filled in by the plan, or its default."""
    value: Value | None = use.params.get(p.name)
    if isinstance(value, dict):
        value = value.get(site, nan)
    if value is None:
        value = filled.get(p.name, p.default)
    if value is None:
        raise ValueError(f"{use.kind}: parameter {p.name} is missing")
    if p.size > 1:
        row = value if isinstance(value, tuple) else (value,) * p.size
        return tuple(row) + (0.0,) * (p.size - len(row))
    return float(value)  # type: ignore[arg-type]


def told_plainly(target: Indicator, site: str) -> Any:
    """What the operator of a derived series of several inputs is told at a site, as plain numbers."""
    derive = target.derive
    assert derive is not None
    algorithm = load("derive")[derive.use.kind]
    inputs = float(len(derive.sources(site)))
    filled: dict[str, Value] = {"every": target.every, "coverage": derive.coverage, "inputs": inputs}
    return SimpleNamespace(**{p.name: told(derive.use, p, site, filled) for p in params(algorithm)})


def number(value: Num, site: str) -> float:
    """A number at a site; NaN where its column is empty."""
    return float(value.get(site, nan)) if isinstance(value, dict) else float(value)


def numbers(value: Num, sites: list[str]) -> Any:
    """The same at each of these sites; one number where they are alike."""
    if isinstance(value, dict):
        return np.fromiter((value.get(site, nan) for site in sites), float, len(sites))
    return float(value)


def _op(plan: Plan, source: Indicator, target: Indicator) -> Piece:
    """The derive operator of one input, whose state lives in the row of that input, so a rewind takes it along."""
    assert target.derive is not None
    algorithm = load("derive")[target.derive.use.kind]
    return Piece(f"op:{target.id}", algorithm.STATE, target.derive.use, algorithm,
                 {"every": source.every, "coverage": target.derive.coverage, "inputs": 1.0, "merge": float(source.merge),
                  "calendar": plan.calendar})


def _made(target: Indicator) -> list[Piece]:
    """What was fitted for the operator of several inputs that makes this series; only a fit writes it (DECISIONS 16)."""
    derive = target.derive
    if derive is None or len(derive.inputs) < 2:
        return []
    algorithm = load("derive")[derive.use.kind]
    if not getattr(algorithm, "fitted", ""):
        return []
    return [Piece(f"made:{target.id}", algorithm.STATE, derive.use, algorithm, {"inputs": float(len(derive.inputs))})]


def _ring(indicator: Indicator, lateness: float) -> int:
    """Readings kept for a rewind: twice the lateness and a few (design 9.15)."""
    late = ceil(2 * lateness / indicator.every) if isfinite(lateness) else 0
    return max(late, indicator.rejudge) + SPARE


def _order(indicators: dict[str, Indicator], detectors: Iterable[Detector]) -> list[str]:
    """Inputs before what is made of them, and where it can be, what is looked at (`with:`) before who looks: then what comes at
    one moment is seen at once. ValueError on a circle or an unknown input.
    """
    done: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"derived in a circle: {' -> '.join((*path, name))}")
        if name not in indicators:
            raise ValueError(f"{path[-1]}: unknown input {name}")
        for source in (d.inputs if (d := indicators[name].derive) else ()):
            visit(source, (*path, name))
        if name not in done:
            done.append(name)

    def made_of(name: str) -> set[str]:
        derive = indicators[name].derive if name in indicators else None
        return {name}.union(*map(made_of, derive.inputs)) if derive else {name}

    for name in indicators:                             # circles first, for what follows knows of none
        visit(name, ())
    done.clear()
    looks = {name: list(i.checks) for name, i in indicators.items()}
    for detector in detectors:
        looks.setdefault(detector.indicator, []).append(detector.use)
    for name in indicators:
        for other in asked(looks[name]):
            if other in indicators and name not in made_of(other):
                visit(other, ())
        visit(name, ())
    return done


