"""Canary and drill through the real chain: feed, Kafka, judge, combine, desk; counted nowhere; a stage that stands still is seen."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from detectors.pack import Ladder, Post, Route, Step, Text
from streams.packs.load import load_city

HOME = Path(__file__).parents[2]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
STAGES = ("judge", "combine", "desk")


def figures(url: str) -> dict[str, float]:
    """The metrics of a process: name with labels -> value."""
    rows = [line.rsplit(" ", 1) for line in httpx2.get(url, timeout=5).text.splitlines() if line and line[0] != "#"]
    return {name: float(value) for name, value in rows}


def test_canary_and_drill_on_the_whole_chain(bench: Any, chain: ModuleType, tmp_path: Path) -> None:
    """Canaries come through one after the other; a drill calls its posts; combine killed, the canary stands still; back, it goes on."""
    folder = tmp_path / "configs"
    shutil.copytree(HOME / "configs", folder)
    steps = (Step("first", ("log",), 1.0), Step("second", ("log",), 60.0))
    posts = tuple(Post(x, Text(x), addresses={"log": x}) for x in ("first", "second"))
    city = replace(load_city(folder), ladders=(Ladder("l", Text("叫应"), steps),), routes=(Route("l"),), posts=posts)
    bench.plan(city)
    run = chain.Chain(bench, ticks="own", more={"CANARY_SECONDS": "2"})
    for stage in STAGES:
        run.start(stage)
    run.start("http", "feed", "http")
    desk, combine = (f"http://127.0.0.1:{run.ports[x]}" for x in ("desk", "combine"))

    def canary() -> tuple[float, float]:
        try:
            now = figures(f"{desk}/metrics")
        except httpx2.HTTPError:
            return 0.0, 0.0
        return now.get("wanglou_canary_last_success_timestamp_seconds", 0.0), now.get("wanglou_canary_seconds", 0.0)

    first = chain.until(lambda: canary()[0], "a canary", 60)
    chain.until(lambda: canary()[0] > first + 2, "another one", 60)
    assert 0 < canary()[1] < 60
    print(f"canary {canary()[1]:.2f} s")

    run.kill("combine")
    stood = canary()[0]
    words = ["--pack", "basin", "--site", "lanxi", "--minutes", "1", "--no-wait", "--json"]
    env = bench.environment(DATA=str(bench.settings.data))
    done = subprocess.run([*chain.WANGLOU, "drill", *words], env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    id_ = json.loads(done.stdout)["id"]
    chain.until(lambda: (chain.http(f"{desk}/api/drills/{id_}") or {}).get("state") == "running", "the drill is in the log")
    assert chain.http(f"{desk}/api/drills/{id_}")["opened"] == 0 and canary()[0] == stood
    run.start("combine")

    def second_called() -> Any:
        told = chain.http(f"{desk}/api/drills/{id_}") or {}
        return told if [c["post"] for c in told.get("calls", ()) if c["sent"]] == ["first", "second"] else None

    told = chain.until(second_called, "both posts called", 60)
    assert told["level"] == 4 and told["detected"] > 0
    calls = [json.loads(line) for line in (Path(bench.settings.data) / "calls.jsonl").read_text("utf-8").splitlines()]
    assert {c["post"] for c in calls} == {"first", "second"} and all(c["text"].startswith("[演练] ") for c in calls)
    chain.until(lambda: canary()[0] > stood, "the canary goes on", 60)

    now, areas = figures(f"{desk}/metrics"), figures(f"{combine}/metrics")
    assert not [name for name in (*now, *areas, *figures(f"http://127.0.0.1:{run.ports['judge']}/metrics"))
                if 'pack="self"' in name and "arrival" not in name]
    assert {value for name, value in areas.items() if name.startswith("wanglou_area_level{")} == {0.0}
    assert not [name for name, value in now.items() if 'scope="real"' in name and value]
    assert not [name for name in now if name.startswith("wanglou_unanswered_since")]
    page = httpx2.get(f"{desk}/", timeout=5).text
    assert page.count("<li class=\"row") == 1 and 'data-sect="drill"' in page and not re.search(r"data-(sound|red)[ >]", page)
    run.stop("http", *STAGES)
