"""A lead calls nobody and is no warning: it is a line of a worklist until its series is back, and past its budget only a number."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from detectors.event import Change
from streams.desk import leads
from streams.desk.api.app import make_app
from streams.desk.pages import ask
from streams.desk.tables import Alert, Delivery, Item


@pytest.fixture
def page(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, TestClient]]:
    """An empty desk and a browser."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False) as client:
        yield bench, client
    bench.store.close()


def lead(change: Callable[..., Change], site: str, to: int, before: int = 0, seq: int = 0, **more: Any) -> Change:
    """A change that reports a lead."""
    return replace(change("river_level", site, to, before, seq), report=more.pop("report", "lead"), **more)


def test_a_lead_is_a_line_and_no_warning(page: Any, change: Callable[..., Change]) -> None:
    """No alert, no delivery, no item of silence; on its page with level and place; gone when it is back to normal."""
    bench, client = page
    up = lead(change, "lanxi", 3)
    bench.put(up, lead(change, "sanhe", 2))
    with bench.store.read() as s:
        assert not s.scalar(select(func.count()).select_from(Alert)) and not s.scalar(select(func.count()).select_from(Delivery))
        assert {item.state for item in leads.listed(s)} == {"orange", "yellow"} and not ask.items(s)
    text = client.get("/leads").text
    assert text.count('href="#lv-') >= 2 and "#lv-orange" in text and "线索" in client.get("/").text
    bench.put(replace(up, before=3, to=0, seq=up.seq + 1, id="x"))
    with bench.store.read() as s:
        assert [item.state for item in leads.listed(s)] == ["yellow"]


def test_what_is_past_the_budget_is_counted(page: Any, change: Callable[..., Change]) -> None:
    """Each once, whatever follows of it; the count is of its day."""
    bench, client = page
    rest = [lead(change, site, 2, report="rest") for site in ("lanxi", "sanhe")]
    bench.put(*rest, replace(rest[0], before=2, to=3, seq=2, id="y"), replace(rest[1], revision=1))
    with bench.store.read() as s:
        (item,) = s.scalars(select(Item))
        assert (item.kind, item.detail) == ("rest", "2")
        assert leads.counted(s, rest[0].time) == {rest[0].detector: 2}
        assert leads.counted(s, rest[0].time + leads.DAY) == {}
    assert "线索" in client.get("/leads").text


def test_a_withdrawn_lead_goes(page: Any, change: Callable[..., Change]) -> None:
    """What is taken back is as it was before."""
    bench, _ = page
    up = lead(change, "lanxi", 2)
    bench.put(up, replace(up, withdrawn=True, revision=1))
    with bench.store.read() as s:
        assert leads.listed(s) == []


def test_a_rule_over_rules_covers_their_alerts(bench: Any, change: Callable[..., Change], rule: Callable[..., Change]) -> None:
    """The alert of a rule is suspended under the alert of a rule made of it, as one of a detector is; the outermost calls."""
    inner, station = rule(2), change("rain", "houzhai", 2)
    outer = replace(rule(3), alert="0000000000000001", id="0000000000000001-1", rule="basin/wider", group="basin/wider", area="",
                    members=("basin/rainstorm@admin:yiwu",))
    bench.put(station, inner)
    assert bench.alert(station.alert).covered_by == inner.alert
    bench.put(outer)
    assert bench.alert(inner.alert).covered_by == outer.alert and not bench.alert(outer.alert).covered_by
    assert {state for _, _, state in bench.steps(inner.alert)} <= {"suspended", "waiting"}
