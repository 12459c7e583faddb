"""What explains a gauge, and with which travel time, is found in history and then taken away as readings come."""
from __future__ import annotations

from dataclasses import replace
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

from detectors.derive.lagged import Lagged
from detectors.judge import State, judge
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block
from detectors.trial import trial
from streams.fit import fit_rows
from streams.fit.residual import robust

HOUR = 3_600_000_000
LAG = 5


def city(by: float = nan, lateness: float = 0.0) -> City:
    """A gauge, its upstream neighbour, what that was some hours before, and what is left of the gauge."""
    def hourly(id: str, derive: Derive | None = None) -> Indicator:
        return Indicator(id, "p", Text(id), "m", ("a",), every=3600.0, derive=derive, lateness=lateness)

    lagged = Derive(Use("lagged", {} if isnan(by) else {"by": by}), ("upper",))
    left = Derive(Use("residual"), ("lower", "before"))
    made = hourly("lower"), hourly("upper"), hourly("before", lagged), hourly("left", left)
    high = Detector("unexplained", "p", "left", Use("threshold"), (Limit(2, 0.3),))
    return City((Pack("p", Text("测"), made, (high,)),), {"a": Site("a", Text("a"))})


def floods(n: int) -> tuple[Any, Any]:
    """Upstream and, five hours later at 0.8 of it and 2 m lower, downstream, with a little noise and a few bad readings."""
    r = np.random.default_rng(6)
    hours = np.arange(n + LAG)
    upper = np.full(len(hours), 30.0) + sum(3.0 * np.exp(-0.5 * ((hours - c) / 9.0) ** 2) for c in range(60, n, 170))
    lower = (0.8 * upper[:-LAG] - 2.0) + r.normal(0.0, 0.02, n)
    lower[::97] += 3.0
    return upper[LAG:], lower


def frame(n: int) -> pd.DataFrame:
    upper, lower = floods(n)
    rows = [(f"{name}@a", h * HOUR, h * HOUR + 1, float(x[h]), 0) for h in range(n) for name, x in (("upper", upper), ("lower", lower))]
    return pd.DataFrame(rows, columns=["series", "t", "arrived", "x", "flag"]).astype({"series": "category"})


@pytest.mark.parametrize("by", [nan, LAG * 3600.0], ids=["fitted travel time", "given"])
def test_fit(by: float) -> None:
    """The travel time, slope and base of the river are found in spite of bad readings."""
    rows = {f.detector: f for f in fit_rows(city(by), frame(1000), 1000 * HOUR)}
    assert set(rows) == ({"left", "before"} if isnan(by) else {"left"})
    left = rows["left"].row                                             # left, slopes 6, base, spread, fits
    assert left[2] == pytest.approx(0.8, abs=0.01) and left[7] == pytest.approx(-2.0, abs=0.3) and left[8] < 0.04
    if isnan(by):
        assert rows["before"].row[-1] == LAG * 3600.0


def test_what_is_left() -> None:
    """Before the fit nothing is said; after it the wave that came from upstream is quiet and water that did not is told."""
    of = city()
    plan = Plan(of)
    state, (upper, lower) = State(plan), floods(1300)
    fits = fit_rows(of, frame(1000), 1000 * HOUR)
    said = []
    for h in range(1000, 1300):
        if h == 1010:
            for fit in fits:
                state.control(fit)
        extra = 1.0 if h >= 1250 else 0.0
        clean = lower[h] - (3.0 if h % 97 == 0 else 0.0)
        block = Block.of([("upper@a", h * HOUR, float(upper[h])), ("lower@a", h * HOUR, float(clean + extra))])
        said += [(c.time // HOUR, c.to) for c in judge(plan, state, block) if c.kind == "level"]
        assert h >= 1010 or not state.derived
    assert said == [(1250, 2)]


def test_the_upstream_gauge_may_be_another_site() -> None:
    """A series taken over from another site (`of`) is fitted with what was measured there, to the same row."""
    here = city()
    lower, upper, before, left = here.packs[0].indicators
    level = replace(lower, id="level", sites=("a", "b"))
    above = replace(upper, sites=("a",), derive=Derive(Use("of"), ("level",), guests={"a": ("b",)}))
    made = replace(here.packs[0], indicators=(level, above, before, replace(left, derive=Derive(Use("residual"), ("level", "before")))))
    away = replace(here, packs=(made,), sites={s: Site(s, Text(s)) for s in "ab"})
    told = frame(1000)
    moved = told.assign(series=told["series"].astype(str).replace({"lower@a": "level@a", "upper@a": "level@b"}).astype("category"))
    same = {f.detector: repr(f.row) for f in fit_rows(here, told, 1000 * HOUR)}
    assert {f.detector: repr(f.row) for f in fit_rows(away, moved, 1000 * HOUR)} == same and len(same) == 2


def test_state_of_a_fit_is_kept() -> None:
    """A saved and loaded state goes on with the fitted slopes."""
    of = city(LAG * 3600.0)
    state = State(Plan(of))
    for fit in fit_rows(of, frame(1000), 1000 * HOUR):
        state.control(fit)
    other = State(Plan(of))
    other.load(state.dump())
    table = other.table_of["left"]
    assert table.live.part[0, table.group.at["made:left"]][2] == pytest.approx(0.8, abs=0.01)


def test_too_little() -> None:
    """Two days are no history."""
    assert fit_rows(city(), frame(48), 48 * HOUR) == []


def test_robust() -> None:
    """A tenth of absurd values moves the line little, and the spread is that of the good ones."""
    r = np.random.default_rng(7)
    x = np.linspace(0.0, 10.0, 400)
    y = 1.0 + 2.0 * x + r.normal(0.0, 0.1, 400)
    y[::10] = 50.0
    beta, spread = robust(np.column_stack([np.ones(400), x]), y)
    assert beta == pytest.approx([1.0, 2.0], abs=0.1) and 0.08 < spread < 0.15


def test_lagged_between_readings() -> None:
    """Between readings the line is straight; dense readings are thinned and still reach back; a gap is no guess beyond its ends."""
    p, s = trial(Lagged, by=3600.0)
    said = [Lagged.step(p, s, 60.0 * i, 0.0, float(i)) for i in range(600)]
    assert all(isnan(y) for y in said[:60])
    assert said[60:] == pytest.approx([i - 60.0 for i in range(60, 600)])
    assert isnan(Lagged.step(p, s, 60.0 * 10_000, 0.0, 1.0))
