"""The configs that are shipped: they check, their own tests pass, and the played storm tells its story."""
from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from detectors.event import Change
from detectors.pack import City
from detectors.reading import Block
from streams.feeds.rules import Rules
from streams.feeds.story import Story, scenario
from streams.packs.load import check_city, load_city
from streams.replay.offline import Offline
from streams.replay.packtests import run_tests

CONFIGS = Path(__file__).parents[2] / "configs"
STORM = CONFIGS / "city" / "scenarios" / "storm.yaml"
MINUTE = 60_000_000
PACKS = sorted(path.parent.name for path in CONFIGS.glob("packs/*/pack.yaml"))
STORIES = sorted(path.stem for path in STORM.parent.glob("*.yaml") if path.stem not in ("ladders", "storm"))


@cache
def city() -> City:
    """The shipped folder, read once."""
    return load_city(CONFIGS)


def played(name: str) -> tuple[Story, list[Change]]:
    """A scenario and all that is said in it, minute by minute; one of days or months by the second of wall time."""
    story = scenario((STORM.parent / f"{name}.yaml").read_text(encoding="utf-8"), Rules(city()))
    assert story.invented
    offline, events = Offline(city()), []
    for step in story.steps(max(MINUTE, int(story.speed * 1e6) if story.speed > 3600 else 0)):
        rows = [(r.series, r.t, r.x) for r in step.readings]
        events += offline.feed(Block.of(rows, arrived=step.at, source="storm")) if rows else offline.finish(step.at)
    return story, events


@pytest.fixture(scope="module")
def storm() -> tuple[int, list[Change]]:
    """The start of the storm and all that is said in it."""
    story, events = played("storm")
    assert story.speed == 120
    return story.start, events


def test_configs_have_no_fault() -> None:
    """The shipped folder checks without a fault."""
    assert [str(fault) for fault in check_city(CONFIGS).faults] == []


@pytest.mark.parametrize("pack", PACKS)
def test_pack_passes_its_own_tests(pack: str) -> None:
    """Every detector with every level and every rule fires where its pack says, and what is quiet stays quiet."""
    report = run_tests(city(), pack, CONFIGS / "packs" / pack / "tests.yaml")
    assert report.passed, report


def test_storm_story(storm: tuple[int, list[Change]]) -> None:
    """In the first hour and a quarter: a forecast, yellow, orange and red at Lanxi by the stage; the forecast comes first."""
    start, events = storm
    at = {(e.detector, e.to): (e.arrived - start) / MINUTE for e in events
          if e.site == "lanxi" and e.kind == "level" and e.scope == "real" and e.to > e.before}
    order = [("basin/forecast", 2), ("basin/stage", 2), ("basin/stage", 3), ("basin/stage", 4)]
    assert sorted(order, key=at.__getitem__) == order and at["basin/stage", 4] <= 72
    assert {e.confidence for e in events if e.site == "lanxi" and e.detector} == {"good"}


def test_storm_gauge_dies_red(storm: tuple[int, list[Change]]) -> None:
    """Wuyi is red, falls silent at its peak within the first minute of wall time, and is never called anything lower again."""
    start, events = storm
    mine = [e for e in events if e.site == "wuyi" and e.indicator == "river_level"]
    stage = [e.to for e in mine if e.detector == "basin/stage"]
    stale = [e for e in mine if e.kind == "fresh" and e.fresh == "stale"]
    assert stage == [1, 2, 3, 4] and len(stale) == 1 and stale[0].arrived - start < 75 * MINUTE
    assert [e.arrived - start < 120 * MINUTE for e in mine if e.kind == "sensor"] == [True]


def test_storm_says_nothing_false(storm: tuple[int, list[Change]]) -> None:
    """What rain does not touch and the feeds stay quiet; of stations only Lanxi, Wuyi and (a forecast) Jinhua call in two hours."""
    start, events = storm
    packs = {e.pack for e in events if e.kind != "fresh"}
    assert packs == {"basin", "rainstorm", "reservoir", "emergency"} and not [e for e in events if e.kind == "feed"]
    loud = {e.site for e in events if e.kind == "level" and e.detector and e.scope == "real" and e.arrived - start < 120 * MINUTE}
    assert loud == {"lanxi", "wuyi", "jinhua"}


@pytest.mark.parametrize("name", STORIES)
def test_scenario_tells_something(name: str) -> None:
    """Every other scenario warns of something grave within two minutes of wall time, and its feed never falls silent."""
    story, events = played(name)
    grave = [e.arrived for e in events if e.kind == "level" and e.to >= 3 and e.scope == "real"]
    assert grave and (min(grave) - story.start) / 1e6 / story.speed <= 120 and not [e for e in events if e.kind == "feed"]
