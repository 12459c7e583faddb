"""The usual plan, two checks and five detectors: by block, and what keeping 30 minutes for late readings costs."""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from detectors.plan import Plan
from streams.bench.tools.cities import FIVE, Readings, city, rate, warmed
from streams.bench.tools.frame import Bench, Figure, middle, thousands

__all__ = ["usual"]

SIZES = (1, 10, 100, 1000, 4096)
LATE = 1800.0


def usual(bench: Bench) -> Iterator[Figure]:
    """1000 series; with a lateness every reading also steps the base of rewinds, and goes into a ring."""
    seconds = 0.03 if bench.quick else 0.25
    found: dict[tuple[float, int], list[float]] = defaultdict(list)
    for _ in range(bench.rounds):
        for lateness in (0.0, LATE):
            plan = Plan(city(FIVE, checked=True, lateness=lateness))
            readings = Readings(list(plan.series))
            state = warmed(plan, readings)
            for size in SIZES:
                found[lateness, size].append(rate(plan, state, readings, size, seconds))
    at = {key: middle(values) for key, values in found.items()}
    for lateness, words in ((0.0, "2 checks + 5 detectors"), (LATE, "the same, 30 min late")):
        rates = "  ".join(f"{size}: {thousands(at[lateness, size]):>6}" for size in SIZES)
        yield Figure(words, f"{rates}  k readings/s of CPU by block", {f"rate_{size}": at[lateness, size] for size in SIZES})
    ratio = {size: middle([a / b for a, b in zip(found[LATE, size], found[0.0, size], strict=True)]) for size in SIZES}
    yield Figure("30 min late ÷ no lateness", "  ".join(f"{size}: {ratio[size]:>6.2f}" for size in SIZES),
                 {f"ratio_{size}": value for size, value in ratio.items()})
