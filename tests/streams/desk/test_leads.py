"""A lead calls nobody and is no warning: it is a line of a worklist until its series is back, and past its budget only a number."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text
from starlette.testclient import TestClient

from detectors.event import Change
from detectors.leads import DAY
from streams.desk import lead_acts
from streams.desk.alert import Actor, Refused
from streams.desk.api.app import make_app
from streams.desk.folding import leads
from streams.desk.pages import ask
from streams.desk.people.current import CURRENT, Current
from streams.desk.people.rights import Account, Role
from streams.desk.tables import Alert, Audit, Delivery, Item, Lead
from streams.sql import engine


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
        assert {lead.level for lead in leads.listed(s)} == {2, 3} and not ask.items(s)
    text = client.get("/leads").text
    assert text.count('href="#lv-') >= 2 and "#lv-orange" in text and "线索" in client.get("/").text
    bench.put(replace(up, before=3, to=0, seq=up.seq + 1, id="x"))
    with bench.store.read() as s:
        assert [lead.level for lead in leads.listed(s)] == [2]


def test_what_is_past_the_budget_is_counted(page: Any, change: Callable[..., Change]) -> None:
    """Each once, whatever follows of it; the count is of its day."""
    bench, client = page
    rest = [lead(change, site, 2, report="rest") for site in ("lanxi", "sanhe")]
    bench.put(*rest, replace(rest[0], before=2, to=3, seq=2, id="y"), replace(rest[1], revision=1))
    with bench.store.read() as s:
        (item,) = s.scalars(select(Item))
        assert (item.kind, item.detail) == ("rest", "2")
        assert leads.counted(s, rest[0].time) == {rest[0].detector: 2}
        assert leads.counted(s, rest[0].time + DAY) == {}
    assert "线索" in client.get("/leads").text


def test_a_withdrawn_lead_goes(page: Any, change: Callable[..., Change]) -> None:
    """What is taken back is as it was before."""
    bench, _ = page
    up = lead(change, "lanxi", 2)
    bench.put(up, replace(up, withdrawn=True, revision=1))
    with bench.store.read() as s:
        assert leads.listed(s) == []


def open_ids(bench: Any) -> list[str]:
    """The chains on the list."""
    with bench.store.read() as s:
        return [lead.id for lead in leads.listed(s)]


def closing(client: TestClient, id_: str, outcome: str = "false", reason: str = "现场看过，是清淤施工") -> Any:
    """The form, as a browser sends it."""
    return client.post(f"/leads/{id_}/close", data={"disposition": outcome, "reason": reason})


def test_a_person_closes_a_lead_with_what_it_was_and_why(page: Any, change: Callable[..., Change]) -> None:
    """Without outcome, reason or post it is refused and nothing typed is lost; closed it leaves the list, with one audit row."""
    bench, client = page
    bench.put(up := lead(change, "lanxi", 2), other := lead(change, "sanhe", 1))
    assert closing(client, "none").status_code == 404
    refused = closing(client, up.alert, "", "<b>看过了，没事")
    assert refused.status_code == 409 and "&lt;b&gt;看过了，没事" in refused.text and "请选处置结论" in refused.text
    assert closing(client, up.alert, "true", "短").status_code == 409 and closing(client, up.alert, "drill").status_code == 409
    client.cookies.set("post", "")
    assert closing(client, up.alert).status_code == 409 and "disabled" in client.get("/leads").text
    client.cookies.set("post", "duty")
    assert closing(client, up.alert).status_code == 303 and open_ids(bench) == [other.alert]
    text = client.get("/leads").text
    assert "误报" in text and "现场看过，是清淤施工" in text and "值班员甲" in text and "Looked into" in client.get("/leads?lang=en").text
    assert closing(client, up.alert).status_code == 409          # somebody was first
    with bench.store.read() as s:
        (row,) = s.scalars(select(Audit).where(Audit.act == "lead_closed"))
        assert (row.post, row.what["lead"], row.what["disposition"], row.what["reason"]) == (
            "duty", up.alert, "false", "现场看过，是清淤施工")


def test_a_closed_lead_comes_back_only_with_new_evidence(page: Any, change: Callable[..., Change]) -> None:
    """Known again, revised, withdrawn, lower: it stays closed. Worse than it ever was, or a source more: it is back. So is a new one."""
    bench, client = page
    up = lead(change, "lanxi", 2, members=("a@x", "b@x"))
    worse = replace(up, before=2, to=3, seq=1, time=up.time + 60, id="1")
    lower = replace(up, before=3, to=1, seq=2, time=up.time + 120, id="2")
    bench.put(up, worse, lower)
    assert closing(client, up.alert).status_code == 303
    again = replace(up, before=1, to=2, seq=3, time=up.time + 180, id="3")
    bench.put(again, replace(again, to=3, revision=1), replace(lower, revision=1, value=1.0), replace(worse, withdrawn=True, revision=1))
    assert open_ids(bench) == []
    bench.put(replace(up, before=3, to=3, seq=4, time=up.time + 240, id="4", members=("a@x", "c@x")))
    assert open_ids(bench) == [up.alert]
    assert closing(client, up.alert).status_code == 303 and open_ids(bench) == []
    bench.put(replace(up, before=3, to=4, seq=5, time=up.time + 300, id="5"))
    assert open_ids(bench) == [up.alert] and closing(client, up.alert).status_code == 303
    bench.put(replace(up, before=4, to=0, seq=6, time=up.time + 360, id="6"))
    bench.put(new := lead(change, "lanxi", 1, time=up.time + 999, alert="f" * 16))
    assert open_ids(bench) == [new.alert]
    with bench.store.read() as s:
        assert [r.act for r in s.scalars(select(Audit).where(Audit.act == "lead_back"))] == ["lead_back"] * 2


def test_what_people_said_of_a_lead_stands_when_the_log_is_read_again(page: Any, change: Callable[..., Change]) -> None:
    """All of it from the first record, and late revisions after its end: closed is closed, over is over."""
    bench, client = page
    up, ended = lead(change, "lanxi", 2), lead(change, "sanhe", 3)
    night = [up, ended, replace(up, before=2, to=3, seq=1, time=up.time + 60, id="1"),
             replace(ended, before=3, to=0, seq=1, time=ended.time + 60, id="e")]
    bench.put(*night)
    assert closing(client, up.alert, "true").status_code == 303
    bench.put(*night, replace(ended, revision=1, value=2.0))
    assert open_ids(bench) == []
    with bench.store.read() as s:
        row = s.get_one(Lead, up.alert)
        assert (row.outcome, row.closed_by, row.level) == ("true", "duty", 3) and s.get_one(Lead, ended.alert).level == 0


def test_a_lead_closed_too_early_is_taken_up_again(page: Any, change: Callable[..., Change]) -> None:
    """By a person, with a reason; what is open cannot be."""
    bench, client = page
    bench.put(up := lead(change, "lanxi", 2))

    def again(reason: str) -> int:
        return int(client.post(f"/leads/{up.alert}/reopen", data={"reason": reason}).status_code)

    assert again("还要再去看一次") == 409
    assert closing(client, up.alert).status_code == 303 and again("短") == 409 and again("还要再去看一次") == 303
    assert open_ids(bench) == [up.alert]


def test_programs_read_and_close_leads(page: Any, change: Callable[..., Change]) -> None:
    """The same act as JSON; open ones and those that were closed."""
    bench, client = page
    bench.put(up := lead(change, "lanxi", 2, members=("a@x",)))
    (told,) = client.get("/api/leads").json()
    assert (told["id"], told["level"], told["closed"], told["members"]) == (up.alert, "yellow", None, ["a@x"])
    refused = client.post(f"/leads/{up.alert}/close", json={"disposition": "true"})
    assert refused.status_code == 409 and refused.json()["error"] == "err.reason"
    done = client.post(f"/leads/{up.alert}/close", json={"disposition": "true", "reason": "实地核对属实"}).json()
    assert done["ok"] and done["lead"]["outcome"] == "true" and done["lead"]["closed_by"] == "duty"
    assert client.get("/api/leads").json() == [] and client.get("/api/leads?open=false").json() == [done["lead"]]


def test_who_may_not_is_told_so(page: Any, change: Callable[..., Change]) -> None:
    """A viewer and a duty officer of another county are refused, an analyst without a post is not."""
    bench, _ = page
    bench.put(up := lead(change, "lanxi", 2))
    for account, key in ((Account("v", (Role.VIEWER,)), "right.rights"), (Account("d", (Role.DUTY,), ("admin:yiwu",)), "right.area")):
        token = CURRENT.set(Current(account))
        with pytest.raises(Refused, match=key), bench.store.begin() as s:
            lead_acts.close(s, up.alert, "true", "实地核对属实", Actor("duty", account=account.name), bench.m)
        CURRENT.reset(token)
    analyst = Account("ann", (Role.ANALYST,))
    token = CURRENT.set(Current(analyst))
    with bench.store.begin() as s:
        assert lead_acts.close(s, up.alert, "true", "实地核对属实", Actor(account="ann"), bench.m).closed_by == "ann"
    CURRENT.reset(token)


def test_a_lead_of_before_goes_over(tmp_path: Path, night: Callable[..., Any], change: Callable[..., Change]) -> None:
    """A desk that is brought up to date keeps its open leads; each takes its own id, or goes, with its next change."""
    url = f"sqlite:///{tmp_path}/desk.db"
    made, config = engine(url), Config()
    config.set_main_option("script_location", "streams.desk:migrations")
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        for site in ("lanxi", "sanhe", "fotang"):
            connection.execute(text("INSERT INTO item (kind, name, pack, site, indicator, state, since, detail) VALUES "
                                    f"('lead', 'basin/river_level-stage|river_level@{site}', 'basin', '{site}', 'river_level', "
                                    "'orange', 7, '29.1')"))
    bench, _ = night(tmp_path, fill=False)
    with bench.store.read() as s:
        assert {(x.site, x.level, x.value, x.path) for x in leads.listed(s)} == {
            (site, 3, 29.1, "basin/river_level-stage") for site in ("lanxi", "sanhe", "fotang")}
    up = lead(change, "lanxi", 3)
    bench.put(up, replace(lead(change, "sanhe", 3), before=3, to=0, seq=4, id="z"))
    assert sorted(open_ids(bench)) == sorted([up.alert, "basin/river_level-stage|river_level@fotang"])
    bench.store.close()


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
