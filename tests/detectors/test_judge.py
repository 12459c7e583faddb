"""The two doors: what is said, when, with which evidence, whatever the order of arrival."""
from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.kernel import kernel
from detectors.kinds.threshold import Threshold
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block

S = 1_000_000
EVERY = 300 * S
LEVEL = "river_level@lanxi"


def city(limits: tuple[Limit, ...] | None = None, sites: tuple[str, ...] = ("lanxi", "jinhua"), more: tuple[Indicator, ...] = (),
         kind: Use = Use("threshold"), **indicator: object) -> City:
    """One indicator with one detector."""
    limits = limits or (Limit(2, 28.0, clear=27.8), Limit(3, 29.0, hold=600.0), Limit(4, 30.0))
    level = replace(Indicator("river_level", "basin", Text("水位"), "m", sites, silent=900.0), **indicator)  # type: ignore[arg-type]
    stage = Detector("stage", "basin", "river_level", kind, limits)
    return City((Pack("basin", Text("兰江"), (level, *more), (stage,)),), {s: Site(s, Text(s)) for s in sites})


def series(values: list[float], name: str = LEVEL, start: int = 0, every: int = EVERY) -> list[tuple[str, int, float]]:
    return [(name, start + n * every, v) for n, v in enumerate(values) if v is not None]


def run(plan: Plan, rows: list[tuple[str, int, float]], until: int | None = None, arrived: list[int] | None = None,
        chunk: int = 1, state: State | None = None) -> list[Change]:
    """All changes over these rows, in blocks of `chunk`."""
    state = state or State(plan)
    out: list[Change] = []
    for n in range(0, len(rows), chunk):
        out += judge(plan, state, Block.of(rows[n:n + chunk], None if arrived is None else arrived[n:n + chunk]))
    return out + (tick(plan, state, until) if until is not None else [])


