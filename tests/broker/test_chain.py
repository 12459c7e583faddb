"""kill -9 of every process once, while a storm is played: the same events, alerts and calls as when nothing was killed."""
from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from detectors.event import Change
from detectors.pack import City, Ladder, Route, Step, Text
from streams.packs.load import load_city
from streams.replay.offline import final
from streams.settings import Settings
from streams.topics import create_topics, lengths

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
CONFIGS = Path(__file__).parents[2] / "configs"
SPEED = "600"
KILLED = ("play", "judge", "desk", "combine", "history")
STAGES = ("judge", "combine", "history", "desk")
STORM = """title: a flood of all rivers
invented: true
start: 2026-07-01T00:00:00+08:00
every: 1min
source: storm
tail: 20min
series:
  river_level@lanxi: '30.9+0.061x20 32.12 250 32.12+0.005x60 32.42-0.01x40'
  river_level@wuyi: '70.1+0.06x40'
  river_level@jinhua: '36.9+0.06x35 39.0x85'
  river_level@ditian: '41.2+0.055x40 43.4x80'
  river_level@baisha: '44.4+0.06x40 46.8x80'
  river_level@fotang: '54.9+0.06x50 57.9x70'
  river_level@dongyang: '73.1+0.06x40 75.5x80'
  river_level@yongkang: '84.6+0.06x50 87.6x70'
  river_level@lutan: '62.1+0.06x55 65.4x65'
  river_level@nvbu: '26.0+0.02x20 26.7 26.4+0.02x90'
  flow@lanxi: {every: 5min, values: '9200+550x10 14700x14'}
  rain@lanxi: {every: 5min, values: '2+0.5x10 7x10 3x4'}
  rain@ditian: {every: 5min, values: '3+0.5x10 8x8 2x6'}
"""


def city() -> City:
    """The shipped packs; orange and red climb a ladder of seconds that nobody answers, so that its end does not hang on haste."""
    ladder = Ladder("seconds", Text("叫应"), (Step("hydro-desk", ("log",), 1.0), Step("city-desk", ("log",), 1.0)))
    return replace(load_city(CONFIGS), ladders=(ladder,), routes=(Route("seconds", ("basin",), (3, 4)),))


class Run:
    """The storm played once through the whole product; `kills` = (how many events there are, whom to kill then)."""

    def __init__(self, chain: ModuleType, bench: Any, of: City, kills: list[tuple[int, str]]) -> None:
        self.chain, self.bench, self.run = chain, bench, chain.Chain(bench)
        story = bench.folder / "storm.yaml"
        story.write_text(STORM, "utf-8")
        bench.plan(of)
        for stage in STAGES:
            self.run.start(stage)
        self.run.start("play", "feed", "play", str(story), "--speed", SPEED, "--resume")
        for count, name in kills:
            chain.until(lambda count=count: lengths(bench.settings)["events", 0][1] >= count, f"{count} events")
            self.run.kill(name)
            self.run.start(name)
        assert self.run.running["play"].wait(60) == 0, bench.said("feed")[-2000:]
        self.run.settled()
        chain.until(self.called, "every ladder walked to its end")
        self.run.stop(*STAGES)
        self.events, self.alerts = self.run.events(), self.run.alerts()

    def sql(self, query: str) -> list[Any]:
        """From the desk's tables."""
        return list(map(tuple, self.chain.rows(self.bench.settings.desk_url, query)))

    def called(self) -> bool:
        """No rung waits for its time, no delivery for its channel."""
        waiting = self.sql("SELECT 1 FROM step s JOIN alert a ON a.id = s.alert AND a.run = s.run "
                           "WHERE s.state IN ('waiting', 'called') AND a.covered_by IS NULL")
        return not waiting and not self.sql("SELECT 1 FROM delivery WHERE state = 'pending'")

    def deliveries(self) -> set[tuple[Any, ...]]:
        """Calls of the last ladder of what no rule covers at its level: reds and rules. (Key, level, step, post, state.)"""
        return set(self.sql("SELECT a.key, d.level, d.n, d.post, d.state FROM delivery d JOIN alert a ON a.id = d.alert "
                            "AND a.run = d.run WHERE a.level = 4 OR a.rule <> ''"))

    def calls(self) -> list[dict[str, Any]]:
        """What the telephone was told."""
        file = Path(self.bench.settings.data) / "calls.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    def kept(self) -> list[tuple[Any, ...]]:
        """History; a good reading that a killed feed sent again may be called late."""
        query = 'SELECT series, t, arrived, value, flag, "check" FROM reading ORDER BY 1, 2, 3'
        found = map(tuple, self.chain.rows(self.bench.settings.history_url, query))
        return [(*row[:5], "" if row[4] == 1 else row[5]) for row in found]


