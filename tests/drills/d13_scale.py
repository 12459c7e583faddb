"""A rolling restart, 1 → 4 → 2 workers, and 4 → 8 partitions (`grow.py`) under load: nothing lost, nothing twice."""
from __future__ import annotations

from time import sleep
from typing import Any

NAME, BROKER = "rolling restart; more and fewer workers; growth", True
tools = __import__("sys").modules["wanglou_drills_tools"]


def drill(ground: Any, short: bool, row: Any) -> None:
    """Four partitions. Short: 1 → 3 → 2, one restarted on the way."""
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk(), partitions=4)
    live.start("judge", "combine", "desk")
    live.working("judge", 4)
    live.working("desk")
    more = ["judge2", "judge3"] if short else ["judge2", "judge3", "judge4"]
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        for _ in range(1 if short else 3):
            live.start(*(name for name in more if name not in live.run.running))
            live.sharing("judge", *more)            # each of them: one that is still starting knows no SIGTERM and dies of it
            for name in ["judge"] if short else ["judge", *more, "combine", "desk"]:
                live.end(name)
                live.start(name)
                sleep(0.5 if short else 3)
            live.sharing("judge", *more)
            live.end(*more[1:])
            sleep(1)
    live.finish()
    live.calls(row, live.compare(row, load.written))
    growth = tools.Row()
    tools.here("grow").drill(ground, short, growth)
    growth.note = f"4 → {8 if short else 16} partitions: {growth.note}"
    row.add(growth)