def brief(changes: list[Change]) -> list[tuple[int, int, int, float | None]]:
    return [(c.time // S, c.before, c.to, c.value) for c in changes if c.kind == "level"]


def final(changes: list[Change]) -> set[tuple[object, ...]]:
    """Revisions and withdrawals folded (design 9.14)."""
    last: dict[str, Change] = {}
    for c in changes:
        if c.kind == "level" and (c.id not in last or c.revision >= last[c.id].revision):
            last[c.id] = c
    return {(c.detector, c.site, c.onset, c.before, c.to, c.value, c.time) for c in last.values() if not c.withdrawn}


def test_levels_rise_and_fall_at_their_limits_with_evidence() -> None:
    """Each limit gives its level at once or after its hold, and the change carries value, limit, since and onset."""
    got = [c for c in run(Plan(city()), series([27.0, 28.1, 29.1, 29.2, 29.3, 30.5, 27.9, 27.5])) if c.kind == "level"]

    assert brief(got) == [(300, 0, 2, 28.1), (1200, 2, 3, 29.3), (1500, 3, 4, 30.5), (1800, 4, 2, 27.9), (2100, 2, 0, 27.5)]
    assert (got[1].limit, got[1].since, got[1].onset, got[1].direction) == (29.0, 600 * S, 300 * S, "high")
    assert [c.seq for c in got] == [1, 2, 3, 4, 5]
    assert len({c.alert for c in got}) == 1


def test_a_hold_runs_out_by_the_clock_stamped_with_its_due_time() -> None:
    """A hold that ends between two readings is announced by a tick, at the moment it was due, however coarse the ticks."""
    plan = Plan(city())
    for step in (1, 60, 840):
        state, got = State(plan), []
        got += judge(plan, state, Block.of(series([29.5])))
        for now in range(0, 841, step):
            got += tick(plan, state, now * S)
        assert brief(got) == [(0, 0, 2, 29.5), (600, 2, 3, 29.5)]


def test_a_red_gauge_that_dies_stays_red_and_is_stale() -> None:
    """Silence changes freshness only; no level clears, no hold or keep runs out after the series fell silent."""
    plan = Plan(city((Limit(4, 30.0), Limit(2, 28.0, keep=3600.0))))
    state = State(plan)
    got = run(plan, series([31.0, 29.0]), 10_000 * S, state=state)

    assert brief(got) == [(0, 0, 4, 31.0), (300, 4, 2, 29.0)]
    assert [(c.fresh, c.time // S) for c in got if c.kind == "fresh"] == [("fresh", 0), ("stale", 1200)]
    assert state.levels()[0][2:4] == (2, "stale")


def test_limits_below_are_judged_in_their_own_direction() -> None:
    """A level may have a limit above and one below; the change says which side."""
    plan = Plan(city((Limit(2, 9.0), Limit(2, 6.0, above=False, clear=6.5), Limit(4, 4.0, above=False))))
    got = [c for c in run(plan, series([7.0, 9.5, 3.0, 6.2, 6.6])) if c.kind == "level"]

    assert [(c.to, c.direction, c.limit) for c in got] == [(2, "high", 9.0), (4, "low", 4.0), (2, "low", 4.0), (0, "low", 6.0)]


def test_a_doubtful_reading_is_capped_and_says_so_and_a_good_one_confirms() -> None:
    """A suspect reading over the red limit says yellow, suspect, capped by its check; the next good one says red."""
    plan = Plan(city(checks=(Use("range", {"suspect": (0.0, 30.2), "fail": (-5.0, 60.0)}),)))
    got = [c for c in run(plan, series([31.0, 30.1, 99.0, 30.0])) if c.kind in ("level", "sensor")]

    assert [(c.kind, c.to, c.confidence, c.cap, c.check) for c in got] == [
        ("level", 2, "suspect", 2, "range"), ("level", 4, "good", None, ""),
        ("sensor", 0, "good", None, "range"), ("sensor", 0, "good", None, "")]
    assert [c.fresh for c in got if c.kind == "sensor"] == ["error", "fresh"]


def test_a_step_that_fails_is_quarantined_and_the_block_goes_on(monkeypatch: pytest.MonkeyPatch,
                                                                request: pytest.FixtureRequest) -> None:
    """One series of one detector goes to error; its neighbour in the same block is judged."""
    kernel.cache_clear()
    request.addfinalizer(kernel.cache_clear)
    monkeypatch.setattr(Threshold, "step", staticmethod(lambda p, s, t, x: 1 / (x - 77.0)))
    plan = Plan(city((Limit(2, 0.5),)))
    state = State(plan, compiled=False)
    got = judge(plan, state, Block.of([(LEVEL, 0, 77.0), ("river_level@jinhua", 0, 78.0), (LEVEL, EVERY, 78.0)]))

    assert [(c.kind, c.site, c.to) for c in got if c.kind != "fresh"] == [("error", "lanxi", 0), ("level", "jinhua", 2)]
    assert state.levels()[0][3] == "error"


def test_what_is_not_judged_is_named() -> None:
    """Duplicates, late, future and unknown readings move no level and are named in place."""
    plan = Plan(city())
    state = State(plan)
    judge(plan, state, Block.of([(LEVEL, 1000 * S, 27.0)]))
    got = judge(plan, state, Block.of([(LEVEL, 1000 * S, 27.0), (LEVEL, 900 * S, 31.0), (LEVEL, 5000 * S, 31.0), ("x@y", 0, 1.0)],
                                      1000 * S))

    assert state.named == ["duplicate", "late", "future", "unknown"]
    assert brief(got) == []


LIMITS = (Limit(1, 2.0), Limit(2, 4.0, clear=3.0, keep=600.0), Limit(3, 6.0, hold=600.0), Limit(4, 8.0, hold=300.0, keep=300.0))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=4, max_size=30), st.randoms(use_true_random=False))
def test_any_order_within_lateness_gives_the_same_final_events(values: list[int], rng: random.Random) -> None:
    """Shuffled, delayed (within lateness) and repeated input folds to the events of the ordered run."""
    plan = Plan(city(LIMITS, lateness=1800.0, silent=1500.0))
    rows = series([float(v) for v in values])
    end = (len(rows) + 100) * EVERY
    ordered = final(run(plan, rows, end))
    came = sorted((t + rng.randrange(0, 1500) * S, n) for n, (_, t, _) in enumerate(rows) for _ in range(rng.choice([1, 1, 2])))
    shuffled = run(plan, [rows[n] for _, n in came], end, [a for a, _ in came], chunk=rng.choice([1, 3, 100]))

    assert final(shuffled) == ordered
    assert all(c.arrived >= c.time or c.kind != "level" for c in shuffled)


def rich() -> Plan:
    """Two checks, a derived sum and five detectors of other kinds, all with lateness."""
    checks = (Use("range", {"suspect": (0.0, 8.0), "fail": (-1.0, 9.5)}), Use("rate", {"suspect": 7 / 300, "fail": 9 / 300}))
    rain = Indicator("rain", "basin", Text("雨"), "mm", ("lanxi",), lateness=1800.0, silent=1500.0, checks=checks)
    hour = Indicator("rain_30min", "basin", Text("雨"), "mm", ("lanxi",), silent=3600.0,
                     derive=Derive(Use("sum", {"over": 1800.0}), ("rain",), coverage=0.5))
    told = [("heavy", "rain_30min", Use("threshold"), (Limit(2, 20.0), Limit(3, 40.0, hold=600.0))),
            ("rain", "rain", Use("threshold"), LIMITS),
            ("odd", "rain", Use("ewma", {"warm": 4.0, "alpha": 0.3}), (Limit(2, 2.0), Limit(3, -0.5, above=False, keep=600.0))),
            ("rising", "rain", Use("trend", {"over": 3600.0}), (Limit(2, 0.002),)),
            ("run", "rain", Use("run"), (Limit(2, 3.0),))]
    detectors = tuple(Detector(name, "basin", indicator, use, limits) for name, indicator, use, limits in told)
    return Plan(City((Pack("basin", Text("兰江"), (rain, hour), detectors),), {"lanxi": Site("lanxi", Text("兰溪"))}))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=4, max_size=40), st.randoms(use_true_random=False))
