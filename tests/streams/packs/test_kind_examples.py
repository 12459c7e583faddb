"""Every kind that shows how a pack writes it: a pack with just that loads, and readings pass through it."""
from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path

import pytest

from detectors.judge import State, judge
from detectors.plan import Plan
from detectors.reading import Block
from detectors.registry import load
from streams.packs import load_city
from streams.packs.params import names

EXAMPLE = re.compile(r"In a pack:\n\n    detectors:\n      (.+)\n")
LINES = {name: found[1] for name, kind in load("kinds").items() if (found := EXAMPLE.search(getdoc(kind) or ""))}

PACK = """
wanglou: 1
pack: examples
defaults: {indicator: {every: 5min, silent: 15min}}
indicators:
  level: {unit: m}
  level_upstream: {unit: m}
  calls: {unit: ""}
  cases: {unit: person, every: 1d, silent: 3d}
  retail: {unit: 亿元, period: month, silent: 60d}
  index: {unit: "", period: month, silent: 60d}
detectors:
  LINE
"""
SITES = "site,zh,usual,usual_cases\na,甲,24.5,3\nb,乙,,\n"


def test_the_kinds_of_charts_show_themselves() -> None:
    """The charts and outbreak detectors all have an example."""
    assert {"cusum", "ears", "seasonal", "percentile", "five_lamp", "tail"} <= set(LINES)
    assert len(LINES) >= 13


@pytest.mark.parametrize("name", sorted(LINES))
def test_the_example_loads_and_is_judged(name: str, tmp_path: Path) -> None:
    """What the documentation shows is a pack without a fault, at sites with and without a number; no reading quarantines it."""
    pack = tmp_path / "packs/examples"
    pack.mkdir(parents=True)
    (pack / "pack.yaml").write_text(PACK.replace("LINE", LINES[name]), "utf-8")
    (pack / "sites.csv").write_text(SITES, "utf-8")
    city = load_city(tmp_path)
    (detector,) = city.packs[0].detectors
    assert detector.use.kind == name
    assert set(detector.use.params) - {"code"} <= set(names(load("kinds")[name]))
    state, changes = State(Plan(city), compiled=False), []
    for i in range(60):
        t = 1_767_225_600_000_000 + i * 300_000_000
        block = Block.of([(f"{detector.indicator}@{site}", t, 24.0 + i % 3) for site in "ab"], arrived=t)
        changes += judge(state.plan, state, block)

    assert not [c for c in changes if c.kind == "error"]
    assert {site for _, site in (s.split("@") for s, *_ in state.levels())} == {"a", "b"}
