"""200 000 sites under three detectors: what a plan, a start, a snapshot and a tick cost, and that silent series cost nothing."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from streams.bench.tools.frame import Bench, Figure
from streams.bench.tools.many import Many, write_configs
from streams.worker.app import tune

__all__ = ["scale"]

SITES, QUICK = 200_000, 20_000


def scale(bench: Bench) -> Iterator[Figure]:
    """All in one process of its own, without Kafka: four partitions of a judge, and a board; then the same with a tenth."""
    sites = QUICK if bench.quick else SITES
    found, tenth = (_apart(measure, n, bench.work / f"scale-{n}") for n in (sites, sites // 10))
    yield _figure(f"plan of {sites} sites", found, "{check:.1f} s of CPU to check, {bytes:.0f} MB, {decode:.0f} ms to read back, "
                  "{plan:.0f} ms to a plan")
    yield _figure("memory of it", found, "{city_mb:.0f} MB the plan, {state_mb:.0f} MB the states of four partitions: "
                  "{row:.0f} floats a series")
    yield _figure("start, nothing heard yet", found, "{begin:.0f} ms of CPU")
    yield _figure("first contact of all", found, "{first:.1f} µs a reading, with what it says to levels")
    yield _figure("snapshot of all", found, "judging waits {hold:.1f} ms a partition, {write:.1f} s of CPU in a thread, "
                  "{mb:.0f} MB")
    yield _figure("snapshot of 1 %", found, "judging waits {hold_1:.1f} ms a partition, {write_1:.0f} ms of CPU, {mb_1:.1f} MB")
    yield _figure("judging held up by a snapshot", found, "{stall:.0f} ms at most while all of a partition is written beside it")
    yield _figure("recovery", found, "{recover:.1f} s of CPU to open and load four partitions")
    yield _figure("tick", found, "{tick:.1f} ms over all series, nothing pending; {idle:.3f} ms when nothing can be due")
    yield _figure("blocks", found, "one reading {one:.0f} µs, 4096: {many:.0f} k readings/s of CPU")
    yield _figure("combine", found, "{fall:.0f} µs a series that falls silent, {rise:.0f} µs one that is back, "
                  "{look:.1f} ms to look at all areas, a snapshot waits {board:.0f} ms (all told of), {few:.0f} ms (1 %)")
    ratio = found["beat"] / tenth["beat"]
    yield Figure("silent series: ten times as many", f"{ratio:.2f} × the CPU for the same readings, ticks and snapshots "
                 f"({found['beat']:.0f} and {tenth['beat']:.0f} ms)", {"ratio": ratio})


def _figure(name: str, found: dict[str, float], words: str) -> Figure:
    named = [part.partition(":")[0] for part in words.replace("}", "{").split("{")[1::2]]
    return Figure(name, words.format(**found), {key: found[key] for key in named})


def _apart(work: Callable[..., dict[str, float]], *given: Any) -> dict[str, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        return fresh.submit(work, *given).result()


def measure(sites: int, folder: Path) -> dict[str, float]:
    """Every figure, ms unless its words say otherwise."""
    tune()
    folder.mkdir(parents=True)
    found: dict[str, float] = {}
    write_configs(folder / "configs", sites)
    many = Many(folder, sites, found)
    many.load()
    many.begin()
    many.first_contact()
    many.snapshots()
    many.recover()
    many.ticks()
    many.blocks()
    many.beats()
    many.combine()
    return found

