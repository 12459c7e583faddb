"""Readings of other sites: the same wherever they are judged, in whatever order they come, and never a level of their own."""
from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import GUEST, Block
from detectors.targets import named

S = 1_000_000
STEP = 300 * S
LATE = 1800.0
SITES = ("up", "mid", "down")


def city(lateness: float = LATE) -> City:
    """Three gauges on a river: what is upstream, how much higher it is than here, and the median of the others."""
    level = Indicator("level", "p", Text("水位"), "m", SITES, silent=900.0, lateness=lateness,
                      checks=(Use("range", {"fail": (0.0, 60.0)}), Use("missing")))
    def made(id: str, sites: tuple[str, ...], derive: Derive) -> Indicator:
        return replace(level, id=id, sites=sites, derive=derive, checks=level.checks if derive.use.kind == "of" else ())

    above = made("above", ("mid", "down"), Derive(Use("of"), ("level",), guests={"mid": ("up",), "down": ("mid",)}))
    rise = made("rise", ("mid", "down"), Derive(Use("max", {"over": 900.0}), ("above",), coverage=0.0))
    drop = made("drop", ("mid", "down"), Derive(Use("difference"), ("above", "level")))
    near = made("near", SITES, Derive(Use("neighbours"), ("level",), coverage=0.5,
                                      guests={s: tuple(o for o in SITES if o != s) for s in SITES}))
    limits = (Limit(2, 30.0), Limit(4, 40.0, hold=600.0))
    detectors = tuple(Detector(f"d-{i}", "p", i, Use("threshold"), limits) for i in ("level", "above", "rise", "near"))
    detectors += (Detector("d-drop", "p", "drop", Use("threshold"), (Limit(1, 5.0), Limit(3, 12.0))),)
    return City((Pack("p", Text("p"), (level, above, rise, drop, near), detectors),), {s: Site(s, Text(s)) for s in SITES})


def rows(seed: int, n: int = 12) -> list[tuple[str, int, float]]:
    r = random.Random(seed)
    return [(f"level@{s}", i * STEP, r.choice((20.0, 28.0, 31.0, 35.0, 41.0, 99.0, 44.0))) for i in range(n) for s in SITES]


def final(changes: list[Change]) -> set[tuple[object, ...]]:
    last: dict[str, Change] = {}
    for c in changes:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.detector, c.site, c.onset, c.before, c.to, c.value, c.time) for c in last.values() if not c.withdrawn}


def whole(plan: Plan, told: list[tuple[str, int, float]], came: list[int], compiled: bool = True) -> list[Change]:
    """One process that holds all sites."""
    state, out = State(plan, compiled=compiled), list[Change]()
    for row, at in zip(told, came, strict=True):
        out += judge(plan, state, Block.of([row], at))
    return out + tick(plan, state, 40 * STEP)


def halves(plan: Plan, told: list[tuple[str, int, float]], came: list[int], parts: tuple[tuple[str, ...], ...]) -> list[Change]:
    """Several partitions; each gets its own readings, and as guests those that its sites name."""
    guests, out = named(plan.indicators.values()), list[Change]()
    for mine in parts:
        state = State(plan, mine)
        for row, at in zip(told, came, strict=True):
            site, block = row[0].partition("@")[2], Block.of([row], at)
            if site not in mine:
                if not set(guests.get(row[0], ())) & set(mine):
                    continue
                block.flag[:] = GUEST
            out += judge(plan, state, block)
            assert site in mine or state.named == ["guest"]
        out += tick(plan, state, 40 * STEP)
    return out


