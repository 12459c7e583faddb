"""Cities and readings that exercise nothing but judging: in order, never silent, far from every limit."""
from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from detectors import program
from detectors.judge import State, judge
from detectors.kernel import Rows
from detectors.pack import City, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block
from detectors.registry import load
from detectors.step import params
from streams import clock
from streams.errors import WanglouError

EVERY = 300.0
START = 1_781_000_000_000_000           # µs UTC, 2026
FIVE = ("threshold", "ewma", "rate", "run", "expr")
"""The five detectors of the usual plan: the cheap ones, so that what stands around them shows."""
_CODE = program.encode(("/", ("name", "x"), ("num", 10.0)), {"x": program.X})
_BY_UNIT: dict[str, Any] = {"time": 3600.0, "value": 0.5, "value/time": 0.001, "count": 4.0, "": 1.0, "code": _CODE, "date": 1e9}
_FAR = tuple(Limit(level, 1e6 * level) for level in (1, 2, 3, 4))


def use(kind: str) -> Use:
    """A kind with what it must be given, by unit; the rest are its defaults."""
    needed = [p for p in params(load("kinds")[kind]) if p.default is None or (p.size == 1 and isnan(p.default))]
    return Use(kind, {p.name: _BY_UNIT[p.unit] for p in needed})


def checks() -> tuple[Use, ...]:
    """Two checks that find nothing."""
    return Use("range", {"fail": (-1e4, 1e4), "suspect": (-1e3, 1e3)}), Use("rate", {"suspect": 1e3, "fail": 1e4})


def city(kinds: Sequence[str], series: int = 1000, checked: bool = False, lateness: float = 0.0, every: float = EVERY,
         limits: tuple[Limit, ...] = _FAR, more: tuple[tuple[Indicator, Detector], ...] = ()) -> City:
    """One indicator `level` at `series` sites, with these detectors. `limits` are those of `threshold`."""
    sites = tuple(f"s{n:05}" for n in range(series))
    level = Indicator("level", "bench", Text("水位"), "m", sites, every, lateness=lateness, checks=checks() if checked else ())
    found = [Detector(kind, "bench", "level", use(kind), limits if kind == "threshold" else _FAR) for kind in kinds]
    every_site = [*sites, *(s for i, _ in more for s in i.sites)]
    pack = Pack("bench", Text("测"), (level, *(i for i, _ in more)), (*found, *(d for _, d in more)))
    return City((pack,), {s: Site(s, Text(s)) for s in every_site})


class Readings:
    """An endless, even stream: every series once in `every` seconds, always in the same shuffled order."""

    def __init__(self, series: Sequence[str], every: float = EVERY, seed: int = 1) -> None:
        random = np.random.default_rng(seed)
        self.names = [series[i] for i in random.permutation(len(series))]
        self.noise = np.round(20.0 + 0.3 * random.standard_normal(9973), 2)
        self.gap = every * 1e6 / len(series)
        self.at = 0

    def block(self, size: int) -> Block:
        """The next `size` readings, which arrive together."""
        n, place = len(self.names), np.arange(self.at, self.at + size)
        self.at += size
        if size < n:
            names, index = tuple(self.names[i] for i in (place % n).tolist()), np.arange(size, dtype=np.int32)
        else:
            names, index = tuple(self.names), (place % n).astype(np.int32)
        t = (START + place * self.gap).astype(np.int64)
        return Block(names, index, t, self.noise[place % len(self.noise)], np.zeros(size, np.uint8),
                     np.full(size, t[-1]), ("bench",), np.zeros(size, np.uint8))


def rate(plan: Plan, state: State, readings: Readings, size: int, seconds: float) -> float:
    """Readings per CPU second through `judge` in blocks of `size`, over about `seconds` of it.

    WanglouError when there are so many changes that they, and not judging, would be measured.
    """
    done, changes, spent = 0, 0, 0.0
    while spent < seconds:
        blocks = [readings.block(size) for _ in range(max(1, 1000 // size))]
        begun = clock.cpu()
        for block in blocks:
            changes += len(judge(plan, state, block))
        spent += clock.cpu() - begun
        done += size * len(blocks)
    if changes > done / 1000:
        raise WanglouError(f"{changes} changes in {done} readings: this is no longer a benchmark of judging")
    return done / spent


def warmed(plan: Plan, readings: Readings, rounds: int = 25) -> State:
    """A state in which every series has spoken and every kind has had its first readings."""
    state = State(plan)
    for table in state.tables:
        for d, piece in enumerate(table.group.kinds):
            if hasattr(piece.algorithm, "example"):         # says nothing before it was fitted
                told, kept = Rows(table.parameters[len(table.group.checks) + d]), Rows(table.live.kinds[d])
                for row in range(len(table.sites)):
                    piece.algorithm.example(told[row], kept[row], START / 1e6)
                kept.save()
    for _ in range(rounds):
        judge(plan, state, readings.block(len(readings.names)))
    return state
