from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streams.packs import load_city
from streams.replay import halves
from streams.replay.history import read
from streams.replay.judged import Judged

PACK = """wanglou: 1
pack: p
title: {zh: 试, en: Try}
indicators:
  level: {title: {zh: 水位, en: Level}, unit: m, every: 1h, silent: 3h, oldest: never}
derive:
  level_6h: {mean: level, over: 6h}
detectors:
  - {id: high, indicator: level, kind: threshold, levels: {yellow: {above: 1, hold: 2h}, red: {above: 2, keep: 1h}}, source: guess}
  - {id: mean, indicator: level_6h, kind: threshold, levels: {blue: {above: 0.5}}, source: guess}
"""


def test_two_processes_say_what_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alarms, counts and days of a history are the same whether one process judges it or one a processor does."""
    (tmp_path / "pack.yaml").write_text(PACK, "utf-8")
    (tmp_path / "sites.csv").write_text("site,zh\n" + "".join(f"s{n},站\n" for n in range(5)), "utf-8")
    x = np.random.default_rng(2).normal(0.0, 1.0, (400, 5)).cumsum(axis=0) / 4.0
    rows = [f"2025-03-{n // 24 + 1:02}T{n % 24:02}:00:00Z,s{s},level,{x[n, s]:.3f}" for n in range(400) for s in range(5)
            if (n + s) % 11]
    (tmp_path / "h.csv").write_text("\n".join(["time,site,indicator,value", *rows]), "utf-8")
    city, history = load_city(tmp_path), read([tmp_path / "h.csv"])
    monkeypatch.setattr(halves, "LONG", 10)
    monkeypatch.setattr(halves.os, "cpu_count", lambda: 2)
    told: list[int] = []
    one, two = Judged(city, history), halves.judged(city, history, progress=told.append)

    assert len(one.steps) >= 5 and one.steps == two.steps
    assert (one.scored, one.days) == (two.scored, two.days)
    assert repr(sorted(one.derived.items())) == repr(sorted(two.derived.items()))
    assert sum(told) == len(history) and min(told) > 0
