"""Sums over an area: the same however its sites are spread over partitions, in whatever order readings and parts come."""
from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import Area, City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block, Part

S = 1_000_000
STEP = 300 * S
SITES = tuple(f"s{n}" for n in range(8))
AREAS = {"basin:north": SITES[:5], "basin:south": SITES[5:]}


def city(kind: str = "sum", coverage: float = 0.8, lateness: float = 1800.0) -> City:
    """Rain of a while at eight sites, and of both areas."""
    rain = Indicator("rain", "p", Text("雨"), "mm", SITES, silent=900.0, lateness=lateness, decimals=1,
                     checks=(Use("range", {"fail": (0.0, 50.0)}),))
    some = replace(rain, id="some", checks=(), derive=Derive(Use("sum", {"over": 900.0}), ("rain",), coverage=0.0))
    whole = replace(rain, id="whole", sites=tuple(AREAS), checks=(), lateness=max(lateness, 300.0),
                    derive=Derive(Use(kind), ("some",), coverage, guests=AREAS, tree="basin"))
    wet = Detector("wet", "p", "whole", Use("threshold"), (Limit(1, 20.0), Limit(3, 60.0, hold=600.0), Limit(4, 90.0)))
    return City((Pack("p", Text("p"), (rain, some, whole), (wet,)),), {
        s: Site(s, Text(s), areas={"basin": "north" if s in SITES[:5] else "south"}) for s in SITES},
        (Area("basin", "north", Text("n"), depth="reach"), Area("basin", "south", Text("s"), depth="reach")))


class Chain:
    """Judges of several partitions, and combine over what they say; each minute a tick of each."""

    def __init__(self, plan: Plan, partitions: int) -> None:
        self.plan, self.partitions = plan, partitions
        self.states = [State(plan, [s for s in SITES if int(s[1]) % partitions == p]) for p in range(partitions)]
        self.board = Board(plan, lambda site: int(site[1]) % partitions if site in SITES else 0)
        self.events: list[Change] = []

    def run(self, told: list[tuple[str, int, float]], came: list[int], until: int = 40 * STEP) -> list[Change]:
        now = 0
        for row, at in zip(told, came, strict=True):
            while now + 60 * S <= at:
                now += 60 * S
                self.tick(now)
            p = int(row[0][-1]) % self.partitions
            self.say(p, judge(self.plan, self.states[p], Block.of([row], at)))
        while now < until:
            now += 60 * S
            self.tick(now)
        return self.events

    def say(self, p: int, changes: list[Change]) -> None:
        for change in changes:
            self.events += self.board.change(change)
        for _, part in self.states[p].told_parts():
            self.events += self.board.summed(replace(part, partition=p))

    def tick(self, now: int) -> None:
        for p, state in enumerate(self.states):
            self.say(p, tick(self.plan, state, now))
            self.events += self.board.tick(p, now)


def final(events: list[Change]) -> set[tuple[object, ...]]:
    last: dict[str, Change] = {}
    for c in events:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.detector, c.site, c.area, c.onset, c.before, c.to, c.value, c.time) for c in last.values() if not c.withdrawn}


def rows(seed: int, n: int = 12) -> list[tuple[str, int, float]]:
    r = random.Random(seed)
    return [(f"rain@{s}", i * STEP, r.choice((0.0, 0.1, 0.3, 2.7, 9.9, 99.0))) for i in range(n) for s in SITES]


@pytest.mark.parametrize("kind", ["sum", "mean", "max", "min", "count"])
def test_one_and_four_partitions_say_the_same(kind: str) -> None:
    """Final events are equal to the last bit, and they are of the area."""
    plan, told = Plan(city(kind)), rows(3)
    came = [t for _, t, _ in told]
    one, four = (Chain(plan, n).run(told, came) for n in (1, 4))
    assert final(one) == final(four)
    areas = {(c.site, c.area) for c in one if c.detector}
    assert areas <= {("", "basin:north"), ("", "basin:south")} and (areas or kind in ("min", "count", "mean", "max"))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), partitions=st.sampled_from([1, 2, 4]))
