"""What 10 000 series weigh."""
from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from detectors.judge import State, judge
from detectors.plan import Plan
from streams.bench.tools.cities import FIVE, Readings, city
from streams.bench.tools.frame import Bench, Figure

__all__ = ["memory"]

SERIES = 10_000


def memory(bench: Bench) -> Iterator[Figure]:
    """How a process grows by a state of 10 000 series of the usual plan, each of which has spoken twice."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for lateness, words in ((0.0, "memory, 2 checks + 5 detectors"), (1800.0, "memory, the same, 30 min late")):
            grown, floats = fresh.submit(measure, lateness).result()
            times = grown * 1e6 / (SERIES * floats * 8)
            yield Figure(words, f"{grown:.1f} MB by 10 000 series, {floats} floats a row: {times:.2f} × the bare numbers",
                         {"mb_by_10000": grown, "floats": floats})


def measure(lateness: float) -> tuple[float, int]:
    """MB by which this process grows, and float64 numbers a row."""
    small = Plan(city(FIVE, 1, checked=True, lateness=lateness))            # the kernels are loaded before
    judge(small, State(small), Readings(list(small.series)).block(1))
    plan = Plan(city(FIVE, SERIES, checked=True, lateness=lateness))
    readings = Readings(list(plan.series))
    blocks = [readings.block(SERIES) for _ in range(2)]
    gc.collect()
    before = resident()
    state = State(plan)
    for block in blocks:
        judge(plan, state, block)
    gc.collect()
    return (resident() - before) / 1e6, plan.row_floats["level"]


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
