"""From a history to `Fit` records: what was known at a date goes through each kind's `fit`, or through the judge itself."""
from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from detectors.calendar import Calendar
from detectors.judge import State, judge
from detectors.pack import City, Detector, Indicator
from detectors.plan import Plan, told
from detectors.reading import Block, Fit, Flag
from detectors.registry import load
from detectors.step import params
from streams.clock import MICRO, iso

if TYPE_CHECKING:
    from streams.replay.history import History

COLUMNS = ("series", "t", "arrived", "x", "flag")
"""Of a history frame: `indicator@site`, µs UTC, µs UTC, value (NaN = missing), QARTOD flag."""


@dataclass(frozen=True)
class Asked:
    """What one detector asks of its fit: its parameters at each site, the calendar, and the moment (µs UTC) it is made for."""

    detector: Detector
    indicator: Indicator
    calendar: Calendar
    told: dict[str, SimpleNamespace]
    as_of: int


@cache
def fitters() -> dict[str, Any]:
    """The `fit` of each kind that has one."""
    return {file.stem: import_module(f"streams.fit.{file.stem}").fit for file in sorted(Path(__file__).parent.glob("[a-z]*.py"))}


def frame_of(history: History) -> pd.DataFrame:
    """A history file as a frame of COLUMNS."""
    names = pd.Categorical(np.array(history.series, object)[history.index], list(history.series))
    return pd.DataFrame({"series": names, "t": history.t, "arrived": history.arrived, "x": history.x, "flag": history.flag})


def fit_rows(city: City, frame: pd.DataFrame, as_of: int, paths: Collection[str] | None = None) -> list[Fit]:
    """A row for every series of the detectors (None = all), and of the derived series of their packs, that are to be fitted.

    As of a moment (µs UTC). Sites with too little history have none: they go on warming.
    """
    plan, known = Plan(city), _known(frame, as_of)
    out: list[Fit] = []
    for path, detector in plan.detectors.items():
        if detector.fit is None or (paths is not None and path not in paths):
            continue
        group = plan.groups[detector.indicator]
        piece = next(p for p in group.kinds if p.name == f"kind:{path}")
        sites = [s for s in detector.sites or group.indicator.sites]
        asked = Asked(detector, group.indicator, city.calendar, {s: _told(piece, s) for s in sites}, as_of)
        readings = _readings(known, group.indicator.id, set(sites))
        for site, slots in fitters()[detector.use.kind](readings, asked).items():
            row = _row(load("kinds")[detector.use.kind], slots)
            out.append(Fit(f"{group.indicator.id}@{site}", path, row, f"fit {iso(as_of)}", piece.stamp(site)))
    packs = None if paths is None else {path.partition("/")[0] for path in paths}
    return out + _derived(plan, known, as_of, packs)


def derived_to_fit(city: City) -> list[Indicator]:
    """Derived series whose operator is fitted; a kind on them warms until it is."""
    every = load("derive")
    return [i for p in city.packs for i in p.indicators
            if i.derive is not None and hasattr(every[i.derive.use.kind], "fitted")]


def _derived(plan: Plan, known: pd.DataFrame, as_of: int, packs: Collection[str] | None) -> list[Fit]:
    """Rows of the derived series that are fitted, and the travel times of what they are made of."""
    from streams.fit.residual import sites

    out: list[Fit] = []
    for target in derived_to_fit(plan.city):
        if packs is not None and target.pack not in packs:
            continue
        for name, site, kind, slots in sites(plan, target, lambda i: _here(known, i)):
            piece = next(p for p in plan.groups[name].pieces if p.name == kind)
            row = _row(piece.algorithm, slots)
            out.append(Fit(f"{name}@{site}", kind.partition(":")[2], row, f"fit {iso(as_of)}", piece.stamp(site)))
    return out


def warm_rows(city: City, frame: pd.DataFrame, as_of: int, paths: Collection[str]) -> list[Fit]:
    """The state that kinds which learn by themselves would have, had they seen the history: through the judge, not beside it."""
    known = _known(frame, as_of).sort_values(["t", "series"], kind="stable")
    plan = Plan(replace(city, packs=tuple(replace(p, rules=(), indicators=tuple(
        replace(i, oldest=inf, silent=inf, complete=()) for i in p.indicators)) for p in city.packs)))
    state, names = State(plan), tuple(known["series"].cat.categories)
    t, index = known["t"].to_numpy(np.int64), known["series"].cat.codes.to_numpy().astype(np.int32)
    for start in range(0, len(known), 65_536):
        part = slice(start, start + 65_536)
        n = len(t[part])
        judge(plan, state, Block(names, index[part], t[part],
                                 known["x"].to_numpy(float)[part], known["flag"].to_numpy(np.uint8)[part], t[part], ("",),
                                 np.zeros(n, np.uint8)))
    out: list[Fit] = []
    for table in state.tables:
        for d, detector in enumerate(table.group.detectors):
            if detector.path not in paths:
                continue
            piece = table.group.kinds[d]
            for row in np.flatnonzero(~np.isnan(table.live.series["seen"])).tolist():
                values = tuple(table.live.part[row, table.group.at[piece.name]].tolist())
                out.append(Fit(table.name(row), detector.path, values, f"warm {iso(as_of)}", piece.stamp(table.sites[row])))
    return out


def _known(frame: pd.DataFrame, as_of: int) -> pd.DataFrame:
    """What had arrived before a moment and is of before it: of each time the newest value, unless it failed or is missing."""
    seen = frame[(frame["arrived"] < as_of) & (frame["t"] < as_of)]
    seen = seen.sort_values(["series", "t", "arrived"], kind="stable").drop_duplicates(["series", "t"], keep="last")
    good = seen[(seen["flag"] < int(Flag.FAIL)) & seen["x"].notna()]
    return good.assign(series=good["series"].astype("category"))


def _readings(known: pd.DataFrame, indicator: str, sites: set[str]) -> pd.DataFrame:
    """site, t (seconds UTC), x of one indicator, in the order of t."""
    names = [f"{indicator}@{site}" for site in sites]
    part = known[known["series"].isin(names)]
    site = part["series"].astype(str).str.partition("@")[2] if len(part) else pd.Series([], dtype=str)
    return pd.DataFrame({"site": site, "t": part["t"] / MICRO, "x": part["x"]}).sort_values("t", kind="stable")


def _here(known: pd.DataFrame, indicator: Indicator) -> pd.DataFrame:
    """The same of every site of an indicator; of one that another site measures (`of`), what is measured there."""
    derive = indicator.derive
    if derive is None or not derive.guests:
        return _readings(known, indicator.id, set(indicator.sites))
    away = pd.DataFrame([(far, site) for site, others in derive.guests.items() for far in others[:1]], columns=["site", "here"])
    found = _readings(known, derive.inputs[0], set(away["site"])).merge(away, on="site")
    return found.assign(site=found["here"])[["site", "t", "x"]].sort_values("t", kind="stable")


def _told(piece: Any, site: str) -> SimpleNamespace:
    return SimpleNamespace(**{p.name: told(piece.use, p, site, piece.filled) for p in params(piece.algorithm)})


def _row(kind: Any, slots: dict[str, Any]) -> tuple[float, ...]:
    """The slots of a kind as one row; those that are not given stay what they are (NaN)."""
    row: list[float] = []
    for name, size in kind.slots.items():
        values: Iterable[Any] = np.broadcast_to(np.asarray(slots.get(name, np.nan), float), (size,))
        row += [float(v) for v in values]
    return tuple(row)
