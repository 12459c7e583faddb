"""Sums over areas through the stages: from a pack's line to an event of the area, with one partition and with four, and in a replay."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detectors.event import Change
from detectors.reading import Block, Part, PlanRecord, Tick
from streams.codec import decode, encode
from streams.metrics import Metrics
from streams.packs.load import check_city, load_city
from streams.plans import Library, Plans, plan_bytes
from streams.replay.offline import Offline
from streams.settings import Settings
from streams.shards import partition
from streams.sql import engine
from streams.worker.combining import Combining
from streams.worker.judging import Judging
from streams.worker.ledger import Place
from streams.worker.snapshots import Snapshots, StateStore

MINUTE = 60_000_000
T0 = 1_780_000_200_000_000
SITES = [f"s{n}" for n in range(10)]
PACK = """
wanglou: 1
pack: rain
indicators:
  rain: {unit: mm, every: 5min, silent: 15min, lateness: 10min, decimals: 1}
derive:
  rain_15min: {sum: rain, over: 15min, coverage: 0}
  basin_rain: LINE
detectors:
  - {id: wet, indicator: basin_rain, kind: threshold, source: guess, levels: {blue: {above: 12 mm}, red: {above: 50 mm, hold: 5min}}}
"""
LINE = "{sum: rain_15min, area: {tree: basin, depth: reach}, coverage: 0.8}"
AREAS = "tree,area,zh,en,parent,depth\nbasin,all,全,All,,basin\nbasin,north,北,North,all,reach\nbasin,south,南,South,all,reach\n"


def folder(where: Path, line: str = LINE) -> Path:
    (where / "packs/rain").mkdir(parents=True)
    (where / "city").mkdir()
    (where / "packs/rain/pack.yaml").write_text(PACK.replace("LINE", line), "utf-8")
    rows = "".join(f"{s},{'north' if n < 6 else 'south'}\n" for n, s in enumerate(SITES))
    (where / "packs/rain/sites.csv").write_text("site,basin\n" + rows, "utf-8")
    (where / "city/areas.csv").write_text(AREAS, "utf-8")
    return where


def readings() -> list[tuple[str, int, float]]:
    """A shower over the north, one minute after the other station by station; s9 is never heard."""
    return [(f"rain@{s}", T0 + i * 5 * MINUTE, (0.1 + 0.7 * i if n < 6 else 0.3) + n * 0.1)
            for i in range(12) for n, s in enumerate(SITES[:9])]


def final(events: list[Change]) -> set[tuple[Any, ...]]:
    last: dict[str, Change] = {}
    for c in events:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.site, c.area, c.detector, c.onset, c.before, c.to, c.value, c.time) for c in last.values() if not c.withdrawn}


def staged(where: Path, configs: Path, partitions: int, kill: int = -1) -> list[Change]:
    """All events of judges and combine over SQLite; at step `kill` every judge starts again and repeats its last records."""
    base, settings, metrics = engine(f"sqlite:///{where}/state{partitions}.db"), Settings(partitions=partitions), Metrics()
    plans = Plans(base)
    library = Library(plans)
    judges = StateStore(Judging, Snapshots(base, "judge", partitions), library, settings, metrics)
    boards = StateStore(Combining, Snapshots(base, "combine", 1), library, settings, metrics)
    record = encode(PlanRecord(plans.put(plan_bytes(load_city(configs)))))
    library.fetch(decode(record).hash)          # type: ignore[union-attr]
    opened = [judges.open(Place("readings", p)) for p in range(partitions)]
    works, logs = [work for _, work in opened], [[record] for _ in range(partitions)]
    board = boards.open(Place("levels", 0))[1]
    events: list[Change] = []
    parts = 0

    def apply(p: int, value: bytes, offset: int) -> None:
        nonlocal parts
        for out in works[p].apply(offset, value):
            if out.topic.endswith("levels"):
                parts += isinstance(decode(out.value), Part)
                for event in board.apply(0, out.value):
                    events.extend(decode(event.value).changes)      # type: ignore[union-attr]

    board.apply(0, record)
    for p in range(partitions):
        apply(p, record, 0)
    told, now = readings(), T0
    for step, (name, t, x) in enumerate([*told, ("", T0 + 80 * MINUTE, 0.0)]):
        while now < t:
            now += MINUTE
            for p in range(partitions):
                logs[p].append(encode(Tick(now, p)))
                apply(p, logs[p][-1], len(logs[p]) - 1)
        if name:
            p = partition(name.partition("@")[2], partitions)
            logs[p].append(encode(Block.of([(name, t, x)])))
            apply(p, logs[p][-1], len(logs[p]) - 1)
        if step == kill:
            for p in range(partitions):
                works[p] = judges.open(Place("again", p))[1]
                for offset, value in enumerate(logs[p]):
                    apply(p, value, offset)
    base.dispose()
    assert parts > 0
    return events


def test_one_and_four_partitions_and_a_replay_say_the_same(tmp_path: Path) -> None:
    """Events of the area, equal to the last bit; a judge that starts again and says all again adds no event."""
    configs = folder(tmp_path)
    one, four = staged(tmp_path, configs, 1), staged(tmp_path, configs, 4)
    offline, replayed = Offline(load_city(configs)), list[Change]()
    for row in readings():
        replayed += offline.feed(Block.of([row]))
    replayed += offline.finish(T0 + 80 * MINUTE)
    assert final(one) == final(four) == final(replayed)
    assert {(site, area, to) for site, area, *_, to, _, _ in final(one)} >= {("", "basin:north", 1), ("", "basin:north", 4)}
    (tmp_path / "killed").mkdir()
    killed = staged(tmp_path / "killed", configs, 4, kill=60)
    assert [c.id for c in killed if c.kind == "level"] == [c.id for c in four if c.kind == "level"]


@pytest.mark.parametrize(("line", "words"), [
    ("{sum: rain_15min, area: {tree: basin}}", "area: depth is missing"),
    ("{sum: rain_15min, area: {tree: river, depth: reach}}", "tree: unknown 'river'"),
    ("{sum: rains, area: {tree: basin, depth: reach}}", "unknown indicator 'rains'"),
    ("{sum: rain_15min, area: {tree: basin, depth: reach}, over: 1h}", "unknown key of derive basin_rain 'over'"),
    ("{std: rain_15min, over: 1h, area: {tree: basin, depth: reach}}", "unknown key of derive basin_rain 'area'"),
])
def test_what_cannot_be_summed_is_refused(line: str, words: str, tmp_path: Path) -> None:
    """At its line, with what is allowed."""
    faults = check_city(folder(tmp_path, line)).faults
    assert words in str(faults[0]) and faults[0].line == 8


def test_nothing_is_derived_of_an_area(tmp_path: Path) -> None:
    """Its series is not at any site, so no operator may take it; said with the way round."""
    configs = folder(tmp_path, LINE + "\n  more: {max: basin_rain, over: 1h}")
    assert ["derive at the sites first" in str(fault) for fault in check_city(configs).faults] == [True]
