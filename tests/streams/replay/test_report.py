from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from streams.clock import MICRO, micros
from streams.packs import load_city
from streams.replay.backtest import study
from streams.replay.episodes import Episode
from streams.replay.history import read
from streams.replay.judged import Span
from streams.replay.match import Window
from streams.replay.report.page import Told, numbers, page
from streams.replay.report.picture import terminal
from streams.replay.suggest import suggest

PACK = """wanglou: 1
pack: p
title: {zh: 试 <img>, en: Try}
indicators:
  level: {title: {zh: 水位, en: Level}, unit: m, every: 1h, silent: never, oldest: never}
skill: {high: {pod: 0.9, far: 0.3}}
detectors:
  - {id: high, indicator: level, kind: threshold, levels: {yellow: {above: LIMIT}}, source: guess}
"""
HOUR = 3600 * MICRO
START = micros("2025-01-01T00:00:00Z")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """One gauge for 60 days: three floods of 15 m, four small waves of 12 m; a limit of 11 m, and one of 14 m in another folder."""
    x = np.full(60 * 24, 10.0)
    for day, top in ((5, 15.0), (12, 12.0), (20, 15.0), (27, 12.0), (33, 12.0), (40, 15.0), (50, 12.0)):
        x[day * 24:day * 24 + 30] = np.concatenate([np.linspace(10.0, top, 15), np.linspace(top, 10.0, 15)])
    rows = [f"2025-{1 + (n // 24 >= 31) + (n // 24 >= 59):02}-{n // 24 + 1 - 31 * (n // 24 >= 31) - 28 * (n // 24 >= 59):02}"
            f"T{n % 24:02}:00:00Z,a,level,{v:.3f}" for n, v in enumerate(x)]
    (tmp_path / "h.csv").write_text("\n".join(["time,site,indicator,value", *rows]), "utf-8")
    for name, limit in (("now", "11"), ("other", "14")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pack.yaml").write_text(PACK.replace("LIMIT", limit), "utf-8")
        (tmp_path / name / "sites.csv").write_text("site,zh,en\na,甲站,Gauge A\n", "utf-8")
    history = read([tmp_path / "h.csv"])
    episodes = [Episode("a", 0, START + (day * 24 + 12) * HOUR, START + (day * 24 + 18) * HOUR, "flood") for day in (5, 20, 40)]
    city, other = (load_city(tmp_path / name) for name in ("now", "other"))
    by = Window(24 * HOUR, 0, HOUR)
    made = study(city, history, episodes, "p", by)
    return Told(city, city.packs[0], history, made, "new", study(other, history, episodes, "p", by), "old",
                suggest(city, history, episodes, "p", made))


def test_the_account_of_a_rule(told: Told) -> None:
    """The low limit hits all three floods with four false alarms, the higher one has none; sites and years add up."""
    key = ("p/high", 2)
    now, was = told.study.rows[key], told.other.rows[key] if told.other else None
    assert was is not None
    assert (now.hits, now.misses, now.false_alarms, was.hits, was.false_alarms) == (3, 0, 4, 3, 0)
    assert [r.hits for r in told.study.by_site(key).values()] == [3]
    assert sum(r.false_alarms for r in told.study.by_year(key, lambda t: "2025").values()) == 4
    assert terminal(told.study.account(key).matches, Span(START, START + 60 * 24 * HOUR), 60).count("●") == 3


def test_a_limit_is_suggested(told: Told) -> None:
    """A higher limit is found that loses the four false alarms and no flood; where no limit is better, nothing is said."""
    advice = told.suggested["p/high", 2]
    assert (advice.fewer, advice.missed, advice.csi) == (4, 0, 1.0) and advice.moved > 0


def test_the_page_needs_nothing_beside_it(told: Told) -> None:
    """No address, no script that runs; every picture is there; names from outside are text; the numbers in it are the numbers."""
    for lang in ("zh", "en"):
        html = page(told, lang)
        Strict().feed(html)
        assert not re.search(r'(src|href)="(?!#)', html) and html.count("<script") == 1
        assert "<img>" not in html.split("<script")[0] and "&lt;img&gt;" in page(told, "zh")
        assert html.count("<svg") >= 1 + 2 * 7
    found = re.search(r'id="numbers">(.*?)</script>', page(told, "zh"), re.S)
    assert found and json.loads(found[1]) == json.loads(json.dumps(numbers(told)))


def test_a_missed_gate_is_on_the_page(told: Told) -> None:
    """A false alarm rate above the gate is said on top, with the figure and what was asked."""
    assert "FAR" in page(told, "en") and "the gate asks 0.3" in page(told, "en")
    assert numbers(told)["detectors"][0]["gate"] == {"pod": 0.9, "far": 0.3}


def test_faults_and_floods_are_scored_apart(told: Told, tmp_path: Path) -> None:
    """A fault is a hit of the checks and nothing to the detectors; an alarm before the reading crossed says by how much."""
    folder = tmp_path / "faults"
    folder.mkdir()
    (folder / "pack.yaml").write_text(PACK.replace("LIMIT", "13").replace("oldest: never}", "oldest: never, checks: [{rate: {suspect: 3 m/h}}]}")
                                      + "  - {id: early, indicator: level, kind: rise, over: 1h, levels: {yellow: {above: 10 cm}}, source: guess}\n", "utf-8")
    (folder / "sites.csv").write_text("site,zh\na,甲\n", "utf-8")
    x = told.history.x.copy()
    x[30 * 24] = 19.0
    history = replace(told.history, x=x)
    at = START + 30 * 24 * HOUR
    floods = [m.episode for m in told.study.account(("p/high", 2)).matches if m.episode]
    made = study(load_city(folder), history, [*floods, Episode("a", 0, at, at, "spike", fault=True)], "p", Window(24 * HOUR, 0, HOUR))

    checks, high, early = (made.rows[key] for key in (("p/level:checks", 0), ("p/high", 2), ("p/early", 2)))
    assert (checks.level, checks.hits, checks.misses, checks.false_alarms) == ("fault", 1, 0, 0)
    assert (high.hits, high.misses) == (early.hits, early.misses) == (3, 0)
    assert made.account(("p/high", 2)).ahead() == 0.0 and (made.account(("p/early", 2)).ahead() or 0.0) > 3 * 3600.0
    city = load_city(folder)
    assert "传感器故障" in page(Told(city, city.packs[0], history, made), "zh")


class Strict(HTMLParser):
    """Every tag is closed in its order."""

    VOID = ("meta", "br", "rect", "path", "circle", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open and self.open.pop() == tag, tag
