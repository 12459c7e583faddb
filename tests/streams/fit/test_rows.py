"""From history to rows in the log: what was known at a date, and nothing later; the judge warms until a row is there."""
from __future__ import annotations

import sys
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import insert

from detectors.calendar import Calendar, Special
from detectors.judge import State, judge
from detectors.pack import City, Detector, Fitting, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block, Fit
from detectors.registry import load
from streams.cli import main
from streams.codec import decode, encode
from streams.fit import fit_rows, fitters, warm_rows
from streams.fit._stored import stored
from streams.history.tables import bucket, reading, tables
from streams.replay.history import read
from streams.replay.refit import records
from streams.sql import engine
from streams.warming import fresh, rows

DAY, WEEK = 86_400_000_000, 7 * 86_400_000_000
MONDAY = 1_577_635_200_000_000          # 2019-12-30 00:00 in China, a Monday


def city(kind: str, fit: Fitting | None, sites: tuple[str, ...] = ("a", "b"), every: float = 3600.0, **params: Any) -> City:
    level = Indicator("calls", "p", Text("次"), "", sites, every=every)
    detector = Detector("odd", "p", "calls", Use(kind, params), (Limit(2, 4.0), Limit(2, -4.0, above=False)), fit=fit)
    holiday = Calendar((Special(18_536, 18_543, 1, "national-day"),))       # 2020-10-01 to 10-08
    return City((Pack("p", Text("测"), (level,), (detector,)),), {s: Site(s, Text(s)) for s in sites}, calendar=holiday)


def frame(series: dict[str, list[tuple[int, float]]]) -> pd.DataFrame:
    out = [(f"calls@{site}", t, t + 1, x, 0) for site, points in series.items() for t, x in points]
    made = pd.DataFrame(out, columns=["series", "t", "arrived", "x", "flag"])
    return made.astype({"series": "category"})


