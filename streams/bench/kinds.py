"""Judging alone, by kind and by block: thousand readings per CPU second, compiled and interpreted."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from detectors.judge import State
from detectors.plan import Plan
from detectors.registry import load
from streams.bench.tools.cities import Readings, city, rate, warmed
from streams.bench.tools.frame import Bench, Figure, middle, thousands

__all__ = ["kinds"]

SIZES = (1, 10, 100, 1000, 4096)


def kinds(bench: Bench) -> Iterator[Figure]:
    """Every kind of the registry with plain parameters, 1000 series, no check."""
    seconds = 0.02 if bench.quick else 0.12
    every = sorted(load("kinds"))
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(bench.rounds):
        for kind in every:
            plan = Plan(city([kind]))
            readings = Readings(list(plan.series))
            state = warmed(plan, readings)
            for size in SIZES:
                found[kind, size].append(rate(plan, state, readings, size, seconds))
            plain = State(plan, compiled=False)
            plain.load(state.dump())
            plain.now = state.now
            found[kind, 0].append(rate(plan, plain, readings, 1000, seconds))
    for kind in every:
        at = {size: middle(found[kind, size]) for size in SIZES}
        times = middle([a / b for a, b in zip(found[kind, 1000], found[kind, 0], strict=True)])
        yield Figure(f"judge {kind}", "  ".join(f"{size}: {thousands(at[size]):>6}" for size in SIZES)
                     + f"  k readings/s of CPU by block; compiled ÷ interpreted at 1000: {times:.0f}",
                     {**{f"rate_{size}": value for size, value in at.items()}, "compiled_to_interpreted": times})
