"""A public warning from 报批 to 解除: two people, one chain, feeds that show what is out and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from detectors.pack import Hazard, Outward, Text
from streams.desk.alert import Actor, Refused
from streams.desk.api.app import make_app
from streams.desk.names import Names
from streams.desk.publish import cap, cap_check, national, release
from streams.desk.publish.tables import Publication
from streams.desk.store import broken

OUTWARD = Outward(sender="warning@wanglou.example", code="33070041600000", name=Text("市防汛防旱指挥部", "City flood control"),
                  hazards=(Hazard(("basin",), Text("洪水", "Flood"), "Geo", "11A01"),), geocodes={"lanxi": "330781"})


@pytest.fixture
def orange(bench: Any, change: Any) -> str:
    """An orange warning, and who may publish."""
    bench.names = Names(replace(bench.names.city, outward=OUTWARD), "7c1e9a00")
    bench.put(one := change("river_level", "lanxi", 3))
    return str(one.alert)


def who(post: str) -> Actor:
    """A post."""
    return Actor(post, post, post == "leader")


def submit(bench: Any, id_: str, kind: str = "Alert", post: str = "duty", **said: str) -> Publication:
    with bench.store.begin() as s:
        return release.submit(s, id_, kind, who(post), bench.m, said)


def let_out(bench: Any, id_: str, post: str = "leader") -> Publication:
    bench.now += 1_000_000
    with bench.store.begin() as s:
        return release.release(s, id_, who(post), bench.m)


def refusal(do: Any, *given: Any, **more: Any) -> str:
    """The key of a refusal."""
    with pytest.raises(Refused) as refused:
        do(*given, **more)
    return refused.value.key


def test_two_people_and_a_chain(bench: Any, orange: str, change: Any) -> None:
    """Alert, Update, Cancel: each submitted by one and released by another, valid, referring to all before it; all on record."""
    first = submit(bench, orange)
    assert first.state == "proposed" and first.cap == ""
    assert refusal(let_out, bench, first.id, "duty") == "pub.own" and refusal(submit, bench, orange) == "pub.pending"
    first = let_out(bench, first.id)
    bench.put(change("river_level", "lanxi", 4, 3, 1, bench.now, change("river_level", "lanxi", 3).onset))
    second = let_out(bench, submit(bench, orange, "Update").id)
    assert refusal(submit, bench, orange, "Cancel", note="短") == "err.reason"
    third = let_out(bench, submit(bench, orange, "Cancel", note="水位已回落到警戒以下").id)
    again = let_out(bench, submit(bench, orange).id)

    for row, refers in ((first, 0), (second, 1), (third, 2), (again, 0)):
        assert cap_check.faults(row.cap.encode()) == [] and national.faults(row.national.encode()) == []
        assert len((ET.fromstring(row.cap).findtext(f"{{{cap.NAMESPACE}}}references") or "").split()) == refers, row.kind
    assert f"{first.id},{cap.stamp(first.sent or 0)}" in second.cap and "<severity>Extreme" in second.cap
    assert third.level == 4 and "AllClear" in third.cap and again.chain == first.chain + 1
    assert "330781" in first.cap and "11A01" in first.national and "市防汛防旱指挥部发布洪水橙色预警" in first.cap
    assert [a for a in bench.acts(orange) if a in ("submitted", "published")] == ["submitted", "published"] * 4
    with bench.store.read() as s:
        assert broken(s) == 0


def test_what_cannot_be_submitted_or_released(bench: Any, orange: str, change: Any) -> None:
    """No post, shadow, an Update of nothing, a second Alert, hours that are none, a decision twice, two in one second."""
    assert refusal(submit, bench, orange, post="") == "err.post" and refusal(submit, bench, orange, "Update") == "pub.order"
    for hours in ("0.1", "999", "nan", "soon"):
        assert refusal(submit, bench, orange, hours=hours) == "pub.hours"
    bench.put(shadow := change("water", "chouzhou", 3, scope="shadow"))
    assert refusal(submit, bench, shadow.alert) == "pub.shadow"
    row = submit(bench, orange)
    with bench.store.begin() as s:
        assert refusal(release.refuse, s, row.id, who("leader"), bench.m, "") == "err.reason"
    with bench.store.begin() as s:
        release.refuse(s, row.id, who("leader"), bench.m, "正文没有写转移范围")
    assert refusal(let_out, bench, row.id) == "pub.decided"
    mine = submit(bench, orange)
    with bench.store.begin() as s:
        assert release.refuse(s, mine.id, who("duty"), bench.m, "").state == "retracted"
    let_out(bench, submit(bench, orange).id)
    assert refusal(submit, bench, orange) == "pub.order"
    update = submit(bench, orange, "Update")
    bench.now -= 1_000_000
    assert refusal(let_out, bench, update.id) == "pub.second"
    for missing in (lambda: submit(bench, "nobody"), lambda: let_out(bench, "nobody")):
        with pytest.raises(KeyError):
            missing()


def test_what_a_person_writes_stands(bench: Any, orange: str) -> None:
    """Own words in both languages, own hours; what is left empty is ours; markup is text."""
    row = let_out(bench, submit(bench, orange, headline="兰江<洪水>橙色预警 & 转移", description_en="Leave now.", hours="2").id)

    assert cap_check.faults(row.cap.encode()) == [] and "兰江&lt;洪水&gt;橙色预警 &amp; 转移" in row.cap
    assert row.words["en"]["description"] == "Leave now." and "29.12m" in row.words["zh"]["description"]
    assert row.expires is not None and row.sent is not None and row.expires - row.sent == 7_200_000_000


@pytest.fixture
def web(tmp_path: Path, night: Any, change: Any) -> Iterator[tuple[Any, str, TestClient, TestClient]]:
    """A desk with one orange warning; the browsers of two posts."""
    bench, site = night(tmp_path, fill=False)
    bench.names = Names(replace(bench.names.city, outward=OUTWARD), "7c1e9a00")
    bench.put(one := change("river_level", "lanxi", 3))
    app = make_app(site)
    with TestClient(app, cookies={"post": "duty"}, follow_redirects=False) as duty, \
            TestClient(app, cookies={"post": "leader"}, follow_redirects=False) as leader:
        yield bench, str(one.alert), duty, leader


JSON = {"accept": "application/json"}


def test_feeds_show_what_is_out(web: tuple[Any, str, TestClient, TestClient]) -> None:
    """Nothing before its release; then RSS, JSON and CAP, each with an ETag that changes when they do; a Cancel ends it."""
    bench, id_, duty, leader = web
    assert duty.get("/feeds/alerts.json").json() == {"version": 1, "published": []}
    assert duty.post(f"/publish/{id_}/submit", data={"kind": "Alert"}, headers=JSON).json()["ok"]
    assert duty.get("/feeds/alerts.json").json()["published"] == []
    assert duty.get(f"/feeds/cap/wl-{id_}-1.xml").status_code == 404
    mine = duty.post(f"/publish/wl-{id_}-1/release", headers=JSON)
    assert (mine.status_code, mine.json()["error"]) == (409, "pub.own")
    assert leader.post(f"/publish/wl-{id_}-1/release").headers["location"] == f"/w/{id_}"

    told = duty.get("/feeds/alerts.json")
    (one,) = told.json()["published"]
    assert (one["id"], one["level"], one["state"], one["kind"]) == (f"wl-{id_}-1", "orange", "active", "Alert")
    for path in ("/feeds/alerts.json", "/feeds/alerts.rss", f"/feeds/cap/wl-{id_}-1.xml"):
        answer = duty.get(path)
        same = duty.get(path, headers={"if-none-match": f'"x", {answer.headers["etag"]}'})
        assert (answer.status_code, same.status_code, same.content) == (200, 304, b""), path
    item = ET.fromstring(duty.get("/feeds/alerts.rss").content).find("channel/item")
    assert item is not None and item.findtext("guid") == f"wl-{id_}-1" and "洪水橙色预警" in (item.findtext("title") or "")
    assert cap_check.faults(duty.get(f"/feeds/cap/wl-{id_}-1.xml").content) == []
    assert national.faults(duty.get(f"/feeds/national/wl-{id_}-1.xml").content) == []
    bench.now += 5_000_000
    assert duty.post(f"/publish/{id_}/submit", data={"kind": "Cancel", "note": "水位已回落"}, headers=JSON).json()["ok"]
    leader.post(f"/publish/wl-{id_}-2/release")
    states = {p["kind"]: p["state"] for p in duty.get("/feeds/alerts.json").json()["published"]}
    assert states == {"Alert": "superseded", "Cancel": "cancelled"}
    assert duty.get("/feeds/alerts.json").headers["etag"] != told.headers["etag"]


def test_all_and_drills(web: tuple[Any, str, TestClient, TestClient], change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """?all=1 has the open warnings besides; a drill's message is in no feed and says Exercise; a signature where a key is."""
    bench, id_, duty, leader = web
    drill = change("water", "chouzhou", 4, scope="exercise")
    bench.put(drill)
    duty.post(f"/publish/{drill.alert}/submit", data={"kind": "Alert"})
    leader.post(f"/publish/wl-{drill.alert}-1/release")

    told = duty.get("/feeds/alerts.json?all=1").json()
    assert told["published"] == [] and {a["id"] for a in told["alerts"]} == {id_, drill.alert}
    assert "<status>Exercise</status>" in duty.get(f"/feeds/cap/wl-{drill.alert}-1.xml").text
    assert duty.get(f"/feeds/cap/wl-{drill.alert}-1.sig").status_code == 404
    monkeypatch.setenv("WANGLOU_SECRET_CAP_SIGNING", "key")
    assert duty.get(f"/feeds/cap/wl-{drill.alert}-1.sig").json()["algorithm"] == "HMAC-SHA256"
    assert duty.get("/feeds/cap/nothing.xml").status_code == 404


def test_a_refusal_keeps_what_was_typed(web: tuple[Any, str, TestClient, TestClient]) -> None:
    """Without script: the page again with the reason and the words that were typed; a warning that is not there is 404."""
    _, id_, duty, _ = web
    answer = duty.post(f"/publish/{id_}/submit", data={"kind": "Alert", "hours": "999", "headline": "自己写的标题<b>"})

    assert answer.status_code == 409 and "有效期须在" in answer.text and "自己写的标题&lt;b&gt;" in answer.text
    assert duty.post("/publish/none/submit", data={"kind": "Alert"}).status_code == 404
    assert duty.post("/publish/none/release", headers=JSON).status_code == 404
    assert json.loads(duty.post(f"/publish/{id_}/submit", json={"kind": "Cancel", "note": "没有发布过"}).text)["error"] == "pub.order"
