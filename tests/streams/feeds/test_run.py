"""Feeds as processes that wait: they say for what, and end at once when they are told to."""
from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from time import sleep

import pytest

from detectors.pack import City, FeedSource
from streams import clock
from streams.broker import free_port
from streams.errors import Unavailable, UsageError
from streams.feeds.plan import PlanWatch
from streams.feeds.run import beside


def start(folder: Path, *words: str, **env: str) -> subprocess.Popen[bytes]:
    """`wanglou feed …` without a broker."""
    given = {"WANGLOU_DATA": str(folder / "var"), "WANGLOU_BROKER": f"127.0.0.1:{free_port()}"} | env
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-c", "from streams.cli import main; main()", "feed", *words],
                                env=os.environ | given, stderr=log, stdout=log)


def says(folder: Path, text: str) -> None:
    """Wait for a line in the log."""
    end = clock.monotonic() + 30
    while text not in (log := (folder / "log").read_text()):
        assert clock.monotonic() < end, log
        sleep(0.05)


@pytest.mark.parametrize(("words", "env", "text"), [
    (("http", "--port", "0"), {}, "waiting for the broker"),
    (("file", "."), {}, "waiting for a plan"),
    (("play", "{story}"), {"WANGLOU_STATE_URL": "postgresql+psycopg://127.0.0.1:1/x"}, "waiting for the database"),
])
def test_a_feed_says_what_it_waits_for_and_ends_when_told(tmp_path: Path, words: tuple[str, ...], env: dict[str, str],
                                                           text: str) -> None:
    """Also in the middle of waiting: nothing holds it up but what it must bring to safety."""
    (tmp_path / "story.yaml").write_text("series: {}")
    process = start(tmp_path, *(w.format(story=tmp_path / "story.yaml") for w in words), **env)
    try:
        says(tmp_path, text)
        process.terminate()
        assert process.wait(15) == 0, (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait()


async def test_a_database_that_goes_away_leaves_the_last_plan(city: City) -> None:
    """And a plan that comes later is seen."""
    answers: list[object] = [None, Unavailable("away"), ("a", city), Unavailable("away"), ("b", city)]

    def newest() -> tuple[str, City] | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[return-value]

    said: list[str] = []
    plan = PlanWatch(newest, every=0.01)
    assert await plan.wait(said.append) is city
    assert plan.hash == "a" and said == ["waiting for a plan: run `wanglou topics create` or `wanglou apply`"]
    assert not await plan.look() and plan.hash == "a"
    assert await plan.look() and plan.hash == "b"


async def test_rules_follow_the_plan_and_the_source(make_plan) -> None:
    """A source's options and factors are its own; a new plan makes new rules."""
    one, other = make_plan(FeedSource("a", scale={"co": 2.0})), make_plan()
    plans = iter([("a", one), ("b", other)])
    plan = PlanWatch(lambda: next(plans))
    await plan.look()
    first = plan.rules(plan.source("a"))
    assert first.known["square", "co"].scale == 2.0 and plan.rules(plan.source("a")) is first
    assert plan.rules(plan.source("other")).known["square", "co"].scale == 1.0
    assert plan.known("a", "http").id == "a"
    with pytest.raises(UsageError, match="did you mean a"):
        plan.known("aa", "http")
    await plan.look()
    assert plan.rules(plan.source("a")).known["square", "co"].scale == 1.0


async def test_what_runs_beside_ends_with_the_main_thing_and_its_faults_are_heard() -> None:
    """No task is left, and none fails in silence."""
    async def short() -> None:
        await asyncio.sleep(0)

    async def for_ever() -> None:
        await asyncio.sleep(3600)

    async def fails() -> None:
        raise Unavailable("gone")

    endless = asyncio.ensure_future(for_ever())
    await asyncio.wait_for(beside(asyncio.ensure_future(short()), endless), 5)
    assert endless.cancelled()
    with pytest.raises(Unavailable, match="gone"):
        await asyncio.wait_for(beside(asyncio.ensure_future(for_ever()), asyncio.ensure_future(fails())), 5)
