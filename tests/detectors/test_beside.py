"""What a check or kind sees of other series of its site: the same in the end, whoever comes first."""
from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import rewind
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block

S = 1_000_000
STEP = 300 * S
SITES = ("a", "b", "c")


def city(lateness: float = 1800.0) -> City:
    """Levels that doubt each other, and whose fast rises the rain of a while explains."""
    rain = Indicator("rain", "p", Text("雨"), "mm", SITES, silent=900.0, lateness=lateness)
    some = replace(rain, id="rain_15min", derive=Derive(Use("sum", {"over": 900.0}), ("rain",), coverage=0.0))
    checks = (Use("rate", {"suspect": 2.0 / 300.0}), Use("confirmed", {"above": 10.0}, beside=("rain_15min",)),
              Use("neighbours", {"suspect": 4.0}, beside=("near",)))
    level = replace(rain, id="level", title=Text("水位"), unit="m", checks=checks)
    near = replace(level, id="near", checks=(), derive=Derive(Use("neighbours"), ("level",), coverage=0.5, guests={
        s: tuple(o for o in SITES if o != s) for s in SITES}))
    high = Detector("high", "p", "level", Use("threshold"), (Limit(1, 28.0), Limit(3, 30.0), Limit(4, 33.0, hold=600.0)), cap=2)
    return City((Pack("p", Text("p"), (rain, some, level, near), (high,)),), {s: Site(s, Text(s)) for s in SITES})


def final(changes: list[Change]) -> set[tuple[object, ...]]:
    last: dict[str, Change] = {}
    for c in changes:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.detector, c.site, c.onset, c.before, c.to, c.value, c.time, c.confidence) for c in last.values() if not c.withdrawn}


def run(plan: Plan, told: list[tuple[str, int, float]], came: list[int], compiled: bool = True, cut: int = -1) -> list[Change]:
    state, out = State(plan, compiled=compiled), list[Change]()
    for n, (row, at) in enumerate(zip(told, came, strict=True)):
        if n == cut:                                    # another process goes on with what was saved
            saved, state = state.dump(), State(plan, compiled=compiled)
            state.load(saved)
        out += judge(plan, state, Block.of([row], at))
    return out + tick(plan, state, 40 * STEP)


def flood(rain: float, others: float = 25.0) -> list[tuple[str, int, float]]:
    """At a the water rises 7 m in ten minutes."""
    rows = []
    for i, x in enumerate((25.0, 25.1, 28.5, 32.0, 32.1, 32.1, 32.0)):
        rows += [("level@a", i * STEP, x), ("rain@a", i * STEP, rain),
                 *((f"level@{s}", i * STEP, 25.0 if i < 2 else others) for s in "bc")]
    return rows


def test_a_fast_rise_is_capped_and_rain_takes_the_cap_off() -> None:
    """Without rain the rise is doubtful and capped; with rain that arrives after the level it is orange, by a revision."""
    plan = Plan(city())
    worst = {}
    for rain in (0.0, 8.0):
        told = sorted(((name, t, x, t + (700 * S if name[0] == "r" else 0)) for name, t, x in flood(rain, 32.0)), key=lambda r: r[3])
        got = [c for c in run(plan, [r[:3] for r in told], [r[3] for r in told]) if c.kind == "level" and c.site == "a"]
        worst[rain] = max((c for c in final(got)), key=lambda c: (c[4], c[6]))[4:]   # type: ignore[arg-type, return-value]
        assert next((c.to, c.confidence) for c in got if c.time == 3 * STEP) == (2, "suspect")
    assert worst == {0.0: (3, 32.1, 4 * STEP, "good"), 8.0: (3, 32.0, 3 * STEP, "good")}


def test_far_from_the_neighbours_is_doubtful() -> None:
    """Rain explains the speed, but the others stand still: the flag keeps the check's name and caps the level."""
    plan = Plan(city())
    told = flood(8.0)
    got = [c for c in run(plan, told, [t for _, t, _ in told]) if c.site == "a" and c.kind == "level"]
    assert {(c.to, c.confidence, c.check) for c in got} >= {(2, "suspect", "neighbours")} and max(c.to for c in got) == 2


