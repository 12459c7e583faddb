"""Blocks through `wanglou judge`, on a real Kafka, over a bare aiokafka loop with the same judge: readings per CPU second."""
from __future__ import annotations

import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from detectors.pack import City, Detector, Indicator, Limit, Text, Use
from detectors.plan import Plan
from detectors.reading import Block
from streams.bench.tools.cities import FIVE, START, Readings, city
from streams.bench.tools.frame import Bench, Figure, middle, thousands
from streams.bench.tools.stage import Product, Watch, cpu_of, product
from streams.shards import partition

__all__ = ["blocks"]

PARTITIONS = 4
AMOUNT = {100: 600_000, 500: 1_600_000, 4096: 3_200_000}
QUICK = {100: 40_000, 4096: 400_000}
MARKS = tuple(next(f"m{n}" for n in range(10_000) if partition(f"m{n}", PARTITIONS) == p) for p in range(PARTITIONS))
"""A site in each partition whose readings come last: their changes are seen from outside."""


def marked() -> City:
    """The usual plan for 2000 series, and a mark in each partition."""
    mark = Indicator("mark", "bench", Text("标"), "", MARKS)
    return city(FIVE, 2000, checked=True, more=((mark, Detector("mark", "bench", "mark", Use("threshold"), (Limit(1, 0.5),))),))


def blocks(bench: Bench) -> Iterator[Figure]:
    """Both are started, work off a first few readings and are stopped (SIGSTOP); the log is filled; then one is let go until
    its last mark is seen, then the other. So neither its start nor the filling is measured, but every fetch is.
    """
    amounts = QUICK if bench.quick else AMOUNT
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    with product(bench, marked(), "blocks", PARTITIONS, WANGLOU_TICKS="log", WANGLOU_SESSION_TIMEOUT="60") as made:
        log = Log()
        made.fill(log.first())
        processes = {what: _stopped(made, what) for what in ("bare", "judge")}
        for _ in range(bench.rounds):
            for size, amount in amounts.items():
                made.fill(log.more(size, amount))
                for what, process in processes.items():
                    rates[what, size].append(amount / _cpu(made, process))
    for size in amounts:
        ours, floor = rates["judge", size], rates["bare", size]
        ratios = [a / b for a, b in zip(ours, floor, strict=True)]
        yield Figure(f"blocks of {size}: judge ÷ bare loop",
                     f"{middle(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})  {thousands(middle(ours))} ÷ "
                     f"{thousands(middle(floor))} k readings/s of CPU",
                     {"ratio": middle(ratios), "judge": middle(ours), "bare": middle(floor)})


class Log:
    """What goes into `readings`: even streams for each partition, with a mark at the end of each part."""

    def __init__(self) -> None:
        series: list[list[str]] = [[] for _ in range(PARTITIONS)]
        for name in Plan(marked()).series:
            if not name.startswith("mark@"):
                series[partition(name.partition("@")[2], PARTITIONS)].append(name)
        self.streams = [Readings(names) for names in series]
        self.marks = 0

    def first(self) -> Iterator[tuple[int, Block]]:
        """Every series twice."""
        for p, readings in enumerate(self.streams):
            yield p, readings.block(2 * len(readings.names))
        yield from self.mark()

    def more(self, size: int, amount: int) -> Iterator[tuple[int, Block]]:
        """Blocks of `size`, for each partition in turn."""
        for n in range(amount // size):
            yield n % PARTITIONS, self.streams[n % PARTITIONS].block(size)
        yield from self.mark()

    def mark(self) -> Iterator[tuple[int, Block]]:
        """The mark of each partition goes up, or down again."""
        self.marks += 1
        t, one = np.array([START + self.marks * 1_000_000]), np.zeros(1, np.uint8)
        for p in range(PARTITIONS):
            yield p, Block((f"mark@{MARKS[p]}",), np.zeros(1, np.int32), t, np.array([self.marks % 2.0]), one, t, ("bench",), one)


def _stopped(made: Product, what: str) -> subprocess.Popen[bytes]:
    """A process that has worked off what there is, and sleeps."""
    watch = made.watch("levels")
    process = made.start("judge", "judge") if what == "judge" else made.module(what, "streams.bench.tools.bare")
    _marked(made, watch, what)
    process.send_signal(signal.SIGSTOP)
    return process


def _cpu(made: Product, process: subprocess.Popen[bytes]) -> float:
    """CPU seconds that it takes to work off what there is; it sleeps again afterwards."""
    watch, before = made.watch("levels"), cpu_of(process.pid)
    process.send_signal(signal.SIGCONT)
    _marked(made, watch, "the last reading")
    spent = cpu_of(process.pid) - before
    process.send_signal(signal.SIGSTOP)
    return spent


def _marked(made: Product, watch: Watch, what: str) -> None:
    """Wait until the mark of every partition has moved."""
    seen: set[str] = set()

    def all_seen() -> bool:
        seen.update(c.site for c in watch.changes() if c.indicator == "mark" and c.kind == "level")
        return len(seen) == PARTITIONS

    try:
        made.until(all_seen, what)
    finally:
        watch.close()
