"""A gateway with 500 stations dies: one "feed down", 500 unknown, three messages at most; it comes back: no storm."""
from __future__ import annotations

from random import Random
from typing import Any

NAME, BROKER = "gateway of 500 stations dies and comes back", False
tools = __import__("sys").modules["wanglou_drills_tools"]
DEAD, BACK, END = 20, 60, 90          # minutes


def story(machine: Any, desk: Any, heartbeat: bool) -> None:
    """550 stations, 500 of them behind one gateway, one reading every five minutes each at its own minute; two are red."""
    for n in range(END):
        now, before = tools.T0 + n * tools.MINUTE, len(machine.events)
        alive = not DEAD <= n < BACK
        rows = [(f"level@gauge-{k}", now, 31.0 if k in (7, 540) else 20.0 + k * 0.001) for k in range(550) if k % 5 == n % 5]
        machine.take([r for r in rows if int(r[0][12:]) >= 500], now, "other")
        if alive:
            machine.take([r for r in rows if int(r[0][12:]) < 500], now, "gateway")
        machine.source("other", now)
        if alive or heartbeat:
            machine.source("gateway", now, alive, now if alive else tools.T0 + DEAD * tools.MINUTE)
        machine.tick(now + 1)
        desk.take(machine.events[before:], now + 1)
        desk.walk(now + 2)


def drill(ground: Any, short: bool, row: Any) -> None:
    """With a feed that lives on and says that its source is down, and with one that died with it; killed on the way or not."""
    machines, city = tools.here("machine"), tools.river(550, every=300.0)
    for seed in range(2 if short else 8):
        heartbeat = seed % 2 == 0
        machine = machines.Machine(city, chance=Random(seed) if seed > 1 or not short else None, often=0.01)
        desk = tools.Desk(city, ground.home())
        story(machine, desk, heartbeat)
        check(row, machine, desk)
        desk.close()
    row.note = "one feed event down, one up; both reds stay"


def check(row: Any, machine: Any, desk: Any) -> None:
    """One run."""
    row.runs, row.readings = row.runs + 1, row.readings + machine.readings
    once = list({(e.kind, e.id, e.revision): e for e in machine.events}.values())
    feed = [e for e in once if e.kind == "feed"]
    row.events += abs(len(feed) - 2) + sum(e.source != "gateway" for e in feed)
    row.must([e.fresh for e in feed] == ["stale", "fresh"], f"feed events: {[(e.fresh, e.check) for e in feed]}")
    row.events += sum(e.kind == "sensor" for e in once)
    stale = {e.site for e in once if e.kind == "fresh" and e.fresh == "stale" and e.site}
    row.events += abs(len(stale) - 500)
    lost = tools.T0 + DEAD * tools.MINUTE
    after = [e for e in once if e.kind == "level" and e.detector and e.arrived > lost]
    row.events += len(after)
    calls = [c for c in desk.calls() if c.created > lost]
    reds = {a.id for a in desk.alerts() if a.site}
    row.calls += max(0, len([c for c in calls if c.alert not in reds]) - 3)
    row.must(machine.levels()["level@gauge-7", "river/stage"] == (4, "fresh"), "the red behind the gateway")
    row.must(len(reds) == 2, f"alerts: {len(reds)}")
