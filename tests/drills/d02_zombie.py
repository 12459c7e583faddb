"""A worker frozen beyond its session and then let go: its snapshot is refused, what it says again is recognised."""
from __future__ import annotations

import signal
from time import sleep
from typing import Any

NAME, BROKER = "SIGSTOP beyond the session, then SIGCONT", True
tools = __import__("sys").modules["wanglou_drills_tools"]


def drill(ground: Any, short: bool, row: Any) -> None:
    """Two judges, one frozen under load (short: 5 s with a session of 2 s; else a minute, twice)."""
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk())
    live.start("judge", "judge2", "combine", "desk")
    live.sharing("judge", "judge2")
    live.working("desk")
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        for name in ("judge",) if short else ("judge", "judge2"):
            tools.until(lambda: len(live.applied()) == 3, "both have saved")
            sleep(2)
            before = live.said("judge").count("partition taken")
            live.send(name, signal.SIGSTOP)
            tools.until(lambda n=before: live.said("judge").count("partition taken") > n, "the other took over")
            sleep(3 if short else 60)
            refused = live.said("judge").count("Refused")
            live.send(name, signal.SIGCONT)
            tools.until(lambda n=refused: live.said("judge").count("Refused") > n, "the zombie's snapshot is refused", 30)
        sleep(2)
    live.finish(120)
    live.calls(row, live.compare(row, load.written))
    row.note = f"snapshots refused: {live.said('judge').count('Refused')}"