def test_late_readings_change_nothing_in_the_end(seed: int, partitions: int) -> None:
    """Shuffled and repeated within the lateness: the same final events as in order in one partition."""
    plan, told, r = Plan(city()), rows(seed), random.Random(seed)
    came = [t + r.choice((0, 0, STEP, 3 * STEP)) for _, t, _ in told]
    mixed = sorted([*zip(came, told, strict=True), *((at + 60 * S, row) for at, row in zip(came, told, strict=True) if r.random() < 0.2)],
                   key=lambda pair: pair[0])
    straight = Chain(plan, 1).run(told, [t for _, t, _ in told])
    assert final(straight)
    assert final(straight) == final(Chain(plan, partitions).run([row for _, row in mixed], [at for at, _ in mixed]))


def test_enough_sites_are_enough_and_the_rest_revises() -> None:
    """Told with four of five sites, marked so; the fifth revises it; with three nothing is told."""
    board = Board(Plan(city(coverage=0.8)))
    board.tick(0, S)
    assert not board.summed(Part(0, "whole@basin:north", 0, 300_000.0, 3, 3))
    first = [c for c in board.summed(Part(1, "whole@basin:north", 0, 100_000.0, 1, 2)) if c.kind == "level"]
    assert [(c.area, c.value, c.to, c.check, c.revision) for c in first] == [("basin:north", 40.0, 1, "partial 4/5", 0)]
    again = [c for c in board.summed(Part(1, "whole@basin:north", 0, 200_000.0, 2, 2)) if c.kind == "level"]
    assert [(c.value, c.revision, c.check, c.id) for c in again] == [(50.0, 1, "", first[0].id)]
    assert not board.summed(Part(1, "whole@basin:north", 0, 200_000.0, 2, 2))       # a judge that starts again says it again


def test_what_is_known_survives_a_snapshot_and_a_plan() -> None:
    """Parts, levels and holds go on; under a plan without the series what was open is retired."""
    plan = Plan(city())
    board = Board(plan)
    board.tick(0, 0)
    board.summed(Part(0, "whole@basin:south", 0, 700_000.0, 3, 3))
    again = Board(plan)
    again.load(board.dump())
    for b in (board, again):
        said = [c for now in (60 * S, 700 * S) for c in b.tick(0, now) if c.kind == "level"]
        assert [(c.to, c.area, c.time) for c in said] == [(3, "basin:south", 600 * S)]
    assert again.dump() == board.dump()
    pack = plan.city.packs[0]
    _, changes = board.move(Plan(replace(plan.city, packs=(replace(pack, indicators=pack.indicators[:2], detectors=()),))))
    assert [(c.kind, c.detector, c.to) for c in changes] == [("retired", "p/wet", 3)]


def test_more_partitions_count_no_site_twice() -> None:
    """After a growth a partition has fewer sites of an area: what it said before is forgotten, not added to what its heirs say."""
    board = Board(Plan(city()))
    board.tick(0, 0)
    assert [c.value for c in board.summed(Part(0, "whole@basin:north", 0, 500_000.0, 5, 5)) if c.kind == "level"] == [50.0]
    assert not board.summed(Part(1, "whole@basin:north", 300 * S, 200_000.0, 2, 2))
    assert not board.summed(Part(0, "whole@basin:north", 300 * S, 100_000.0, 3, 3))     # its two sites are in partition 1 now
    assert [c.value for c in board.summed(Part(1, "whole@basin:north", 600 * S, 950_000.0, 2, 2)) if c.kind == "level"] == []
    assert [c.value for c in board.summed(Part(0, "whole@basin:north", 600 * S, 50_000.0, 3, 3)) if c.kind == "level"] == [100.0]
