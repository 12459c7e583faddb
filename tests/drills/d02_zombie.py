"""A worker frozen beyond its session and then let go: its snapshot is refused, what it says again is recognised."""
from __future__ import annotations

import signal
from pathlib import Path
from time import sleep
from typing import Any

NAME, BROKER = "SIGSTOP beyond the session, then SIGCONT", True
tools = __import__("sys").modules["wanglou_drills_tools"]
FREEZE = """
import os, signal
from pathlib import Path
import streams.worker.app as a
def fault(spec):                                    # when it is told to, between what Kafka has taken and the snapshot of it
    def reach(point):
        if point == "after_produce" and Path({when!r}).exists():
            Path({when!r}).unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
    return reach
a.fault = fault
"""


def drill(ground: Any, short: bool, row: Any) -> None:
    """Two judges. One is frozen under load with a snapshot in its hands (short: 3 s after its session of 2 s is over; else a
    minute, then the other one too, at any moment).
    """
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk())
    when = live.bench.folder / "freeze"
    live.patched("judge", FREEZE.format(when=str(when)))
    live.start("judge2", "combine", "desk")
    live.sharing("judge", "judge2")
    live.working("desk")
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        for name in ("judge",) if short else ("judge", "judge2"):
            tools.until(lambda: len(live.applied()) == 3, "both have saved")
            before = live.said("judge").count("partition taken")
            if name == "judge":
                when.touch()
                tools.until(lambda: frozen(live.run.running["judge"].pid), "it is frozen")
            else:
                live.send(name, signal.SIGSTOP)
            tools.until(lambda n=before: live.said("judge").count("partition taken") > n, "the other took over")
            sleep(3 if short else 60)
            refused = live.said("judge").count("Refused")
            live.send(name, signal.SIGCONT)
            if name == "judge":
                tools.until(lambda n=refused: live.said("judge").count("Refused") > n, "the zombie's snapshot is refused")
            live.sharing("judge", "judge2")
        sleep(1)
    live.finish()
    live.calls(row, live.compare(row, load.written))
    row.note = f"snapshots refused: {live.said('judge').count('Refused')}"


def frozen(pid: int) -> bool:
    """Whether a process is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
