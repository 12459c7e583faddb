"""What people do, in the database: one transaction each, raced or not."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, update

from detectors.event import Change
from detectors.pack import City
from streams.desk import acts
from streams.desk.alert import Move, Refused
from streams.desk.store import Store, broken, migrate
from streams.desk.tables import Alert, Audit, Base, Delivery

Make = Callable[..., Change]


def test_an_answer_stops_every_later_step_in_the_same_act(bench: Any, change: Make) -> None:
    """Steps, and what waits in the outbox; no later walk calls anybody."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    assert bench.steps(orange.alert) == [(1, "lanxi-water", "answered"), (2, "leader", "stopped")]
    bench.pass_time(3600)

    with bench.store.read() as s:
        assert list(s.scalars(select(Delivery.state))) == ["dropped"]
    assert bench.alert(orange.alert).state == "answered"


def test_who_comes_second_is_told_who_was_first(bench: Any, change: Make) -> None:
    """Of many answers at once exactly one counts."""
    bench.put(orange := change("methane", "renmin", 3))

    def answer(post: str) -> str:
        try:
            bench.do(orange.alert, "answer_for", post, "电话联系上了值班员")
        except Refused as no:
            assert no.key == "err.raced"
            return str(no.values["who"])
        return ""

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(answer, ["duty", "leader", "wucheng"] * 4))
    assert said.count("") == 1
    first = bench.names.post(bench.alert(orange.alert).answered_by, "zh")
    assert {x for x in said if x} == {first}
    assert bench.acts(orange.alert).count("answered") == 1


def test_passing_on_calls_the_next_at_once(bench: Any, change: Make) -> None:
    """And the last of the ladder has nobody to pass to."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "pass", "lanxi-water")
    assert bench.steps(orange.alert) == [(1, "lanxi-water", "passed"), (2, "leader", "called")]
    with pytest.raises(Refused) as refused:
        bench.do(orange.alert, "pass", "leader")
    assert refused.value.key == "err.last"


def test_nobody_answers(bench: Any, change: Make) -> None:
    """The ladder calls the second, then says that all are overdue; one who was called may still answer."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.pass_time(301)
    assert bench.steps(orange.alert) == [(1, "lanxi-water", "expired"), (2, "leader", "called")]
    bench.pass_time(301)
    assert bench.alert(orange.alert).state == "overdue"
    bench.do(orange.alert, "answer", "lanxi-water")

    assert bench.acts(orange.alert)[-3:] == ["expired", "overdue", "answered"]


def test_close_and_reopen(bench: Any, change: Make) -> None:
    """News, close with outcome and reason when it is back, reopen; not while a newer one is open for the same thing."""
    bench.put(blue := change("river_level", "lanxi", 1))
    bench.do(blue.alert, "answer", "duty")
    bench.do(blue.alert, "news", "duty", "已派人到现场查看")
    bench.put(change("river_level", "lanxi", 0, 1, 1, onset=blue.time))
    bench.do(blue.alert, "close", "duty", "水位回落无险情", "true")
    assert (bench.alert(blue.alert).state, bench.alert(blue.alert).disposition) == ("closed", "true")
    bench.do(blue.alert, "reopen", "duty", "又有群众报告")
    bench.do(blue.alert, "close", "duty", "重复报告已核实", "false")

    bench.put(change("river_level", "lanxi", 1, time=blue.time + 9_000_000))
    with pytest.raises(Refused) as refused:
        bench.do(blue.alert, "reopen", "duty", "又有群众报告")
    assert refused.value.key == "err.other"


def test_receipts_only_go_up_and_the_demanded_one_stops_the_ladder(bench: Any, change: Make, city: City) -> None:
    """Read after received; never back; a step that demands `received` is satisfied by it."""
    from dataclasses import replace

    from streams.desk.names import Names

    soft = tuple(replace(x, steps=tuple(replace(r, receipt="received") for r in x.steps)) for x in city.ladders)
    bench.names = Names(replace(city, ladders=soft))
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.deliver()
    assert bench.alert(orange.alert).state == "calling"
    with bench.store.begin() as s:
        key = s.scalar(select(Delivery.key)) or ""
        acts.receipt(s, key, "read", bench.m)
        acts.receipt(s, key, "received", bench.m)
        assert s.get(Delivery, key).receipt == "read"  # type: ignore[union-attr]

    alert = bench.alert(orange.alert)
    assert (alert.state, alert.answered_by) == ("answered", "lanxi-water")


def test_the_chain_shows_what_was_altered(bench: Any, change: Make) -> None:
    """Every act has its row; numbers have no gap; a changed or lost row is found."""
    bench.put(orange := change("river_level", "lanxi", 3))
    bench.do(orange.alert, "answer", "lanxi-water")
    with bench.store.begin() as s:
        assert broken(s) == 0
        rows = list(s.scalars(select(Audit).order_by(Audit.seq)))
        assert [r.seq for r in rows] == list(range(1, len(rows) + 1)) and bench.alert(orange.alert).rev == rows[-1].seq
        s.execute(update(Audit).where(Audit.seq == 2).values(post="somebody"))
        s.expire_all()
        assert broken(s) == 2


def test_a_refused_deed_leaves_nothing(bench: Any, change: Make) -> None:
    """No row, no audit."""
    bench.put(orange := change("river_level", "lanxi", 3))
    before = bench.acts(orange.alert)
    for move in (Move.NEWS, Move.CLOSE, Move.REOPEN):
        with pytest.raises(Refused):
            bench.do(orange.alert, move, "duty", "一二三四五六", "true")
    with pytest.raises(KeyError):
        bench.do("nothing", "answer", "duty")

    assert bench.acts(orange.alert) == before


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    """No drift between the models and the steps; a second start changes nothing."""
    store = Store(f"sqlite:///{tmp_path}/desk.db")
    migrate(store.engine)
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    with store.read() as s:
        assert list(s.scalars(select(Alert))) == []
    store.close()
