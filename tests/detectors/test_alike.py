"""What is the same at all sites is kept once; what is a column of sites.csv is not, and neither changes a result."""
from __future__ import annotations

from detectors.judge import State, judge
from detectors.pack import City, Detector, Indicator, Limit, Num, Pack, Site, Text, Use, Value
from detectors.plan import Plan
from detectors.reading import Block

SITES = ("a", "b", "c")


def plan(at: Num = 0.005, over: Value = 3600.0) -> Plan:
    level = Indicator("level", "p", Text("水位"), "m", SITES)
    rate = Detector("rate", "p", "level", Use("rate", {"over": over}), (Limit(2, at),))
    return Plan(City((Pack("p", Text("测"), (level,), (rate,)),), {s: Site(s, Text(s)) for s in SITES}))


def judged(of: Plan) -> list[tuple[str, int, int]]:
    state, said = State(of), []
    for n in range(4):
        rows = [(f"level@{site}", n * 300_000_000, float(n * n * (k + 1))) for k, site in enumerate(SITES)]
        said += [(c.site, c.time, c.to) for c in judge(of, state, Block.of(rows)) if c.kind == "level"]
    return said


def test_limits() -> None:
    """A number and the same number in a column warn alike; the first is one row of memory."""
    shared, column = plan(), plan(dict.fromkeys(SITES, 0.005))

    assert judged(shared) == judged(column) != []
    assert State(shared).tables[0].rules.strides[0] == 0 != State(column).tables[0].rules.strides[0]


def test_layouts() -> None:
    """Where a parameter that resets the state is a column, a change at one site leaves the state of the others."""
    before, after = plan(over=dict.fromkeys(SITES, 3600.0)), plan(over={"a": 3600.0, "b": 1800.0, "c": 3600.0})
    state = State(before)
    judge(before, state, Block.of([(f"level@{site}", 0, 1.0) for site in SITES]))
    moved, _ = state.move(after)
    kept = moved.tables[0].live.kinds[0]["n"]

    assert [n > 0 for n in kept.tolist()] == [True, False, True]
    assert len({row[1] for row in moved.dump() if row[0] == "#"}) == 2


def test_layout_is_one() -> None:
    """Without a column all rows of an indicator have one layout, whoever asks."""
    of = plan()
    rows = State(of).dump()

    assert len([row for row in rows if row[0] == "#"]) == 1 and len({row[1] for row in rows}) == 1
