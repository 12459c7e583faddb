"""A red gauge falls silent at its peak: it stays red and is said to be stale, its ladder goes on to the end, nothing clears it."""
from __future__ import annotations

from random import Random
from typing import Any

NAME, BROKER = "red gauge silent at its peak", False
tools = __import__("sys").modules["wanglou_drills_tools"]


def story(machine: Any, desk: Any) -> None:
    """Two hours: gauge-0 rises to red in 20 minutes and is never heard again; the others stay low."""
    for n in range(120):
        now = tools.T0 + n * tools.MINUTE
        before = len(machine.events)
        rows = [(f"level@gauge-{k}", now, 26.0 + n * 0.3 if k == 0 else 20.0 + k * 0.1) for k in range(24) if k or n < 20]
        machine.take(rows, now)
        machine.source("feed", now)
        machine.tick(now + 1)
        desk.take(machine.events[before:], now + 1)
        desk.walk(now + 2)


def drill(ground: Any, short: bool, row: Any) -> None:
    """With judge and combine killed everywhere, against a run without."""
    machines = tools.here("machine")
    city = tools.river()
    wanted, runs = None, 3 if short else 20
    for seed in range(runs + 1):
        machine = machines.Machine(city, chance=Random(seed) if seed else None)
        desk = tools.Desk(city, ground.home())
        story(machine, desk)
        calls = sorted((c.alert, c.post, c.n, c.run, c.created) for c in desk.calls())
        if wanted is None:
            wanted, wanted_calls = list(machine.events), calls
        else:
            row.runs, row.readings = row.runs + 1, row.readings + machine.readings
            row.events += tools.wrong(machine.events, wanted)
            row.calls += len(set(calls) ^ set(wanted_calls)) + len(calls) - len(set(calls))
        level, fresh = machine.levels()["level@gauge-0", "river/stage"]
        row.must((level, fresh) == (4, "stale"), f"the gauge is {level}, {fresh}")
        stale = [e for e in machine.events if e.kind == "fresh" and e.site == "gauge-0" and e.fresh == "stale"]
        row.must({e.time for e in stale} == {tools.T0 + 19 * tools.MINUTE + 900 * tools.SECOND}, "not silent when it was due")
        row.must(not [e for e in machine.events if e.site == "gauge-0" and e.kind == "level" and e.to < e.before], "it was cleared")
        alert = next(a for a in desk.alerts() if a.site == "gauge-0")
        row.must(alert.open and alert.level == 4 and alert.silent_since == tools.T0 + 19 * tools.MINUTE,
                 f"the alert: {alert.level}, silent since {alert.silent_since}")
        called = [c.post for c in desk.calls() if c.alert == alert.id and c.run == alert.run]
        row.must(called == ["first", "second", "third"] and alert.state == "overdue", f"its ladder: {called}, {alert.state}")
        desk.close()
    row.note = "kills included; the second and third post are called after it fell silent"
