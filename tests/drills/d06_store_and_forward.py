"""A station offline for 3 h hands in what it stored: in order, as of its own times, its peak kept; all others are as if nothing had been."""
from __future__ import annotations

from dataclasses import replace
from math import sin
from random import Random
from typing import Any

NAME, BROKER = "one station 3 h offline, then store-and-forward", False
tools = __import__("sys").modules["wanglou_drills_tools"]
AWAY, BACK = 60, 240                    # minutes


def height(k: int, n: int) -> float:
    """gauge-0 has a flood that comes and goes while it is offline."""
    flood = 12 * max(0.0, 1 - abs(n - 150) / 50) if k == 0 else 0.0
    return 20 + k * 0.1 + flood + (6 * sin(n / 40 + k) if k else 0)


def story(machine: Any, offline: bool, chance: Random | None, newest_first: bool = False) -> None:
    """Six hours of 24 gauges, one reading a minute."""
    stored: list[tuple[str, int, float]] = []
    for n in range(360):
        now = tools.T0 + n * tools.MINUTE
        rows = [(f"level@gauge-{k}", now, height(k, n)) for k in range(24)]
        if offline and AWAY <= n < BACK:
            stored.append(rows.pop(0))
        if newest_first:
            machine.take(rows, now)
        while stored and n == BACK:     # in helpings, some of them twice
            part, stored = stored[:37], stored[37:]
            for _ in range(1 + (chance.random() < 0.5 if chance else 0)):
                machine.take(part, now)
        if not newest_first:
            machine.take(rows, now)
        machine.tick(now + tools.SECOND)


def drill(ground: Any, short: bool, row: Any) -> None:
    """Against the same six hours without the outage: the store first (no lateness is needed), or after the newest reading."""
    machines = tools.here("machine")
    for newest_first in (False, True):
        city = tools.river(hold=300.0, lateness=4 * 3600.0 if newest_first else 0.0)
        plain = machines.Machine(city)
        story(plain, False, None)
        for seed in range(2 if short else 20):
            machine = machines.Machine(city, chance=Random(seed) if seed else None, often=0.01)
            story(machine, True, Random(seed), newest_first)
            row.runs, row.readings = row.runs + 1, row.readings + machine.readings
            check(row, machine, plain, newest_first)
    row.note = "its flood came and went while it was offline"


def check(row: Any, machine: Any, plain: Any, newest_first: bool) -> None:
    """One run."""
    wanted, got = (levels(m.events, lambda site: site != "gauge-0") for m in (plain, machine))
    row.events += len(set(wanted) ^ set(got))
    row.events += len(set(final(machine.events)) ^ set(final(plain.events)))
    mine = mine_only(machine.events)
    row.must(any(e.to == 4 for e in mine), "the peak is lost")
    late = [e for e in mine if AWAY <= minute(e.time) < BACK]
    row.must(late and all(minute(e.arrived) == BACK for e in late), "not said as of")
    row.must(newest_first or [e.time for e in mine] == sorted(e.time for e in mine), "not in the order of its own times")
    stale = {e.site for e in machine.events if e.kind == "fresh" and e.fresh == "stale"}
    row.must(stale == {"gauge-0"}, f"silent: {stale}")
    row.lost += len(set(machine.words()) & {"old", "future"})


def minute(t: int) -> int:
    return (t - tools.T0) // tools.MINUTE


def levels(events: Any, which: Any) -> list[str]:
    """Detectors' level changes of some sites."""
    return [tools.told(replace(e, offset=-1)) for e in events if e.kind == "level" and e.site and which(e.site)]


def mine_only(events: Any) -> list[Any]:
    return list({e.id: e for e in events if e.site == "gauge-0" and e.kind == "level"}.values())


def final(events: Any) -> list[tuple[Any, ...]]:
    """Its own changes without their arrival; a rewind numbers what it finds in its own order."""
    return [(e.time, e.before, e.to, e.value, e.onset) for e in mine_only(events)]
