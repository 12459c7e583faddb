"""What is played: the same file gives the same records, and the clock never runs ahead of the readings."""
from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from detectors.reading import Block, Source, Tick
from streams.codec import decode
from streams.errors import UsageError, WanglouError
from streams.feeds.blocks import Blocker
from streams.feeds.buffer import Buffer
from streams.feeds.decoders import decode as read
from streams.feeds.intake import Intake, Names
from streams.feeds.producer import Outlet
from streams.feeds.rules import Rules
from streams.feeds.story import Story, came, scenario, told
from streams.feeds.transports.play import Player, speed_of, width
from streams.metrics import Metrics

STORM = """
title: {zh: 兰江暴雨, en: A storm}
invented: true
start: 2026-06-19T08:00:00+08:00
every: 5min
speed: 120
source: storm
tail: 20min
series:
  river_level@lanxi: '26.5+0.1x3 _x2 nan'
  rain@lanxi: {every: 1h, values: '0 12.5'}
  river_level@yiwu: '40x1'
"""
START = 1_781_827_200_000_000
MIN = 60_000_000


def test_a_scenario_is_read(rules: Rules) -> None:
    """Values at their times; `_` is no reading, nan one without a value; sorted by arrival."""
    story = scenario(STORM, rules)
    assert (story.start, story.speed, story.source, story.invented, story.tail) == (START, 120.0, "storm", True, 1200.0)
    lanxi = [(r.t - START, r.x) for r in story.readings if r.series == "river_level@lanxi"]
    assert lanxi[:4] == [(0, 26.5), (5 * MIN, 26.6), (10 * MIN, 26.7), (15 * MIN, 26.8)]
    assert lanxi[4][0] == 30 * MIN and lanxi[4][1] != lanxi[4][1]
    assert [(r.t - START, r.x) for r in story.readings if r.series == "rain@lanxi"] == [(0, 0.0), (60 * MIN, 12.5)]
    assert [came(r) for r in story.readings] == sorted(came(r) for r in story.readings)
    assert story.end == START + 80 * MIN


def test_all_faults_of_a_scenario_are_told_at_once(rules: Rules) -> None:
    """A scenario is config: nothing of it is passed over."""
    bad = STORM.replace("river_level@yiwu", "river_level@yiwuu").replace("every: 5min", "every: 5 months")
    bad = bad.replace("'0 12.5'", "'0 x'")
    with pytest.raises(WanglouError) as error:
        scenario(bad + "sped: 3\n", rules)
    text = str(error.value)
    for said in ("did you mean yiwu?", "every:", "rain@lanxi: column 3", "unknown key `sped`"):
        assert said in text
    for text in ("[", "a: 1", "series: {}\nstart: 2026-06-19T08:00:00\n"):
        with pytest.raises(WanglouError):
            scenario(text, rules)


def test_steps_lose_nothing_and_end_after_the_tail(rules: Rules) -> None:
    """Each reading is in the step that ends at or after its arrival, and not one later."""
    story = scenario(STORM, rules)
    for step in (MIN, 7 * MIN, 1000 * MIN):
        steps = list(story.steps(step))
        assert [r for s in steps for r in s.readings] == story.readings
        assert all(s.at - step <= came(r) <= s.at for s in steps for r in s.readings)
        assert steps[-1].at >= story.end > steps[-1].at - step
    assert [s.at for s in Story(5, []).steps(10**9)] == [10**9 + 5, 2 * 10**9 + 5]


def test_a_history_is_in_the_order_of_its_arrivals(rules: Rules) -> None:
    """Late ones where they came; together those of one moment in the order of the file; bad rows are kept."""
    text = ("time,site,indicator,value,arrived\n2026-06-19T00:10:00Z,lanxi,river_level,2,2026-06-19T03:00:00Z\n"
            "2026-06-19T00:05:00Z,lanxi,river_level,1,2026-06-19T03:00:00Z\n2026-06-19T00:15:00Z,lanxi,river_level,0,\nx,y,z,1,\n")
    story = told(read("csv", text.encode(), rules, None))
    assert [r.x for r in story.readings] == [0.0, 2.0, 1.0]
    assert story.start == START + 15 * MIN and len(story.refused) == 1


def test_the_speed_and_its_step() -> None:
    """About two ticks a second of wall time; a word for as fast as it goes."""
    assert speed_of("120") == 120.0 and speed_of("max") is None
    assert width(Story(0, []), 120.0) == 60_000_000
    assert width(Story(0, [], tail=86400 * 365.0), None) == 15_768_000_000
    for bad in ("0", "-1", "fast", "nan", "inf"):
        with pytest.raises(UsageError):
            speed_of(bad)


