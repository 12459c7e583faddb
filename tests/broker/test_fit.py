"""From history.db into the log: rows are written by `wanglou fit` and `apply`, each into the partition of its site."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from detectors.judge import State
from detectors.plan import Plan
from detectors.reading import Fit
from streams import clock
from streams.codec import decode
from streams.history.tables import reading, tables
from streams.packs import load_city
from streams.shards import partition
from streams.sql import engine

pytestmark = pytest.mark.broker

PACK = """
wanglou: 1
pack: p
indicators:
  calls: {unit: "", every: 1h, silent: 3h}
detectors:
  - {id: odd, indicator: calls, kind: seasonal, source: guess, fit: {shape: all}, levels: {blue: {above: 4}}}
  - {id: slow, indicator: calls, kind: ewma, source: guess, levels: {blue: {above: 6}}}
"""
SITES = ("a", "b", "c", "d")


def wanglou(bench: Any, *words: str) -> str:
    done = subprocess.run([sys.executable, "-c", "from streams.cli import main; main()", *words],
                          env=os.environ | bench.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_rows_reach_the_log(bench: Any, tmp_path: Path) -> None:
    """A first plan is warmed up from history.db; a fit as of a date writes one row a series, and a state takes them."""
    folder = tmp_path / "configs" / "packs" / "p"
    folder.mkdir(parents=True)
    (folder / "pack.yaml").write_text(PACK, "utf-8")
    (folder / "sites.csv").write_text("site,zh\n" + "".join(f"{s},{s}\n" for s in SITES), "utf-8")
    hour, now = 3_600_000_000, clock.now()
    start = now // hour * hour - 8 * 168 * hour
    history, r = engine(bench.settings.history_url), np.random.default_rng(1)
    tables.create_all(history)
    with history.begin() as connection:
        connection.execute(insert(reading), [
            dict(series=f"calls@{s}", t=start + h * hour, arrived=start + h * hour + 1, value=float(50 + h % 24 + r.normal()), flag=1,
                 check="", revision=0) for s in SITES for h in range(8 * 168)])

    said = json.loads(wanglou(bench, "apply", "--no-tests", "--configs", str(tmp_path / "configs"), "--json"))
    assert said["warmed"] == 2 * len(SITES)
    assert "4 of 4 series fitted" in wanglou(bench, "fit", "p")

    rows = [(p, record) for p, _, value in bench.read("readings") if isinstance(record := decode(value), Fit)]
    assert sorted(f.series for _, f in rows if f.detector == "p/odd") == sorted(2 * [f"calls@{s}" for s in SITES])
    assert all(p == partition(f.series.partition("@")[2], bench.settings.partitions) for p, f in rows)
    state = State(Plan(load_city(tmp_path / "configs")))
    for _, fit in rows:
        state.control(fit)
    table = state.table_of["calls"]
    assert (table.live.kinds[0]["n"] > 4.0).all() and (table.live.kinds[1]["n"] > 1000.0).all()
