"""Any shuffle, repeat and delay within lateness gives the same final events; no warning is later than its evidence's arrival."""
from __future__ import annotations

from random import Random
from typing import Any

NAME, BROKER = "any shuffle, repeat and delay (Hypothesis)", False
tools = __import__("sys").modules["wanglou_drills_tools"]
LATENESS = 30                           # minutes


def essence(events: Any) -> list[tuple[Any, ...]]:
    """What must not depend on the order of arrival (design 9.14)."""
    from streams.replay.offline import final

    once = {(e.kind, e.id, e.revision, e.withdrawn): e for e in events}
    return sorted((e.detector, e.site, e.onset or 0, e.before, e.to, e.time, e.value) for e in final(once.values())
                  if e.kind == "level" and e.detector)


def drill(ground: Any, short: bool, row: Any) -> None:
    """Two gauges, forty minutes, values around the limits; half of the runs are killed on the way."""
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    machines, city = tools.here("machine"), tools.river(2, lateness=LATENESS * 60.0, silent=1e9, hold=240.0)
    heights = st.sampled_from([20.0, 24.5, 25.0, 26.0, 27.0, 28.0, 30.0, 31.0, 3.0, 99.0])
    series = st.lists(heights, min_size=8, max_size=40)
    many = 25 if short else 1500

    def play(arrivals: list[tuple[int, str, int, float]], chance: Random | None) -> Any:
        machine = machines.Machine(city, 1, chance, 0.02)
        for arrived, name, t, x in arrivals:
            machine.take([(name, t, x)], arrived)
        machine.tick(tools.T0 + 600 * tools.MINUTE)
        return machine

    @settings(max_examples=many, deadline=None, database=None, derandomize=short, suppress_health_check=list(HealthCheck))
    @given(st.tuples(series, series), st.randoms(use_true_random=False), st.booleans())
    def holds(heights: Any, rng: Random, kills: bool) -> None:
        rows = [(f"level@gauge-{k}", tools.T0 + n * tools.MINUTE, x) for k, xs in enumerate(heights) for n, x in enumerate(xs)]
        plain = play(sorted((t, name, t, x) for name, t, x in rows), None)
        late = [(t + rng.randrange(LATENESS * tools.MINUTE) * rng.randrange(2), name, t, x) for name, t, x in rows]
        late += [(t + rng.randrange(LATENESS * tools.MINUTE), name, t, x) for name, t, x in rng.sample(rows, len(rows) // 4)]
        machine = play(sorted(late), Random(rng.randrange(1 << 30)) if kills else None)
        row.runs, row.readings = row.runs + 1, row.readings + machine.readings
        ours, theirs = essence(machine.events), essence(plain.events)
        assert ours == theirs, (set(theirs) ^ set(ours), sorted(late))
        came: dict[tuple[str, int], int] = {}
        for arrived, name, t, _ in sorted(late):
            came.setdefault((name, t), arrived)
        for e in machine.events:
            if e.kind == "level" and e.detector and not e.withdrawn and not e.revision:
                evidence = max((a for (name, t), a in came.items() if name == f"{e.indicator}@{e.site}" and t <= e.time
                                and a <= e.arrived), default=None)
                assert evidence is not None
                at = came.get((f"{e.indicator}@{e.site}", e.time))
                assert at is None or e.arrived in {a for a, *_ in late} or e.arrived <= at, (e, at)

    try:
        holds()
    except AssertionError as error:
        row.events += 1
        row.faults.append(str(error)[:1500])