async def play(kafka, path: Path, story: Story, memory: Path | None = None, stop: int = 0, speed: float | None = None) -> Player:
    """Play a story on a fake Kafka, or only until `stop` records lie in it."""
    outlet = Outlet(kafka.connect, Buffer(path / "x.buffer"), retry=0.01)
    outlet.start()
    intake = Intake(Names("play", "readings", "rejects"), outlet, Blocker(4, played=True), Metrics())
    player = Player(story, intake, "storm", speed, memory, step=0 if speed else MIN)
    running = asyncio.ensure_future(player.run())
    while len(kafka.log) < stop and not running.done():
        await asyncio.sleep(0)
    if stop:
        running.cancel()
    await asyncio.gather(running, return_exceptions=bool(stop))
    await outlet.close()
    return player


def plain(value: bytes) -> tuple:
    """A record without `sent`."""
    r = decode(value)
    if isinstance(r, Block):
        return ("block", r.series, r.index.tolist(), r.t.tolist(), [repr(x) for x in r.x.tolist()], r.arrived.tolist(), r.sources)
    return (type(r).__name__, r)


async def test_the_same_file_gives_the_same_records(kafka, tmp_path: Path, rules: Rules) -> None:
    """Each partition's log, but for the wall stamp; it does not depend on how quickly Kafka answers."""
    story = scenario(STORM, rules)
    await play(kafka, tmp_path, story)
    first = {p: [plain(v) for v in kafka.records("readings", p)] for p in range(4)}
    kafka.log.clear()
    await play(kafka, tmp_path, story)
    assert first == {p: [plain(v) for v in kafka.records("readings", p)] for p in range(4)}


async def test_every_partition_gets_the_clock_and_no_reading_after_its_tick(kafka, tmp_path: Path, rules: Rules) -> None:
    """Ticks of all partitions are the same and only rise, to beyond the end; arrivals are the readings' own."""
    story = scenario(STORM, rules)
    player = await play(kafka, tmp_path, story)
    ticks = []
    for p in range(4):
        now, mine, heard = story.start, [], 0
        for record in (decode(v) for v in kafka.records("readings", p)):
            if isinstance(record, Tick):
                assert record.now > now and record.partition == p
                assert record.now - heard <= max(90_000_000, player.width)
                now = record.now
                mine.append(now)
            elif isinstance(record, Source):
                heard = record.now
                assert (record.name, record.up) == ("storm", True)
            else:
                assert all(now < a <= now + player.width or a == story.start for a in record.arrived.tolist())
                assert record.arrived.tolist() == record.t.tolist()
        ticks.append(mine)
    assert ticks[0] and all(t == ticks[0] for t in ticks) and ticks[0][-1] >= story.end
    assert sum(len(b) for v in kafka.records("readings") if isinstance(b := decode(v), Block)) == len(story.readings)
    counted = player.intake.metrics.readings.collect()[0].samples
    assert sum(s.value for s in counted) == len(story.readings)


async def test_a_killed_play_goes_on_where_it_stopped(kafka, tmp_path: Path, rules: Rules) -> None:
    """With --resume: all records, in order, at most those under way twice; at the end it forgets."""
    story, memory = scenario(STORM, rules), tmp_path / "play.played"
    await play(kafka, tmp_path, story)
    whole = [plain(v) for v in kafka.records("readings", 1)]
    kafka.log.clear()
    stopped = await play(kafka, tmp_path, story, memory, stop=150)
    kafka_had = len(kafka.log)
    assert memory.exists() and 0 < stopped.done < 80
    await play(kafka, tmp_path, story, memory)
    again = [plain(v) for v in kafka.records("readings", 1)]
    assert kafka_had < len(kafka.log) and list(dict.fromkeys(map(repr, again))) == list(dict.fromkeys(map(repr, whole)))
    assert not memory.exists()
    memory.write_text(json.dumps({"story": "another", "step": 5}))
    kafka.log.clear()
    await play(kafka, tmp_path, story, memory)
    assert [plain(v) for v in kafka.records("readings", 1)] == whole


async def test_the_speed_is_that_of_the_clock_on_the_wall(kafka, tmp_path: Path, rules: Rules) -> None:
    """80 minutes at ×7 200 are two steps of an hour, half a second each: never quicker."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    player = await play(kafka, tmp_path, scenario(STORM, rules), speed=7200.0)
    assert player.done == 2 and loop.time() - began >= 0.99


async def test_the_refused_rows_of_a_history_lie_in_rejects(kafka, tmp_path: Path, rules: Rules) -> None:
    """Also when it is played."""
    text = b"time,site,indicator,value\n2026-06-19T00:10:00Z,lanxi,river_level,2\n2026-06-19T00:15:00Z,lanxj,river_level,2\n"
    await play(kafka, tmp_path, told(read("csv", text, rules, None), tail=60.0))
    assert len(kafka.records("rejects")) == 1