def test_the_same_holds_with_checks_derived_series_and_five_kinds(values: list[int], rng: random.Random) -> None:
    """Final events do not depend on the order of arrival whatever stands between a reading and its level."""
    plan, rows = rich(), series([float(v) for v in values], "rain@lanxi")
    end = (len(rows) + 100) * EVERY
    came = sorted((t + rng.randrange(0, 1500) * S, n) for n, (_, t, _) in enumerate(rows) for _ in range(rng.choice([1, 1, 2])))
    shuffled = run(plan, [rows[n] for _, n in came], end, [a for a, _ in came], chunk=rng.choice([1, 3, 100]))

    assert final(shuffled) == final(run(plan, rows, end))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
def test_compiled_and_interpreted_leave_the_same_bits(values: list[int]) -> None:
    """The whole state matrix is equal bit for bit after the same readings, compiled or not."""
    plan, rows = rich(), series([float(v) for v in values], "rain@lanxi")
    states = [State(plan, compiled=c) for c in (True, False)]
    said = [list(map(str, run(plan, rows, chunk=7, state=s))) for s in states]

    assert said[0] == said[1]
    assert [t.matrix.tobytes() for t in states[0].tables] == [t.matrix.tobytes() for t in states[1].tables]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 10)), min_size=1, max_size=40), st.integers(1, 40),
       st.integers(0, 39))
def test_chunks_restarts_and_the_interpreter_change_nothing(values: list[tuple[int, int]], chunk: int, cut: int) -> None:
    """Blocks of any size, a dump and load in the middle, and the interpreted path give the same changes, bit for bit."""
    plan = Plan(city(LIMITS, lateness=1800.0))
    rows = [((LEVEL, "river_level@jinhua")[s], n * EVERY // 2, float(v)) for n, (s, v) in enumerate(values)]
    one = run(plan, rows)
    halves, state = [], State(plan)
    halves += run(plan, rows[:cut], chunk=chunk, state=state)
    back = State(plan, compiled=False)
    back.load(state.dump())
    halves += run(plan, rows[cut:], chunk=1, state=back)

    assert sorted(map(str, halves)) == sorted(map(str, one))


def test_a_new_plan_keeps_what_it_can() -> None:
    """Another limit and a row inserted in sites.csv move nobody's state; a detector that left is retired, never cleared."""
    first = Plan(city())
    state = State(first)
    run(first, series([30.5]) + series([27.0], "river_level@jinhua"), state=state)
    second = Plan(city((Limit(2, 28.0), Limit(4, 31.0)), sites=("aaa", "jinhua", "lanxi")))
    moved, changes = state.move(second)
    assert changes == []
    assert {(s, lv) for s, _, lv, *_ in moved.levels()} == {("river_level@aaa", 0), ("river_level@jinhua", 0), (LEVEL, 4)}

    third = Plan(replace(second.city, packs=(replace(second.city.packs[0], detectors=()),)))
    _, changes = moved.move(third)
    assert [(c.kind, c.site, c.to) for c in changes] == [("retired", "lanxi", 4)]


def test_a_derived_series_is_judged_like_a_measured_one_and_rewinds_with_its_input() -> None:
    """A sum over an hour crosses its limit; a late reading of its input revises what was said."""
    rain = Indicator("rain", "basin", Text("雨"), "mm", ("lanxi",), lateness=1800.0, silent=3600.0)
    hour = Indicator("rain_1h", "basin", Text("雨"), "mm", ("lanxi",), silent=3600.0, lateness=1800.0,
                     derive=Derive(Use("sum", {"over": 3600.0}), ("rain",), coverage=0.0))
    heavy = Detector("heavy", "basin", "rain_1h", Use("threshold"), (Limit(2, 20.0), Limit(3, 40.0)))
    plan = Plan(City((Pack("basin", Text("兰江"), (rain, hour), (heavy,)),), {"lanxi": Site("lanxi", Text("兰溪"))}))
    rows = series([5.0, 5.0, 5.0, 5.0, 5.0], "rain@lanxi")
    state = State(plan)
    got = run(plan, rows[:2] + rows[3:], state=state)
    assert brief(got) == [(1200, 0, 2, 20.0)]

    late = judge(plan, state, Block.of([rows[2]], 1300 * S))
    assert [(c.time // S, c.value, c.revision, c.id) for c in late if c.kind == "level"] == [(900, 20.0, 1, got[-1].id)]
    assert final(got + late) == final(run(plan, rows))


def test_memory_is_known_from_the_plan() -> None:
    """The matrix of a state never grows, whatever comes."""
    plan = Plan(city(lateness=1800.0))
    state = State(plan)
    before = state.tables[0].matrix.nbytes
    run(plan, series(list(np.random.default_rng(1).uniform(20, 32, 3000))), chunk=100, state=state)

    assert state.tables[0].matrix.nbytes == before == 8 * 2 * (plan.row_floats["river_level"] + 1)
    assert all(len(log) <= 4 * plan.groups["river_level"].ring for log in state.tables[0].log.values())
