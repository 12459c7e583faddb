"""Every rule shows how a pack writes it: a pack with just that loads without a fault, and its table can be laid out."""
from __future__ import annotations

import re
from inspect import cleandoc
from pathlib import Path

import pytest

from detectors.combine import Board
from detectors.plan import Plan
from detectors.registry import load
from streams.packs import check_city, truth

EXAMPLE = re.compile(r"In a pack:\n\n((?:    .*\n|\n)+?)\n(?=\S)")
PACK = """
wanglou: 1
pack: basin
defaults: {indicator: {every: 5min, silent: 15min}}
indicators:
  level: {unit: m}
detectors:
  - {id: stage, indicator: level, kind: threshold, levels: {blue: {above: 1}, yellow: {above: 2}, red: {above: 4}}, source: guess}
  - {id: rising, indicator: level, kind: trend, over: 1h, levels: {blue: {above: 0.3 m/h}, yellow: {above: 1 m/h}}, source: guess}
  - {id: forecast, indicator: level, kind: forecast, within: 6h, over: 1h, levels: {blue: {above: 5}}, source: guess}
"""
OTHER = """
wanglou: 1
pack: other
indicators:
  heat: {unit: ℃, every: 5min, silent: 15min}
detectors:
  - {id: hot, indicator: heat, kind: threshold, levels: {blue: {above: 1}, yellow: {above: 2}}, source: guess}
"""
SITES = "site,downstream,travel\na,b,2h\nb,c,3h\n" + "".join(f"{name},,\n" for name in "cdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize("name", load("rules"))
def test_the_example_loads(name: str, tmp_path: Path) -> None:
    """What the documentation shows is the rule's own kind, has members, no fault and no hint, and a table with a yes in it."""
    found = EXAMPLE.search(cleandoc(load("rules")[name].__doc__))
    assert found
    for pack, text in (("basin", PACK + found[1].replace("\n    ", "\n").removeprefix("    ")), ("other", OTHER)):
        folder = tmp_path / "packs" / pack
        folder.mkdir(parents=True)
        (folder / "pack.yaml").write_text(text, "utf-8")
        (folder / "sites.csv").write_text(SITES, "utf-8")
    checked = check_city(tmp_path)
    assert [str(fault) for fault in (*checked.faults, *checked.hints)] == []
    (rule,) = checked.city.packs[0].rules
    assert name in {term.kind for term in rule.term.walk()}
    table = truth.explain(rule, truth.places_of(checked.city)[rule.path])
    assert table["members"] > 0 and table["rows"]
    assert name == "index" or {row[-1] for row in table["rows"]} & {"blue", "yellow", "orange", "red"}
    assert Board(Plan(checked.city)).rulings
