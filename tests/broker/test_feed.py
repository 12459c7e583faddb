"""Feeds on a real Kafka: as processes, over HTTP, through an outage of the broker and a kill -9."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from detectors.pack import FeedSource
from detectors.reading import Block, Source, Tick
from streams import clock
from streams.broker import free_port, start_kafka
from streams.settings import Settings
from streams.shards import partition
from streams.topics import create_topics

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def values(bench: Any) -> list[float]:
    """The x of every reading in the log."""
    return sorted(float(x) for _, _, r in bench.records("readings") if isinstance(r, Block) for x in r.x)


def rows(site: str, *xs: float) -> list[dict[str, Any]]:
    """Readings of now."""
    return [{"site": site, "indicator": "level", "time": clock.iso(clock.now()), "value": x} for x in xs]


WANGLOU = [sys.executable, "-c", "from streams.cli import main; main()"]


def environ(bench: Any) -> dict[str, str]:
    """The settings of a test, for a process."""
    env = {"BROKER": bench.settings.broker, "PREFIX": bench.settings.prefix, "DATA": str(bench.settings.data),
           "STATE_URL": bench.settings.state_url, "PARTITIONS": str(bench.settings.partitions)}
    return os.environ | {f"WANGLOU_{name}": value for name, value in env.items()}


@pytest.fixture
def web() -> Iterator[httpx2.Client]:
    """A client of a port where a feed will be."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{free_port()}", timeout=30) as client:
        yield client


def start(bench: Any, wait: Any, web: httpx2.Client, with_kafka: bool = True) -> subprocess.Popen[bytes]:
    """`wanglou feed http` as a process that answers, and has found its broker."""
    with (bench.folder / "feed.log").open("ab") as log:
        process = subprocess.Popen([*WANGLOU, "feed", "http", "--port", str(web.base_url.port)], stdout=log, stderr=log,
                                   env=environ(bench))
    bench.started.append(process)

    def answers() -> bool:
        try:
            answer = web.get("/readyz")
            return answer.status_code == 200 and answer.json()["kafka"] is with_kafka
        except httpx2.TransportError:
            return False

    wait(answers, "the feed answers")
    return process


def command(bench: Any, *words: str) -> subprocess.CompletedProcess[str]:
    """A `wanglou` command to its end."""
    return subprocess.run([*WANGLOU, *words], capture_output=True, text=True, check=False, timeout=90, env=environ(bench))


def test_a_push_is_in_the_log_when_it_is_answered_and_rejects_can_be_shown_and_tried_again(bench, city, wait, web) -> None:
    """Readings in the partitions of their sites, sources in all; a bad row is shown, and sent once the plan knows its site."""
    plan = city()
    bench.plan(plan)
    start(bench, wait, web)
    answer = web.post("/readings", json=[*rows("gauge-1", 1.0, 2.0), *rows("gauge-2", 3.0), *rows("gauge-x", 4.0)])
    assert answer.status_code == 202
    assert (answer.json()["accepted"], answer.json()["durable"]) == (3, "kafka")
    assert values(bench) == [1.0, 2.0, 3.0]
    for p, _, record in bench.records("readings"):
        if isinstance(record, Block):
            assert {partition(s.split("@")[1], 2) for s in record.series} == {p}
            assert record.sent > 0 and len(set(record.arrived.tolist())) == 1
    wait(lambda: {p for p, _, r in bench.records("readings") if isinstance(r, Source)} == {0, 1}, "sources in all partitions")

    shown = command(bench, "rejects", "show", "--json")
    row = json.loads(shown.stdout)
    assert (row["reason"], row["place"], json.loads(row["raw"])["value"]) == ("site", "[3].site", 4.0)
    still = command(bench, "rejects", "retry")
    assert still.returncode == 1 and "gauge-x" in still.stderr
    pack = plan.packs[0]
    level = replace(pack.indicators[0], sites=(*pack.indicators[0].sites, "gauge-x"))
    bench.plan(replace(plan, packs=(replace(pack, indicators=(level,)),)))
    assert json.loads(command(bench, "rejects", "retry", "--json").stdout)["sent"] == 1
    assert values(bench) == [1.0, 2.0, 3.0, 4.0]


