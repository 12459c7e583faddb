"""kill -9 between each pair of consume, judge, produce, snapshot and ack, then at any moment: nothing lost, nothing told twice."""
from __future__ import annotations

from random import Random
from time import sleep
from typing import Any

NAME, BROKER = "kill -9 at every point, then at random moments", True
tools = __import__("sys").modules["wanglou_drills_tools"]
POINTS = ("after_consume:40", "after_judge:40", "after_produce:3", "after_snapshot:3", "after_ack:3")


def drill(ground: Any, short: bool, row: Any) -> None:
    """Judge, combine and desk under a storm. The short form leaves the points between to tests/broker/test_kill.py."""
    lives = tools.here("live")
    live, rng = lives.Live(ground, lives.brisk()), Random(1)
    live.start("combine", "desk")
    kills = 0
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        for point in POINTS[2:3] if short else POINTS * 2:
            live.start("judge", FAULT=point)
            status = live.run.running["judge"].wait(180)
            row.must(status == -9, f"{point}: the judge ended with {status}")
            kills += 1
        live.start("judge")
        live.working("desk")
        live.working("judge", 2 * (kills + 1))
        for name in ("judge", "combine", "desk") if short else [rng.choice(("judge", "judge2", "combine", "desk")) for _ in range(16)]:
            if name == "judge2" and name not in live.run.running:
                live.start(name)
            sleep(rng.random() * (0.6 if short else 5))
            live.run.kill(name)
            live.start(name)
            kills += 1
        live.sharing("judge")
    live.finish()
    live.calls(row, live.compare(row, load.written))
    row.note = f"{kills} kills"
