"""A worker comes back to 2 h of lag: no silence is told because of the lag, and what it says bears the true times."""
from __future__ import annotations

from dataclasses import replace
from math import sin
from typing import Any

from detectors.reading import Block, Source, Tick

NAME, BROKER = "worker comes back to 2 h of lag", False
tools = __import__("sys").modules["wanglou_drills_tools"]
GONE, BACK, END = 30, 150, 180          # minutes


def story(machine: Any, gone: tuple[int, ...]) -> None:
    """Three hours; those judges are away for two of them: their partitions hold no tick meanwhile, and are read afterwards."""
    backlog: list[tuple[Any, ...]] = []
    for n in range(END * 6):
        now, away = tools.T0 + n * 10 * tools.SECOND, GONE * 6 <= n < BACK * 6
        if not away:
            for done in backlog:
                done[0](*done[1:])
            backlog.clear()
        rows = [(f"level@gauge-{k}", now, 24 + 7 * sin(n / 60 + k)) for k in range(24) if n % 6 == k % 6 and (k or n < 300)]
        for p in range(len(machine.judges)):
            mine = [r for r in rows if machine.where(r[0]) == p]
            held = away and p in gone
            act = backlog.append if held else lambda done: done[0](*done[1:])
            if mine:
                act((write, machine, p, mine, now))
            if n % 3 == 0:
                act((machine.write, p, Source("feed", True, now, now)))
            if not held:
                machine.write(p, Tick(now + tools.SECOND, p))


def write(machine: Any, p: int, rows: Any, now: int) -> None:
    machine.readings += len(rows)
    machine.write(p, Block.of(rows, arrived=now, source="feed"))


def drill(ground: Any, short: bool, row: Any) -> None:
    """One judge of four, two (among them the one that tells combine of sources), and all."""
    machines, city = tools.here("machine"), tools.river(hold=120.0)
    wanted = None
    for gone in ((), (1,), (0, 3), (0, 1, 2, 3)):
        machine = machines.Machine(city)
        story(machine, gone)
        got = essence(machine)
        if wanted is None:
            wanted = got
            row.must([w for w in wanted if w[1] == "fresh"] and any(w[7] == 4 for w in wanted), "the story is too quiet")
            continue
        row.runs, row.readings = row.runs + 1, row.readings + machine.readings
        row.events += len(wanted ^ got)
        row.events += sum(e.kind == "feed" for e in machine.events)
    row.note = "silence of one real gauge in it, at its true time"


def essence(machine: Any) -> set[tuple[Any, ...]]:
    """All that detectors and silence said, with its times."""
    return {(e.id, e.kind, e.detector, e.site, e.time, e.arrived, e.before, e.to, e.fresh)
            for e in (replace(e, offset=-1) for e in machine.events) if e.site}