def hourly(weeks: int, scale: float = 1.0, seed: int = 1) -> list[tuple[int, float]]:
    """A busy day, half of it at the weekend, a fifth on the holiday."""
    r, out = np.random.default_rng(seed), []
    for h in range(weeks * 168):
        t = MONDAY + h * 3_600_000_000
        day = (t // 1_000_000 + 28_800) // 86_400
        usual = (100.0 if 8 <= h % 24 < 20 else 20.0) * (0.5 if h % 168 >= 120 else 1.0)
        out.append((t, scale * (usual * (0.2 if 18_536 <= day <= 18_543 else 1.0) + r.normal())))
    return out


def weekly(years: int, seed: int = 2) -> list[tuple[int, float]]:
    """Counts with a season, one old outbreak among them."""
    r = np.random.default_rng(seed)
    means = [12.0 * np.exp(0.5 * np.sin(2 * np.pi * w / 52.18)) for w in range(int(years * 52.18))]
    return [(MONDAY + w * WEEK, float(r.poisson(m) + (60 if w == 100 else 0))) for w, m in enumerate(means)]


def test_each_kind_that_says_so_has_its_fit() -> None:
    """Files of streams/fit are the kinds and operators that are fitted."""
    assert set(fitters()) == {name for folder in ("kinds", "derive") for name, kind in load(folder).items() if hasattr(kind, "fitted")}


def test_seasonal() -> None:
    """A fitted year judges from its first reading, the holiday as a holiday; the row survives the log bit for bit."""
    of = city("seasonal", Fitting("hour_of_week"), floor=0.5)
    past = [p for p in hourly(90) if p[0] < MONDAY + 60 * WEEK]
    (row,) = fit_rows(of, frame({"a": past}), MONDAY + 60 * WEEK)
    again = decode(encode(row))
    assert isinstance(again, Fit) and np.array_equal(again.row, row.row, equal_nan=True) and again.series == "calls@a"

    plan = Plan(of)
    state, t = State(plan), MONDAY + 60 * WEEK + 10 * 3_600_000_000
    judge(plan, state, Block.of([("calls@a", t - 3_600_000_000, 100.0)]))
    assert dict((s, f) for s, _, _, f, _, _ in state.levels())["calls@a"] == "warming"
    state.control(row)
    assert dict((s, f) for s, _, _, f, _, _ in state.levels())["calls@a"] == "fresh"
    assert [c.to for c in judge(plan, state, Block.of([("calls@a", t, 100.0)])) if c.kind == "level"] == []
    assert [c.to for c in judge(plan, state, Block.of([("calls@a", t + 3_600_000_000, 20.0)])) if c.kind == "level"] == [2]
    kind = state.tables[0].live.kinds[0][0]
    assert 15.0 < kind["off_means"][10] < 25.0 and 95.0 < kind["means"][10] < 105.0


def test_shape_of_a_group() -> None:
    """A site with three days of its own has the shape of its group at its own level; of another group it has nothing."""
    of = city("seasonal", Fitting("hour_of_week", {"a": "shoes", "b": "shoes", "c": "hats"}), ("a", "b", "c"))
    young = [p for p in hourly(60, 10.0, 3) if p[0] >= MONDAY + 59 * WEEK + 4 * DAY]
    found = {f.series: f for f in fit_rows(of, frame({"a": hourly(60), "b": young, "c": hourly(60)[:20]}), MONDAY + 60 * WEEK)}
    assert set(found) == {"calls@a", "calls@b"}
    a, b = (np.array(found[f"calls@{s}"].row[:168]) for s in "ab")
    assert b == pytest.approx(10.0 * a, rel=0.1) and a[10] == pytest.approx(100.0, rel=0.05)


def test_only_what_was_known() -> None:
    """What arrived after the date, failed readings and older vintages do not count."""
    of = city("seasonal", Fitting("hour_of_week"))
    clean = frame({"a": hourly(30)})
    later = clean.assign(arrived=clean["arrived"] + 40 * WEEK, x=1e6)
    failed = clean.assign(arrived=clean["arrived"] + 1, flag=4, t=clean["t"] + 1, x=1e6)
    old = clean.assign(arrived=clean["arrived"] - 1, x=-1e6)
    mixed = pd.concat([later, failed, clean, old], ignore_index=True).astype({"series": "category"})
    as_of = MONDAY + 30 * WEEK + 2
    assert fit_rows(of, mixed, as_of)[0].row == pytest.approx(fit_rows(of, clean, as_of)[0].row, nan_ok=True)


def test_farrington() -> None:
    """Five years of weeks give a limit that most weeks keep, an outbreak breaks, and the old outbreak has not raised much."""
    of = city("farrington", Fitting(), every=7 * 86400.0, alpha=0.005)
    past = weekly(6)
    as_of = MONDAY + 300 * WEEK + DAY
    (row,) = [f for f in fit_rows(of, frame({"a": past, "b": past[:60]}), as_of)]
    slots = dict(zip(load("kinds")["farrington"].STATE.names, np.split(np.array(row.row), np.cumsum([13, 13, 13, 1, 28, 28])), strict=True))
    truth = [12.0 * np.exp(0.5 * np.sin(2 * np.pi * w / 52.18)) for w in range(300, 313)]
    order = np.argsort(slots["weeks"])
    assert slots["means"][order] == pytest.approx(truth, rel=0.35)
    assert all(m + 5 < limit < 3.5 * m + 8 for m, limit in zip(slots["means"], slots["limits"], strict=True))
    assert isnan(slots["n"][0]) and isnan(slots["days"][0]) and slots["fits"][0] > 200

    plan = Plan(replace(of, packs=tuple(replace(p, detectors=tuple(replace(d, limits=(Limit(1, 1.0),)) for d in p.detectors))
                                        for p in of.packs)))
    state = State(plan)
    state.control(row)
    said = [c.to for w, x in enumerate((12.0, 14.0, 60.0)) for c in judge(
        plan, state, Block.of([("calls@a", MONDAY + (300 + w) * WEEK, x)])) if c.kind == "level"]
    assert said == [1]


def test_too_little_history() -> None:
    """A year of weeks is no baseline; nothing at all is no fault."""
    of = city("farrington", Fitting(), every=7 * 86400.0)
    assert fit_rows(of, frame({"a": weekly(1)}), MONDAY + 300 * WEEK) == []
    assert fit_rows(of, frame({}), MONDAY) == [] == fit_rows(city("seasonal", Fitting()), frame({}), MONDAY)


def test_a_row_of_another_plan_is_refused() -> None:
    """A row that was fitted for other parameters does not reach the state."""
    of = city("farrington", Fitting(), every=7 * 86400.0)
    (row,) = fit_rows(of, frame({"a": weekly(6)}), MONDAY + 300 * WEEK)
    state = State(Plan(city("farrington", Fitting(), every=7 * 86400.0, alpha=0.01)))
    state.control(row)
    assert not state.tables[0].live.kinds[0]["fits"].any()


def test_warm_up_is_what_the_judge_would_have() -> None:
    """A kind that learns by itself is filled as if it had seen the history, in the order of event time."""
    of = city("ewma", None)
    points = hourly(2)
    (row, _) = warm_rows(of, frame({"a": points, "b": points}), MONDAY + 3 * WEEK, ["p/odd"])
    plan = Plan(of)
    state = State(plan)
    judge(plan, state, Block.of([("calls@a", t, x) for t, x in points]))
    table = state.tables[0]
    assert row.row == tuple(table.live.part[0, table.group.at["kind:p/odd"]].tolist())


def test_what_begins_anew() -> None:
    """A new detector, another kind and a parameter that resets begin anew; a limit or a stateless kind does not."""
    before = city("ewma", None)
    assert fresh(None, before) == ["p/odd"] and fresh(before, before) == []
    assert fresh(before, city("cusum", None)) == ["p/odd"]
    assert fresh(before, city("threshold", None)) == []
    assert len(rows(before, frame({"a": hourly(1)}), MONDAY + 2 * WEEK, ["p/odd"])) == 1


def test_history_db(tmp_path: Path) -> None:
    """Readings come from history.db with their arrivals and flags; where raw ones are gone, the finest buckets stand for them."""
    made = engine(f"sqlite:///{tmp_path}/history.db")
    tables.create_all(made)
    with made.begin() as connection:
        connection.execute(insert(bucket), [dict(series="calls@a", width=w, t=0, n=3, mean=m, low=0, high=9)
                                            for w, m in ((3600, 5.0), (86400, 7.0))])
        connection.execute(insert(reading), [dict(series=s, t=7200, arrived=7200 + k, value=v, flag=f, check="", revision=k)
                                             for k, (s, v, f) in enumerate((("calls@a", 1.0, 1), ("calls@a", None, 9), ("x@a", 1, 1)))])
    found = stored(made, ["calls@a", "calls@b"], -1)
    assert found[["t", "flag"]].to_numpy().tolist() == [[0, 1], [7200, 1], [7200, 9]] and found["x"].iloc[0] == 5.0
    assert len(stored(made, ["calls@c"], 0)) == 0


PACK = """
wanglou: 1
pack: p
indicators:
  calls: {unit: "", every: 1h, silent: 3h}
detectors:
  - {id: odd, indicator: calls, kind: seasonal, source: guess, fit: {shape: category}, levels: {blue: {above: 4}}}
"""


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`wanglou fit` says what it would fit of a CSV, and for whom there is too little."""
    folder = tmp_path / "configs" / "packs" / "p"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text(PACK, "utf-8")
    (folder / "sites.csv").write_text("site,zh,category\na,甲,shoes\nb,乙,shoes\n", "utf-8")
    lines = [f"{pd.Timestamp(t, unit='us').isoformat()}Z,a,calls,{x:.2f}" for t, x in hourly(10)]
    (tmp_path / "h.csv").write_text("\n".join(["time,site,indicator,value", *lines]), "utf-8")
    args = ["fit", "p", "--configs", str(tmp_path / "configs"), "--history", str(tmp_path / "h.csv"), "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["wanglou", *args])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().out
    assert left.value.code == 0 and "p/odd (seasonal): 1 of 2 series fitted; 1 warming" in said and "nothing written" in said


def test_a_replay_refits_as_of_each_date(tmp_path: Path) -> None:
    """A played history carries the rows of each date between its readings, made of what had arrived by then."""
    of = city("seasonal", Fitting("hour_of_week"))
    lines = [f"{pd.Timestamp(t, unit='us').isoformat()}Z,a,calls,{x:.2f}" for t, x in hourly(10)]
    (tmp_path / "h.csv").write_text("\n".join(["time,site,indicator,value", *lines]), "utf-8")
    found = list(records(of, read([tmp_path / "h.csv"])))
    kinds = [type(record).__name__ for record in found]
    assert kinds == ["Block", "Fit", "Block", "Fit", "Block"] and sum(len(r) for r in found if isinstance(r, Block)) == 1680
    first, second = (r for r in found if isinstance(r, Fit))
    assert first.origin < second.origin and first.row[336] == 4.0 and second.row[336] == 8.0
    assert [type(r) for r in records(city("ewma", None), read([tmp_path / "h.csv"]))] == [Block]
