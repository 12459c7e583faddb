"""Topics, the first plan, apply, doctor, and processes that wait for their broker: on a real Kafka."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.pack import City
from detectors.reading import PlanRecord
from streams import broker
from streams.codec import decode
from streams.settings import Settings
from streams.topics import TOPICS, announce_plan, check_topics, create_topics, lengths

pytestmark = pytest.mark.broker


def wanglou(ours: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    """One command of the command line, with the settings of a test."""
    env = {f"WANGLOU_{n.upper()}": str(v) for n, v in ours.model_dump(include={"broker", "prefix", "data", "partitions"}).items()}
    return subprocess.run([sys.executable, "-c", "from streams.cli import main; main()", *words], env=os.environ | env,
                          capture_output=True, text=True, check=False)


def test_topics_are_made_once_and_checked(bench: Any) -> None:
    """Times are the broker's, retention is set; made again nothing happens; other partition counts are seen."""
    assert create_topics(bench.settings) == []
    assert check_topics(bench.settings) == []
    other = bench.settings.model_copy(update={"partitions": 8})
    assert [f.split(": ")[1] for f in check_topics(other)] == [
        "has 2 partitions, the settings say 8; `wanglou topics grow --partitions 8` makes more"] * 2
    missing = bench.settings.model_copy(update={"prefix": "nothing."})
    assert len(check_topics(missing)) == len(TOPICS)
    assert "wanglou topics create" in wanglou(missing, "topics", "check").stderr


def test_the_first_plan_is_offset_0(bench: Any) -> None:
    """The first plan begins every log, and is not written again; a later one is written to each."""
    assert announce_plan(bench.settings, "a" * 16, only_empty=True) == 3
    assert announce_plan(bench.settings, "b" * 16, only_empty=True) == 0
    assert announce_plan(bench.settings, "c" * 16) == 3
    for topic in ("readings", "levels"):
        found = [decode(value) for _, _, value in bench.read(topic)]
        assert found == [PlanRecord("a" * 16), PlanRecord("c" * 16)] * (2 if topic == "readings" else 1)


def test_doctor(bench: Any, writer: Any, city: Callable[..., City], wait: Callable[..., None]) -> None:
    """What never ran is a fault by name; a running judge is not; a snapshot of another log is seen."""
    def findings() -> dict[str, tuple[bool, str]]:
        return {f["part"]: (f["ok"], f["what"]) for f in json.loads(wanglou(bench.settings, "doctor", "--json").stdout)}

    before = findings()
    assert (before["broker"][0], before["topics"][0], before["plan"][0], before["judge"][0]) == (True, True, False, False)
    name = bench.plan(city())
    judge = bench.start("judge")
    writer.write([("gauge-0", 26.0)])
    wait(lambda: findings()["judge"][0], "the judge has saved")
    after = findings()
    assert after["plan"][1].startswith(name) and name in after["judge"][1] and "records behind" in after["judge"][1]
    judge.terminate()
    assert judge.wait(5) == 0
    from sqlalchemy import text

    from streams.sql import engine

    database = engine(bench.settings.state_url)
    with database.begin() as connection:
        connection.execute(text("UPDATE position SET applied = 1000000"))
    database.dispose()
    assert "not the log it was made from" in findings()["judge"][1]


def test_a_stage_waits_for_its_broker(tmp_path: Path, wait: Callable[..., None], bench_of: Any, kafka: broker.Broker) -> None:
    """Started before its broker a stage says that it waits and begins when it is there; it ends on SIGTERM, broker or not."""
    port = broker.free_port()
    bench = bench_of(Settings(broker=f"127.0.0.1:{port}", data=tmp_path / "var", partitions=2), tmp_path)
    early, late = bench.start("combine"), bench.start("judge")
    wait(lambda: bench.said("judge").count("waiting for the broker"), "it says so")
    early.terminate()
    assert early.wait(5) == 0
    running = broker.start_kafka(tmp_path / "kafka", port)
    try:
        wait(lambda: "waiting for topics" in bench.said("judge"), "topics are waited for")
        create_topics(bench.settings)
        wait(lambda: "partition taken" in bench.said("judge"), "it has begun")
        assert lengths(bench.settings)["readings", 0][0] == 0
        running.stop()
        late.terminate()
        assert late.wait(6) == 0
    finally:
        bench.close()
        running.stop()
