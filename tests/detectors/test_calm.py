"""Many moments in one go say what the same moments say one by one."""
from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors import judge as doors
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block

S = 1_000_000
SITES = ("a", "b", "c")


def plan(lateness: float, silent: float) -> Plan:
    """A level with checks, holds and keeps, and a sum of it with a detector of its own."""
    level = Indicator("level", "p", Text("位"), "m", SITES, silent=silent, lateness=lateness, checks=(
        Use("range", {"fail_low": -50.0, "fail_high": 60.0}), Use("flat", {"suspect": 3000.0})))
    total = Indicator("total", "p", Text("和"), "m", SITES, silent=silent, derive=Derive(Use("sum", {"over": 1200.0}), ("level",)))
    stage = Detector("stage", "p", "level", Use("threshold"), (
        Limit(2, 10.0, clear=9.0, keep=900.0), Limit(3, 20.0, hold=700.0), Limit(4, 30.0, hold=600.0, keep=100.0)))
    drift = Detector("drift", "p", "level", Use("ewma", {"warm": 3.0}), (Limit(1, 2.0), Limit(2, 2.0, above=False, hold=300.0)))
    much = Detector("much", "p", "total", Use("threshold"), (Limit(1, 40.0, keep=400.0), Limit(2, 70.0, hold=1000.0)))
    rain = replace(level, id="rain", checks=())     # its readings feed other sites: blocks with them are never judged in one go
    near = replace(rain, id="near", derive=Derive(Use("neighbours"), ("rain",), 0.5, 400.0, {"a": ("b", "c"), "b": ("a", "c")}))
    wet = Detector("wet", "p", "near", Use("threshold"), (Limit(2, 10.0, hold=500.0),))
    return Plan(City((Pack("p", Text("包"), (level, total, rain, near), (stage, drift, much, wet)),), {s: Site(s, Text(s)) for s in SITES}))


ROWS = st.lists(st.tuples(st.sampled_from([f"level@{s}" for s in SITES] * 4 + ["rain@b", "rain@c"]), st.sampled_from([0, 0, 60, 300, 300, 300, 1000, 4000]),
                          st.sampled_from([5.0, 5.0, 12.0, 25.0, 25.0, 35.0, 35.0, 99.0, nan])), min_size=2, max_size=80)


@pytest.mark.parametrize(("lateness", "silent"), [(0.0, 900.0), (600.0, 2000.0), (0.0, float("inf"))])
@settings(max_examples=40, deadline=None)
@example(rows=[("level@a", gap, 5.0) for gap in (0, 60, 4000, 1000)], size=2, old=0)     # a hold ends between two readings
@given(rows=ROWS, size=st.integers(2, 80), old=st.integers(0, 3))
def test_in_one_go_or_one_by_one(lateness: float, silent: float, rows: list[tuple[str, int, float]], size: int, old: int) -> None:
    """Each block says the same changes (told in the order of their arrival), the flags, the derived readings and every bit of the state are the same."""
    made, clock = [], 0
    seen: set[tuple[str, int]] = set()
    for name, gap, x in rows:
        clock += gap * S
        if (name, clock) not in seen:
            seen.add((name, clock))
            made.append((name, clock, x))
    if old and len(made) > 3:                       # some that are repeated or late: such a block is judged one by one
        made.insert(len(made) // 2, made[len(made) // 2 - old])
    both = []
    for together in (True, False):
        state, out = State(plan(lateness, silent), compiled=False), list[list[Change]]()
        state.kept.add("total")
        told = []
        for n in range(0, len(made), size):
            part = made[n:n + size]
            block = Block.of(part, [max(t for _, t, _ in made[:n + k + 1]) for k in range(len(part))])
            keep = doors.calm
            doors.calm = keep if together else (lambda *_: False)       # type: ignore[assignment]
            try:
                out.append(sorted(judge(state.plan, state, block), key=lambda c: (c.arrived, str(c))))
            finally:
                doors.calm = keep
            told.append((state.flags.tolist(), list(state.named), sorted(state.derived, key=lambda d: (d[1], d[0]))))
        out.append(tick(state.plan, state, clock + 9000 * S))
        both.append((out, repr(told), [t.matrix.tobytes() for t in state.tables]))

    assert both[0] == both[1]


def test_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A history in order goes this way: far fewer batches than moments."""
    batches = []
    process = doors.process
    monkeypatch.setattr(doors, "process", lambda *a: batches.append(len(a[2])) or process(*a))
    state = State(replace_silent(plan(0.0, 7200.0)), compiled=False)
    judge(state.plan, state, Block.of([(f"level@{s}", n * 300 * S, 5.0) for n in range(200) for s in SITES]))

    assert sum(batches) >= 600 and len(batches) < 60


def replace_silent(made: Plan) -> Plan:
    """The same plan without what makes a flat line doubtful."""
    pack = made.city.packs[0]
    return Plan(replace(made.city, packs=(replace(pack, indicators=tuple(replace(i, checks=()) for i in pack.indicators)),)))


def test_what_is_looked_at_is_stepped_first() -> None:
    """Whoever looks beside at another series of its site stands behind it in the plan, whatever the order of the pack."""
    def indicator(name: str, derive: Derive | None = None) -> Indicator:
        return Indicator(name, "p", Text(name), "m", SITES, derive=derive)

    level, rain = indicator("level"), indicator("rain")
    hour = indicator("rain_hour", Derive(Use("sum", {"over": 3600.0}), ("rain",)))
    ahead = Detector("ahead", "p", "level", Use("outlook", {"within": 3600.0}, beside=("rain_hour",)), (Limit(2, 9.0),))
    made = Plan(City((Pack("p", Text("包"), (level, hour, rain), (ahead,)),), {s: Site(s, Text(s)) for s in SITES}))

    assert list(made.groups) == ["rain", "rain_hour", "level"]