def of_series(events: list[Change]) -> set[tuple[Any, ...]]:
    """What detectors and silences of single series say, with ids; where it lies in the log is left out."""
    return {(e.id, e.kind, e.alert, e.seq, e.revision, e.withdrawn, e.detector, e.site, e.indicator, e.time, e.arrived, e.before,
             e.to, e.value, e.limit, e.since, e.onset, e.fresh, e.forecast) for e in events
            if e.site and not e.rule and e.kind != "sensor"}


def of_rules(events: list[Change]) -> set[tuple[Any, ...]]:
    """The final events of rules: the order in which partitions are judged may give them other ids (design 9.14)."""
    return {(e.rule, e.area, e.site, e.time, e.onset, e.before, e.to, e.value, e.members) for e in final(events)
            if e.rule and e.kind == "level"}


def ids(run: Run) -> dict[str, tuple[str, int]]:
    """The alerts of detectors; those of rules may have other ids (of_rules)."""
    rules = {rule.path for pack in load_city(CONFIGS).packs for rule in pack.rules}
    return {key: alert for key, alert in run.alerts.items() if key.partition("|")[0] not in rules}


@pytest.fixture(scope="module")
def played(chain: ModuleType, kafka: Any, bench_of: Any, tmp_path_factory: Any) -> Iterator[Callable[..., Run]]:
    """Plays the storm over topics and databases of its own."""
    benches = []

    def play(kills: list[tuple[int, str]], **urls: str) -> Run:
        folder = tmp_path_factory.mktemp("storm")
        made = bench_of(Settings(broker=kafka.address, prefix=f"t{uuid4().hex[:8]}.", data=folder / "var", partitions=2, **urls), folder)
        create_topics(made.settings)
        benches.append(made)
        return Run(chain, made, city(), kills)

    yield play
    for bench in benches:
        bench.close()


@pytest.fixture(scope="module")
def calm(played: Callable[..., Run]) -> Run:
    """The storm without an interruption: what the others are compared with."""
    run = played([])
    assert sum(level == 4 for _, level in run.alerts.values()) > 5 and len(run.events) > 40 and len(run.kept()) > 1000
    assert {(n, post, state) for _, _, n, post, state in run.deliveries()} == {(1, "hydro-desk", "sent"), (2, "city-desk", "sent")}
    assert any(row[4] > 1 for row in run.kept())
    said(run, run)
    return run


def said(run: Run, calm: Run) -> None:
    """Nothing of the calm run is lost in this one, nothing is there twice."""
    chain = run.chain
    assert of_series(run.events) == of_series(calm.events)
    assert of_rules(run.events) == of_rules(calm.events) != set()
    again = chain.combined_again(city(), run.bench.records("levels"), 2)    # judged again in one go: the same ids, of rules too
    assert list(dict.fromkeys(map(chain.told, run.events))) == list(dict.fromkeys(map(chain.told, again)))
    assert ids(run) == ids(calm) and {key: level for key, (_, level) in run.alerts.items()} == chain.groups(calm.events)
    assert run.deliveries() == calm.deliveries()
    calls = [(key, call["again"]) for call in run.calls() for key in ([k for k, _ in call["speaks_for"]] or [call["key"]])]
    told = Counter(key for key, _ in calls)
    assert set(told) == {key for (key,) in run.sql("SELECT key FROM delivery WHERE state = 'sent'")}
    assert all(n <= 2 for n in told.values()) and sum(again for _, again in calls) == sum(told.values()) - len(told)
    assert run.kept() == calm.kept()


def kills(calm: Run) -> list[tuple[int, str]]:
    """Each process once, when so many records of events are there; the last quarter is left in peace."""
    records = lengths(calm.bench.settings)["events", 0][1]
    return [(records * (n + 1) // 8, name) for n, name in enumerate(KILLED)]


def test_killed_once_each(played: Callable[..., Run], calm: Run) -> None:
    """Feed, judge, desk, combine and history are killed and started again: nothing is lost, nothing is there twice."""
    said(played(kills(calm)), calm)


def test_killed_once_each_on_postgresql(played: Callable[..., Run], calm: Run, postgresql: str) -> None:
    """The same with snapshots, history and desk in PostgreSQL."""
    import psycopg

    server, urls = postgresql.rpartition("/")[0], {}
    with psycopg.connect(postgresql.replace("+psycopg", ""), autocommit=True) as connection:
        for name in ("state", "history", "desk"):
            connection.execute(f"CREATE DATABASE {name}")       # as in deploy/postgres.sql: each stage has its own
            urls[f"{name}_url"] = f"{server}/{name}"
    said(played(kills(calm)[1:], **urls), calm)
