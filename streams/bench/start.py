"""How long a process takes until it works: the judge with kernels from the disk and without, and the check of configs."""
from __future__ import annotations

import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from detectors.pack import City, Limit
from detectors.reading import Block
from streams import clock
from streams.bench.tools.cities import FIVE, START, city
from streams.bench.tools.frame import Bench, Figure, middle
from streams.bench.tools.stage import cpu_of, product
from streams.packs import find_configs

__all__ = ["start"]


def start(bench: Bench) -> Iterator[Figure]:
    """The first start compiles into an empty folder of kernels, the others load from it."""
    yield from _check(bench)
    cold = _judge(bench, "cold")
    warm = [_judge(bench, f"warm{n}") for n in range(bench.rounds)]
    wall, cpu = (middle([one[k] for one in warm]) for k in (0, 1))
    yield Figure("start of judge, kernels on disk", f"{wall:.1f} s to the first level in the log, {cpu:.1f} s of CPU",
                 {"seconds": wall, "cpu": cpu})
    yield Figure("start of judge, no kernels", f"{cold[0]:.1f} s, {cold[1]:.1f} s of CPU: {cold[1] / cpu:.1f} × as much",
                 {"seconds": cold[0], "cpu": cold[1], "ratio": cold[1] / cpu})


def _check(bench: Bench) -> Iterator[Figure]:
    found: dict[str, list[float]] = defaultdict(list)
    folder = str(find_configs(None))
    for _ in range(bench.rounds):
        begun, before = clock.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "streams", "check", "--configs", folder], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found["wall"].append(clock.monotonic() - begun)
        found["cpu"].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    wall, cpu = middle(found["wall"]), middle(found["cpu"])
    yield Figure("wanglou check (the shipped configs)", f"{wall:.1f} s, {cpu:.1f} s of CPU", {"seconds": wall, "cpu": cpu})


def _city(quick: bool) -> City:
    """The usual plan (or, to be quick, one threshold), with a limit that the one reading crosses."""
    return city(("threshold",) if quick else FIVE, checked=not quick, limits=(Limit(1, 10.0),))


def _judge(bench: Bench, name: str) -> tuple[float, float]:
    """Wall and CPU seconds from the start of the process to the change that the first reading makes."""
    at = np.array([START])
    block = Block(("level@s00000",), np.zeros(1, np.int32), at, np.array([20.0]), np.zeros(1, np.uint8), at, ("bench",),
                  np.zeros(1, np.uint8))
    with product(bench, _city(bench.quick), name, 1, NUMBA_CACHE_DIR=str(bench.work / "kernels")) as made:
        made.fill([(0, block)])
        watch = made.watch("levels")
        try:
            begun = clock.monotonic()
            process = made.start("judge", "judge")
            made.until(lambda: any(c.kind == "level" for c in watch.changes()), "the first level")
            return clock.monotonic() - begun, cpu_of(process.pid)
        finally:
            watch.close()
