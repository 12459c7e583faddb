"""The gates of the basin pack over the floods of its episodes.csv, each as a made-up wave that peaks when it did."""
from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detectors.pack import City, Pack
from streams.clock import MICRO, iso
from streams.packs import load_city
from streams.replay.backtest import backtest, failures
from streams.replay.episodes import read
from streams.replay.history import History
from streams.replay.history import read as read_history

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
FLOODS = read(CONFIGS / "packs/basin/episodes.csv")
TOP = {2: 29.0, 3: 31.6}
"""Metres at the peak of a yellow and of an orange flood."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Lanxi every five minutes: a day at rest, 30 h of rise to the moment that was told, a day of fall."""
    path = tmp_path_factory.mktemp("floods") / "past.csv"
    noise = np.random.default_rng(4).normal(0.0, 0.01, 10_000)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("time", "site", "indicator", "value"))
        for flood in FLOODS:
            peak = (flood.start + flood.end) // 2
            for n in range(-54 * 12, 24 * 12):
                x = 25.0 + (TOP[flood.level] - 25.0) * max(0.0, 1.0 - abs(n / 12.0) / (30.0 if n < 0 else 40.0))
                out.writerow((iso(peak + n * 300 * MICRO), flood.site, "river_level", round(x + noise[n], 3)))
    return read_history([path])


def missed(city: City, history: History) -> list[str]:
    pack = next(p for p in city.packs if p.id == "basin")
    return failures(pack, [row for row in backtest(city, history, FLOODS, "basin") if row.episodes])


def changed(city: City, warning: float) -> City:
    """The same city where `stage` and `forecast` look so much higher."""
    def higher(pack: Pack) -> Pack:
        return replace(pack, detectors=tuple(replace(d, limits=tuple(
            replace(limit, at={site: x + warning for site, x in limit.at.items()} if isinstance(limit.at, dict) else limit.at + warning)
            for limit in d.limits)) if d.id in ("stage", "forecast") else d for d in pack.detectors))
    return replace(city, packs=tuple(higher(p) if p.id == "basin" else p for p in city.packs))


def test_the_shipped_limits_pass_and_deaf_ones_are_refused(history: History) -> None:
    """With the stages as they are every flood is told, an hour ahead by the forecast; two metres higher both gates say what is missed."""
    city = load_city(CONFIGS)
    assert len(FLOODS) == 6
    assert missed(city, history) == []
    refused = missed(changed(city, 2.0), history)
    assert [line.split(":")[0] for line in refused][:1] == ["basin/stage yellow"] and any("forecast blue" in line for line in refused)