def test_what_is_upstream_warns_here_and_only_once_there() -> None:
    """A foreign reading moves the series that names it; its own level is said by its own site's partition alone."""
    plan = Plan(city())
    told = [("level@up", 0, 31.0), ("level@mid", 0, 20.0)]
    got = {(c.detector, c.site) for c in halves(plan, told, [0, 0], (("up",), ("mid", "down"))) if c.kind == "level"}
    assert {("p/d-level", "up"), ("p/d-above", "mid"), ("p/d-drop", "mid")} <= got
    assert ("p/d-level", "mid") not in got and len([1 for c in got if c == ("p/d-level", "up")]) == 1


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), parts=st.sampled_from([(("up",), ("mid", "down")), (("up", "mid"), ("down",)),
                                                          (("up",), ("mid",), ("down",))]))
def test_partitions_with_guests_say_what_one_process_says(seed: int, parts: tuple[tuple[str, ...], ...]) -> None:
    """The same changes, to the id, however the sites are spread; bad readings (99 m fails its check) included."""
    plan, told = Plan(city()), rows(seed)
    came = [t for _, t, _ in told]
    def ids(changes: list[Change]) -> list[str]:
        return sorted(f"{c.detector} {c.site} {c.kind} {c.id} {c.revision} {c.withdrawn} {c.fresh} {c.value} {c.time}" for c in changes)

    assert ids(whole(plan, told, came)) == ids(halves(plan, told, came, parts))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_late_and_repeated_guests_change_nothing_in_the_end(seed: int) -> None:
    """Shuffled and repeated within the lateness: the same final events as in order."""
    plan, told, r = Plan(city()), rows(seed), random.Random(seed)
    came = [t + r.choice((0, 0, STEP, 3 * STEP)) for _, t, _ in told]
    mixed = sorted([*zip(came, told, strict=True), *((at + 60 * S, row) for at, row in zip(came, told, strict=True) if r.random() < 0.2)],
                   key=lambda pair: pair[0])
    straight = whole(plan, told, [t for _, t, _ in told])
    assert straight and final(straight) == final(halves(plan, [row for _, row in mixed], [at for at, _ in mixed],
                                                        (("up", "down"), ("mid",))))


def test_interpreted_gives_the_same() -> None:
    """Compiled or not."""
    plan, told = Plan(city()), rows(5)
    came = [t for _, t, _ in told]
    assert [c.id for c in whole(plan, told, came)] == [c.id for c in whole(plan, told, came, compiled=False)]


def test_guests_survive_a_snapshot_and_a_plan_that_drops_them() -> None:
    """Their state lies in the rows of the site that names them; under a plan without them it is gone and what was open is retired."""
    plan = Plan(city())
    state, again = State(plan, ("mid",)), State(plan, ("mid",))
    block = Block.of([("level@up", 0, 31.0), ("level@up", STEP, 32.0)], STEP)
    block.flag[:] = GUEST
    assert [c.to for c in judge(plan, state, block) if c.kind == "level"] == [2, 2]     # above, and the most of a while
    again.load(state.dump())
    block = Block.of([("level@up", 2 * STEP, 20.0)])
    block.flag[:] = GUEST
    assert {(c.detector, c.to) for c in judge(plan, again, block) if c.kind == "level"} >= {("p/d-above", 0)}
    pack = plan.city.packs[0]
    less = replace(plan.city, packs=(replace(pack, indicators=pack.indicators[:1], detectors=pack.detectors[:1]),))
    moved, changes = again.move(Plan(less))
    assert not moved.guests and {c.detector for c in changes} == {"p/d-rise", "p/d-near"}


@pytest.mark.parametrize("site", SITES)
def test_a_series_made_of_guests_is_as_fresh_as_they_are(site: str) -> None:
    """What is upstream has fallen silent: what is made of it cannot be believed; of several, half must be there."""
    plan = Plan(city())
    board = Board(plan)
    for s in SITES:
        board.change(Change(kind="fresh", time=0, arrived=0, site=s, indicator="level", pack="p", id=s,
                            fresh="stale" if s == "up" else "fresh"))
    fresh = board.contact.fresh
    assert not fresh("above@mid") and fresh("above@down")
    assert fresh(f"near@{site}")
