"""Every check and derive operator shows how a pack writes it, and a pack with just that loads."""
from __future__ import annotations

import re
from inspect import getdoc
from pathlib import Path

import pytest

import detectors
from detectors.judge import State, judge
from detectors.pack import City, Indicator
from detectors.plan import Plan
from detectors.reading import Block
from detectors.registry import load
from streams.packs import load_city
from streams.packs.params import names

EXAMPLE = re.compile(r"In a pack:\n\n    (checks|derive):\n      (.+)\n")
EVERY = [pytest.param(folder, name, id=f"{folder}/{name}") for folder in ("checks", "derive") for name in load(folder)]

PACK = """
wanglou: 1
pack: examples
defaults: {indicator: {every: 5min, silent: 15min}}
indicators:
  level: {unit: m, checks: [CHECKS]}
  rain: {unit: mm}
  oxygen: {unit: mg/L}
  codmn: {unit: mg/L}
  nh3n: {unit: mg/L}
  tp: {unit: mg/L}
  inflow: {unit: m3/s}
  outflow: {unit: m3/s}
  so2: {unit: µg/m3}
  no2: {unit: µg/m3}
  pm10: {unit: µg/m3}
  pm25: {unit: µg/m3}
  co: {unit: mg/m3}
  o3: {unit: µg/m3}
  coal: {unit: MW}
  gas: {unit: MW}
  hydro: {unit: MW}
  cases: {unit: person}
  cpi: {unit: "", period: month, silent: 60d}
  retail: {unit: 亿元, period: month, silent: 60d}
  output_yoy: {unit: "%", period: month, silent: 60d}
  retail_yoy: {unit: "%", period: month, silent: 60d}
  trade_yoy: {unit: "%", period: month, silent: 60d}
  KEPT: {keep: {raw: 30d}}
derive:
  extra: {last: level, over: 1h}
  DERIVE
detectors:
  - {id: hot, indicator: level, kind: threshold, levels: {red: {above: 30}}, source: guess}
"""
SITES = "site,zh,population,capacity,downstream,travel,basin\na,甲,50000,4000,,,main\nb,乙,120000,,a,2h,main\n"
AREAS = "tree,area,zh,en,parent,depth\nbasin,main,主河段,,,reach\n"


def example(folder: str, name: str) -> str:
    """The line of a pack that an algorithm shows, as it stands in the list or block."""
    found = EXAMPLE.search((getdoc(load(folder)[name]) or "") + "\n")
    assert found and found[1] == folder, f"{folder}/{name} shows no lines of a pack"
    return found[2]


def minimal(folder: str, name: str, where: Path) -> tuple[City, Indicator]:
    """A city of one small pack with that line, and the indicator that uses the algorithm."""
    line, pack = example(folder, name), where / "packs/examples"
    check, derive = (line.removeprefix("- "), "") if folder == "checks" else ("", line)
    made = derive.partition(":")[0]
    pack.mkdir(parents=True)
    text = PACK.replace("CHECKS", check).replace("DERIVE", derive).replace("KEPT", made or "extra")
    (pack / "pack.yaml").write_text(text, "utf-8")
    (pack / "sites.csv").write_text(SITES, "utf-8")
    (where / "city").mkdir()
    (where / "city/areas.csv").write_text(AREAS, "utf-8")
    city = load_city(where)
    return city, next(i for p in city.packs for i in p.indicators if i.id == (made or "level"))


def test_every_file_has_an_example() -> None:
    """As many are loaded here as there are files in the two folders."""
    folder = Path(detectors.__file__).parent
    assert len(EVERY) == sum(len(list((folder / f).glob("[a-z]*.py"))) for f in ("checks", "derive"))


@pytest.mark.parametrize(("folder", "name"), EVERY)
def test_the_example_loads_and_is_judged(folder: str, name: str, tmp_path: Path) -> None:
    """What the documentation shows is a pack without a fault; it names what it shows, readings pass through it, and several make one."""
    city, indicator = minimal(folder, name, tmp_path)
    use = indicator.checks[0] if folder == "checks" else indicator.derive.use if indicator.derive else None
    assert use and use.kind == name
    assert set(use.params) - {"code"} - {f"c{i}" for i in range(16)} <= set(names(load(folder)[name]))
    plan = Plan(city)
    state, series = State(plan, compiled=False), indicator.derive.sources("a") if indicator.derive else (f"{indicator.id}@a",)
    for i in range(3):
        t = 1_767_225_600_000_000 + i * 300_000_000
        judge(plan, state, Block.of([(one, t, 25.0) for one in series], arrived=t))
    assert all(flag in (1, 2, 3, 4, 9) for flag in state.flags) and "unknown" not in state.named
    if indicator.derive and (len(series) > 1 or indicator.derive.guests) and not hasattr(load("derive")[name], "fitted"):
        assert f"{indicator.id}@a" in {made[0] for made in state.derived}
