"""Sites that feed on others, and sums over areas, through the processes on Kafka: what a replay in one process says."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detectors.event import Change
from detectors.pack import Area, City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.reading import GUEST, Block, Part
from streams.codec import Changes
from streams.feeds.rules import Rules
from streams.feeds.story import scenario
from streams.replay.offline import Offline
from streams.shards import partition

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

SITES = tuple(f"gauge-{n}" for n in range(6))
MINUTE = 60_000_000


def city() -> City:
    """A chain of six gauges: what is upstream, the median of the others, and the mean of the river."""
    level = Indicator("level", "river", Text("水位"), "m", SITES, every=60.0, silent=600.0, lateness=300.0)
    above = replace(level, id="above", sites=SITES[1:], derive=Derive(Use("of"), ("level",), guests={
        s: (SITES[n],) for n, s in enumerate(SITES[1:])}))
    near = replace(level, id="near", derive=Derive(Use("neighbours"), ("level",), 0.5, guests={
        s: tuple(o for o in SITES if o != s) for s in SITES}))
    mean = replace(level, id="mean", sites=("basin:all",), derive=Derive(Use("mean"), ("level",), 0.8, guests={"basin:all": SITES},
                                                                         tree="basin"))
    limits = (Limit(2, 25.0), Limit(4, 28.0, hold=120.0))
    detectors = tuple(Detector(f"d-{i}", "river", i, Use("threshold"), limits, Text(i)) for i in ("level", "above", "near", "mean"))
    return City((Pack("river", Text("江河"), (level, above, near, mean), detectors),),
                {s: Site(s, Text(s), areas={"basin": "all"}) for s in SITES}, (Area("basin", "all", Text("all"), depth="reach"),))


def story() -> str:
    rows = "".join(f"  level@{s}: '{20 + n}+0.7x14 {29 - n}-0.5x14'\n" for n, s in enumerate(SITES))
    return f"title: a flood\ninvented: true\nstart: 2026-06-19T08:00:00+08:00\nevery: 1min\ntail: 5min\nseries:\n{rows}"


def final(events: list[Change]) -> set[tuple[Any, ...]]:
    last: dict[str, Change] = {}
    for c in events:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.detector, c.site, c.area, c.onset, c.before, c.to, c.value, c.time) for c in last.values() if not c.withdrawn}


def test_guests_and_sums_on_kafka(bench: Any, chain: ModuleType, wait: Any, tmp_path: Path) -> None:
    """The feed writes guests into the partitions that name them; judge and combine, killed on the way, say what a replay says."""
    bench.plan(city())
    assert len({partition(s, 2) for s in SITES}) == 2
    run = chain.Chain(bench)
    run.start("judge")
    run.start("combine")
    path = tmp_path / "flood.yaml"
    path.write_text(story(), "utf-8")
    run.play(path)
    run.kill("judge")
    run.kill("combine")
    run.start("judge")
    run.start("combine")

    offline, replayed = Offline(city()), list[Change]()
    for step in scenario(story(), Rules(city())).steps(MINUTE):
        rows = [(r.series, r.t, r.x) for r in step.readings]
        replayed += offline.feed(Block.of(rows, arrived=step.at)) if rows else offline.finish(step.at)
    wanted = final(replayed)
    assert {(d, bool(a)) for d, _, a, *_ in wanted} == {("river/d-level", False), ("river/d-above", False), ("river/d-near", False),
                                                        ("river/d-mean", True)}

    def events() -> list[Change]:
        return [c for _, _, r in bench.records("events") if isinstance(r, Changes) for c in r.changes]

    wait(lambda: final(events()) == wanted, "the same final events", 60)
    run.stop()
    blocks = [(p, r) for p, _, r in bench.records("readings") if isinstance(r, Block)]
    away = {(p, r.series[i]) for p, r in blocks for i, flag in zip(r.index, r.flag, strict=True) if flag & GUEST}
    assert away == {(1 - partition(s, 2), f"level@{s}") for s in SITES}
    assert any(isinstance(r, Part) for _, _, r in bench.records("levels"))
    again = chain.combined_again(city(), bench.records("levels"), 2)
    assert list(dict.fromkeys(map(chain.told, again))) == list(dict.fromkeys(chain.told(e) for e in events()))