def rows(seed: int, n: int = 12) -> list[tuple[str, int, float]]:
    r, out = random.Random(seed), []
    for i in range(n):
        out += [(f"level@{s}", i * STEP, 27.0 + r.choice((0.0, 0.5, 2.0, 4.0, 8.0))) for s in SITES]
        out += [(f"rain@{s}", i * STEP, r.choice((0.0, 1.0, 6.0))) for s in SITES]
    return out


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_order_delay_and_repetition_do_not_matter_in_the_end(seed: int) -> None:
    """Shuffled, delayed within the lateness, repeated: the same final events, flags and checks included."""
    plan, told, r = Plan(city()), rows(seed), random.Random(seed)
    came = [t + r.choice((0, 0, STEP, 3 * STEP, 5 * STEP)) for _, t, _ in told]
    mixed = sorted([*zip(came, told, strict=True), *((at + 60 * S, row) for at, row in zip(came, told, strict=True) if r.random() < 0.2)],
                   key=lambda pair: (pair[0], r.random()))
    straight = run(plan, told, [t for _, t, _ in told])
    assert straight
    assert final(straight) == final(run(plan, [row for _, row in mixed], [at for at, _ in mixed], cut=len(mixed) // 2))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_a_kind_that_learns_learns_the_same(seed: int) -> None:
    """`outlook` with a gauge upstream and rain: what it expects in the end hangs on no order, and both ways have the same bits."""
    rain = Indicator("rain", "p", Text("雨"), "mm", SITES, silent=900.0, lateness=1800.0)
    level = replace(rain, id="level", unit="m")
    above = replace(level, id="above", sites=("b",), derive=Derive(Use("of"), ("level",), guests={"b": ("a",)}))
    ahead = Detector("ahead", "p", "level", Use("outlook", {"within": 1800.0, "memory": 50.0}, beside=("above", "rain")),
                     tuple(Limit(n, 26.0 + 2 * n) for n in (1, 2, 3)))
    plan = Plan(City((Pack("p", Text("p"), (rain, level, above), (ahead,)),), {s: Site(s, Text(s)) for s in SITES}))
    r, told = random.Random(seed), rows(seed, 24)
    mixed = sorted(((t + r.choice((0, 0, STEP, 3 * STEP)), r.random(), (name, t, x)) for name, t, x in told), key=lambda m: m[:2])
    straight = run(plan, told, [t for _, t, _ in told])
    assert final(straight) == final(run(plan, [row for *_, row in mixed], [at for at, *_ in mixed], cut=len(mixed) // 2))
    assert [(c.id, c.score) for c in straight] == [(c.id, c.score) for c in run(plan, told, [t for _, t, _ in told], compiled=False)]


def test_what_comes_at_one_moment_is_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block in which level, rain and neighbours arrive together is judged once: nothing is stepped again, however it is ordered."""
    again: list[object] = []
    monkeypatch.setattr(rewind, "again", lambda *told: again.append(told) or [])
    plan, order = Plan(city()), random.Random(4)
    state, named = State(plan), list[str]()
    for i in range(7):
        rows = [row for row in flood(20.0) if row[1] == i * STEP]
        rows += [(f"rain@{s}", i * STEP, 0.0) for s in "bc"]
        order.shuffle(rows)
        judge(plan, state, Block.of(rows, (i * STEP) + S))
        named += [state.named[n] for n, row in enumerate(rows) if row[0] == "level@a"]

    assert again == []
    assert named == ["", "", "", *["neighbours"] * 4], "far from the others at once, and the rain explains the speed"


def test_interpreted_gives_the_same() -> None:
    """Compiled or not."""
    plan, told = Plan(city()), rows(3)
    came = [t for _, t, _ in told]
    assert [(c.id, c.revision, c.value) for c in run(plan, told, came)] == [
        (c.id, c.revision, c.value) for c in run(plan, told, came, compiled=False)]


def test_without_lateness_a_period_is_waited_for_all_the_same() -> None:
    """A series that looks at others can be stepped again for a period, or what comes a second later could confirm nothing."""
    plan = Plan(city(0.0))
    told = flood(8.0, 32.0)
    got = final([c for c in run(plan, told, [t + (S if name[0] == "r" else 0) for name, t, _ in told]) if c.site == "a"])
    assert max(c[4] for c in got) == 3      # type: ignore[type-var]
