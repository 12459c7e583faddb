"""What changed in the plan is listed entry by entry, old and new value, and stands on the hand-over since the last one."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.pack import Detector, Ladder, Limit, Pack, Post, Step, Text, Use
from streams.desk.api.app import make_app
from streams.desk.catalogue.differences import Difference, differences
from streams.desk.catalogue.versions import Versions
from streams.desk.duty.tables import Handover, Shift
from streams.desk.names import Names
from streams.desk.tables import Audit
from streams.plans import Plans, plan_bytes
from streams.sql import engine

H = 3_600_000_000
EIGHT = 1_782_230_400_000_000 + 8 * H       # 08:00 of that day in Shanghai


def edited(city: Any, **more: Any) -> Any:
    """The same city with another basin."""
    return replace(city, packs=(replace(city.packs[0], **more),))


def told(city: Any, other: Any) -> set[tuple[str, str, str, str]]:
    """What differs, without the values."""
    return {(d.sign, d.kind, d.id, d.field) for d in differences(city, other)}


def test_every_part_of_a_pack_is_compared(city: Any) -> None:
    """Detectors, limits, checks, indicators and rules: added, removed, changed; the same plan has no difference."""
    (pack,) = city.packs
    first, second, *rest = pack.detectors
    level, *others = pack.indicators
    new = edited(city, detectors=(replace(first, limits=(*first.limits[:3], replace(first.limits[3], at=29.8, hold=300.0)), why=Text("新")),
                                  Detector("spike", "basin", "rain", Use("threshold"), (Limit(1, 5.0),)), *rest),
                 indicators=(replace(level, silent=1800.0, checks=(Use("range", {"low": 0.0}),)), *others), rules=())
    assert told(city, new) == {
        ("~", "detector", first.id, "red above"), ("~", "detector", first.id, "red above hold"), ("~", "detector", first.id, "words"),
        ("+", "detector", "spike", ""), ("-", "detector", second.id, ""), ("-", "rule", "rainstorm", ""),
        ("~", "indicator", level.id, "silent"), ("+", "check", f"{level.id} range", "")}
    red = next(d for d in differences(city, new) if d.field == "red above")
    assert (red.old, red.new) == (29.5, 29.8) and differences(city, city) == []
    assert told(city, replace(city, packs=())) == {("-", "pack", "basin", "")}
    assert differences(replace(city, packs=()), city) == [Difference("basin", "pack", "basin", "+")]


def test_of_a_number_by_site_only_what_differs_is_told(city: Any) -> None:
    """A limit of a thousand gauges of which one moved; a switch that is off at both is no difference."""
    off = float("nan")

    def made(one: float) -> Any:
        limits = (Limit(4, {f"s{n}": float(n) for n in range(999)} | {"lanxi": one, "dead": float("nan")}, clear=off),)
        return edited(city, detectors=(replace(city.packs[0].detectors[0], limits=limits),))

    (found,) = differences(made(29.5), made(29.8))
    assert (found.field, found.old, found.new) == ("red above", {"lanxi": 29.5}, {"lanxi": 29.8})


def test_who_is_called_is_told_and_no_number(city: Any) -> None:
    """Ladders with their steps; of a post only that its addresses differ."""
    new = replace(city, ladders=(replace(city.ladders[0], steps=(Step("leader", ("log",), 60.0),)), *city.ladders[1:]),
                  posts=(replace(city.posts[0], addresses={"log": "13811112222"}), *city.posts[1:], Post("new", Text("新岗"))))
    found = differences(city, new)
    assert told(city, new) == {("~", "ladder", "river", "steps"), ("~", "post", "lanxi-water", "addresses"), ("+", "post", "new", "")}
    assert "13811112222" not in repr(found) and "13800000001" not in repr(found)


@pytest.fixture
def desk(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, Any, TestClient, Plans]]:
    """A desk with two shifts, and a database of plans."""
    bench, site = night(tmp_path, fill=False)
    plans = Plans(engine(f"sqlite:///{tmp_path}/state.db"))
    site.versions, site.names, site.now = Versions(f"sqlite:///{tmp_path}/state.db"), lambda: bench.names, lambda: bench.now
    with bench.store.begin() as s:
        for n, who in enumerate(("P01", "P02", "P03")):
            s.add(Shift(id=f"duty.{n}", post="duty", start=EIGHT + (n - 1) * 8 * H, end=EIGHT + n * 8 * H, person=who))
    with TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False) as client:
        yield bench, site, client, plans
    bench.store.close()


def force(bench: Any, plans: Plans, city: Any, by: str) -> str:
    """A plan put into force."""
    name = plans.put(plan_bytes(city), by)
    bench.names = Names(city, name)
    return name


def test_the_hand_over_lists_what_changed_since_the_last_one(desk: Any, city: Any) -> None:
    """Old and new limit, who put it there, a link to all of it; the plan is kept with the signature."""
    bench, _, client, plans = desk
    first = force(bench, plans, city, "first analyst")
    with bench.store.begin() as s:
        s.add(Handover(shift="duty.1", post="duty", out_at=EIGHT, in_at=EIGHT, plan=first, seen=[]))
    bench.now = EIGHT + 8 * H
    html = client.get("/handover/duty.2").text
    assert "方案未变" in html and first[:8] in html
    pack: Pack = city.packs[0]
    stage = pack.detectors[0]
    limits = (*stage.limits[:3], replace(stage.limits[3], at=29.8))
    second = force(bench, plans, edited(city, detectors=(replace(stage, limits=limits), *pack.detectors[2:])), "second analyst")
    html = client.get("/handover/duty.2").text
    section = re.sub(r"<[^>]+>", " ", html[html.index('id="h-plan"'):])
    assert "29.50 → 29.80" in section and "红 Ⅰ级 ↑" in section and "取消 检测器" in re.sub(" +", " ", section)
    assert "2 处" in section and "second analyst" in section and f"/detectors/basin?diff={first}#h-di" in html
    assert "29.50 → 29.80" in client.get("/handover/duty.2?lang=en").text
    for side in ("in", "out"):
        assert client.post("/handover/duty.2/sign", data={"side": side}).status_code == 303
    with bench.store.read() as s:
        assert s.get_one(Handover, "duty.2").plan == second
        assert {row.what["plan"] for row in s.scalars(select(Audit).where(Audit.act == "signed"))} == {second}
    force(bench, plans, city, "first analyst")
    assert "29.50 → 29.80" in client.get("/handover/duty.2").text      # as it was signed


def test_what_cannot_be_compared_is_said(desk: Any, city: Any) -> None:
    """No earlier plan; an earlier one that nobody holds; a hand-over is possible all the same."""
    bench, site, client, plans = desk
    force(bench, plans, city, "first analyst")
    bench.now = EIGHT + 8 * H
    assert "没有更早的方案可比" in client.get("/handover/duty.2").text
    with bench.store.begin() as s:
        s.add(Handover(shift="duty.1", post="duty", out_at=EIGHT, in_at=EIGHT, plan="0" * 16, seen=[]))
    assert "读不到内容" in client.get("/handover/duty.2").text
    site.versions = Versions("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert client.get("/handover/duty.2").status_code == 200


def test_a_field_without_words_goes_by_its_own_name(desk: Any, city: Any) -> None:
    """A parameter of a rule, whatever it is called."""
    bench, _, client, plans = desk
    first = force(bench, plans, city, "a")
    with bench.store.begin() as s:
        s.add(Handover(shift="duty.1", post="duty", out_at=EIGHT, in_at=EIGHT, plan=first, seen=[]))
    bench.now = EIGHT + 8 * H
    rules = (replace(city.packs[0].rules[0], params={"n": 3, "first": 1.5}),)
    force(bench, plans, edited(city, rules=rules), "b")
    section = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/handover/duty.2").text))
    assert "n 2 → 3" in section and "first 无 → 1.5" in section


def test_ladder_steps_are_read_as_posts(desk: Any, city: Any) -> None:
    """A step is a post and its time."""
    bench, _, client, plans = desk
    first = force(bench, plans, city, "a")
    with bench.store.begin() as s:
        s.add(Handover(shift="duty.1", post="duty", out_at=EIGHT, in_at=EIGHT, plan=first, seen=[]))
    bench.now = EIGHT + 8 * H
    ladders = (Ladder("plain", Text("一般"), (Step("leader", ("log",), 120.0),)), *city.ladders[:2])
    force(bench, plans, replace(city, ladders=ladders), "b")
    assert re.search(r"值班员甲 \d+ 分 → 带班领导甲 2 分", client.get("/handover/duty.2").text)
