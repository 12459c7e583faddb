"""The source falls silent right around a rebalance: the last block is judged within seconds, always."""
from __future__ import annotations

from random import Random
from time import sleep
from typing import Any

from streams import clock
from streams.codec import Changes

NAME, BROKER = "silence right around a rebalance", True
tools = __import__("sys").modules["wanglou_drills_tools"]


def drill(ground: Any, short: bool, row: Any) -> None:
    """A second judge joins or leaves; at some moment around it the last readings ever are written, all red or all normal."""
    lives, rng = tools.here("live"), Random(4)
    live = lives.Live(ground, lives.brisk(silent=1e6))
    live.start("judge")
    live.working("judge", 2)
    written, slowest, to = lives.Counter(), 0.0, 4
    for n in range(4 if short else 60):
        joins = "judge2" not in live.run.running
        if joins:
            live.start("judge2")
            sleep(rng.uniform(0.8, 2.2))            # it joins the group somewhere in there
        else:
            live.run.running["judge2"].terminate() if n % 4 == 1 else live.run.running["judge2"].kill()
            sleep(rng.uniform(0.0, 0.6 if n % 4 == 1 else 2.6))
        now, begun = clock.now(), clock.monotonic()
        live.writer.write([(site, 31.0 if to == 4 else 20.0) for site in live.city.sites], now)
        live.writer.producer.flush()
        written.update((f"level@{site}", now) for site in live.city.sites)
        tools.until(lambda now=now, to=to: changed(live, now, to) == 24, f"round {n}: the last block is judged", 180, 0.1)
        slowest = max(slowest, clock.monotonic() - begun)
        to = 4 - to
        if joins:
            tools.until(lambda n=n: live.said("judge").count("partition taken") >= 3 + n, "the second has joined")
        else:
            live.run.running.pop("judge2").wait(20)
    live.finish()
    live.compare(row, written, must=False, events=False)
    row.runs = n + 1
    row.note = f"slowest {slowest:.1f} s"


def changed(live: Any, at: int, to: int) -> int:
    """Sites whose change at that moment is in `levels`."""
    return len({c.site for _, _, r in live.bench.records("levels") if isinstance(r, Changes) for c in r.changes
                if c.kind == "level" and c.arrived == at and c.to == to})