def test_with_the_broker_away_pushes_go_to_the_disk_and_survive_a_kill(bench, tmp_path: Path, city, wait, web) -> None:
    """Kafka stopped: 202 from the buffer; the feed killed -9 and started again, Kafka started again: all in the log, in order."""
    port = free_port()
    own = start_kafka(tmp_path / "kafka", port)
    settings = Settings(broker=own.address, prefix="t.", data=tmp_path / "var", partitions=2)
    bench.settings = settings                       # a broker of our own, as it is stopped
    try:
        create_topics(settings)
        bench.plan(city())
        process = start(bench, wait, web)
        assert web.post("/readings", json=rows("gauge-1", 1.0)).json()["durable"] == "kafka"
        own.stop()
        for x in (2.0, 3.0, 4.0):
            answer = web.post("/readings", json=rows("gauge-1", x))
            assert (answer.status_code, answer.json()["durable"]) == (202, "buffer")
        process.kill()
        process.wait()
        process = start(bench, wait, web, with_kafka=False)
        assert web.post("/readings", json=rows("gauge-1", 5.0)).json()["durable"] == "buffer"
        own = start_kafka(tmp_path / "kafka", port)
        wait(lambda: web.get("/healthz").json()["buffer_bytes"] == 0, "the buffer is drained", 60)
        assert web.post("/readings", json=rows("gauge-1", 6.0)).json()["durable"] == "kafka"
        xs = [float(x) for _, _, r in bench.records("readings") if isinstance(r, Block) for x in r.x]
        assert list(dict.fromkeys(xs)) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert Counter(xs).most_common(1)[0][1] <= 2
        process.terminate()
        assert process.wait(20) == 0
    finally:
        own.stop()


def test_a_file_and_a_played_scenario(bench, city, wait, tmp_path: Path) -> None:
    """A GBK file with a torn end: exit 1 with the place, the rest in; a scenario at full speed, its clock in all partitions."""
    bench.plan(replace(city(), feeds=(FeedSource("gauges", "file", "csv", scale={"level": 0.01}),)))
    now = clock.iso(clock.now())
    table = tmp_path / "站.csv"
    table.write_bytes(f"time,site,indicator,value\n{now},gauge-1,level,2650\n{now},水库,level,1\n{now},gau".encode("gbk"))
    done = command(bench, "feed", "file", str(table), "--source", "gauges", "--json")
    result = json.loads(done.stdout)
    assert done.returncode == 1 and result["accepted"] == 1
    assert [(r["reason"], r["place"]) for r in result["rejected"]] == [("site", "line 3, site"), ("torn", "line 4")]
    assert values(bench) == [pytest.approx(26.5)]

    story = tmp_path / "storm.yaml"
    story.write_text("title: a storm\ninvented: true\nstart: 2026-06-19T08:00:00+08:00\nevery: 1min\ntail: 5min\n"
                     "series:\n  level@gauge-1: '20+1x9'\n  level@gauge-2: '30x9'\n")
    done = command(bench, "feed", "play", str(story), "--speed", "max", "--json")
    assert json.loads(done.stdout)["accepted"] == 20, done.stderr
    ticks = [[r.now for p, _, r in bench.records("readings") if p == q and isinstance(r, Tick)] for q in range(2)]
    assert ticks[0] == ticks[1] == sorted(ticks[0])
    assert clock.iso(ticks[0][-1]) == "2026-06-19T00:14:00Z"
    wrong = command(bench, "feed", "play", str(tmp_path / "none.yaml"))
    assert wrong.returncode == 2 and "no such file" in wrong.stderr
