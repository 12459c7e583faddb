"""The desk over HTTP, without a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select, text
from starlette.testclient import TestClient

from detectors.event import Change
from streams.desk.api.app import make_app
from streams.desk.api.stream import Reader
from streams.desk.meter import Meter
from streams.desk.pages.board import Filter
from streams.desk.pages.nav import parts
from streams.desk.pages.render import STATIC
from streams.desk.tables import Item
from streams.metrics import CATALOGUE

NASTY = "<img src=x onerror=alert(1)>\u202e" + "长" * 300


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, night: Any) -> Any:
    """A desk with the night on it."""
    return night(tmp_path_factory.mktemp("api"))


@pytest.fixture
def client(told: Any) -> Iterator[TestClient]:
    """A browser whose post is `duty`."""
    with TestClient(make_app(told[1]), cookies={"post": "duty"}, follow_redirects=False) as made:
        yield made


@pytest.fixture
def fresh(tmp_path: Path, night: Any) -> tuple[Any, Any, TestClient]:
    """An empty desk of one's own."""
    bench, site = night(tmp_path, fill=False)
    return bench, site, TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False)


def everything(bench: Any) -> list[Any]:
    """All rows of all tables."""
    from streams.desk.tables import Base

    with bench.store.read() as s:
        return [list(s.execute(t.select())) for t in Base.metadata.sorted_tables]


def test_reading_changes_nothing(told: Any, client: TestClient) -> None:
    """A hundred looks at every page, by whoever previews links, leave every table as it was."""
    before = everything(told[0])
    ids = [a["id"] for a in client.get("/api/alerts").json()]
    pages = [
        "/",
        "/?q=水位",
        "/?level=red&pack=basin&area=yiwu",
        "/?mine=1",
        "/healthz",
        "/readyz",
        "/metrics",
        *(f"/w/{i}" for i in ids),
        *(f"/api/alerts/{i}" for i in ids),
    ]
    for page in pages * 5:
        assert client.get(page, headers={"User-Agent": "DingTalkBot"}).status_code == 200, page
    for act in ("answer", "close", "news"):
        assert client.get(f"/w/{ids[0]}/{act}").status_code == 405

    assert everything(told[0]) == before


def test_every_answer_carries_the_headers_and_nothing_inline(client: TestClient) -> None:
    """CSP without unsafe, no referrer; no style attribute, no inline script, no other host, no handler attribute."""
    for page in ("/", "/w/" + client.get("/api/alerts").json()[0]["id"], "/nowhere"):
        answer = client.get(page)
        assert answer.headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' data:; object-src 'none'")
        assert "unsafe" not in answer.headers["content-security-policy"] and answer.headers["referrer-policy"] == "no-referrer"
        assert not re.search(r"<[^>]*\s(style|on\w+)=", answer.text)
        assert set(re.findall(r"<script[^>]*>(.*?)</script>", answer.text)) <= {""}
        assert not re.search(r"(src|href|action)=\"(https?:)?//", answer.text)


def test_sizes(client: TestClient) -> None:
    """The sheet, the script and the page stay small."""
    css, js = len((STATIC / "desk.css").read_bytes()), sum(len(f.read_bytes()) for f in STATIC.glob("*.js"))
    assert len((STATIC / "desk.js").read_bytes()) <= 8192 and css <= 20_480
    assert len(client.get("/").content) + css + js < 100_000
    for a in client.get("/api/alerts").json():
        assert len(client.get(f"/w/{a['id']}").content) < 60_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({}, 303),
    ],
)
def test_other_sites_cannot_act(fresh: Any, change: Any, headers: dict[str, str], status: int) -> None:
    """An unsafe method from elsewhere is refused and does nothing; the desk answers to its own names only."""
    bench, _, client = fresh
    bench.put(blue := change("river_level", "lanxi", 1))
    assert client.post(f"/w/{blue.alert}/answer", headers=headers).status_code == status
    assert bench.alert(blue.alert).state == ("answered" if status == 303 else "calling")
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 403


def test_answer_by_a_plain_form(fresh: Any, change: Any) -> None:
    """Without script: redirect and done; the second gets the page that says who was first, and what was typed is kept."""
    bench, _, client = fresh
    bench.put(orange := change("methane", "renmin", 3))
    no = client.post(f"/w/{orange.alert}/answer_for", data={"reason": "嗯", "back": "/"})
    assert no.status_code == 409 and "请写明理由（至少 5 字）" in no.text and ">嗯</textarea>" in no.text
    yes = client.post(f"/w/{orange.alert}/answer_for", data={"reason": "电话联系了值班员乙", "back": "/"})
    assert (yes.status_code, yes.headers["location"]) == (303, "/")
    late = client.post(f"/w/{orange.alert}/answer_for", data={"reason": "电话联系了值班员乙"})
    assert late.status_code == 409 and re.search(r"值班员甲 已于 [\d:]+ 应答", late.text)


def test_answer_by_json(fresh: Any, change: Any) -> None:
    """Programs get JSON: state, or the key of the refusal with its words; unknown things are 404 and 400."""
    bench, _, client = fresh
    bench.put(blue := change("river_level", "lanxi", 1))
    asked = {"Accept": "application/json"}
    ok = client.post(f"/w/{blue.alert}/answer", json={})
    assert (ok.status_code, ok.json()["ok"], ok.json()["state"]) == (200, True, "answered") and 'data-sect="doing"' in ok.json()[
        "row"
    ]
    raced = client.post(f"/w/{blue.alert}/answer", json={}).json()
    assert (raced["ok"], raced["error"], raced["answered_by"]) == (False, "err.raced", "duty")
    assert client.post("/w/none/answer", headers=asked).status_code == 404
    assert client.post(f"/w/{blue.alert}/explode", headers=asked).status_code == 400
    assert client.post(f"/w/{blue.alert}/news", content=b"[1]", headers={"Content-Type": "application/json"}).status_code == 400
    closed = client.post(f"/w/{blue.alert}/close", json={"reason": "巡查正常无险情", "disposition": "true"})
    assert (closed.status_code, closed.json()["error"]) == (409, "err.over")
    client.cookies.set("post", "leader")
    assert (
        client.post(f"/w/{blue.alert}/close", json={"reason": "巡查正常无险情", "disposition": "true"}).json()["state"]
        == "closed"
    )


def test_without_a_post_nobody_acts(fresh: Any, change: Any) -> None:
    """The buttons are shown disabled with the reason; the deed is refused; an unknown post is no post."""
    bench, _, client = fresh
    bench.put(orange := change("river_level", "lanxi", 3))
    for post in ("", "nobody"):
        client.cookies.set("post", post)
        assert re.search(r'<button class="btn" disabled title="先在页首选定岗位">', client.get("/").text)
        assert client.post(f"/w/{orange.alert}/answer", json={}).json()["error"] == "err.post"


def test_prefs_are_cookies_and_lead_nowhere_else(client: TestClient) -> None:
    """Post, theme; back only to a path of this desk."""
    answer = client.post("/prefs", data={"theme": "dark", "post": "leader", "back": "//evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = client.get("/", headers={"Cookie": "theme=dark; post=leader"}).text
    assert 'data-theme="dark"' in page and '<option value="leader" selected>' in page
    assert client.get("/?lang=en").headers["set-cookie"].startswith("lang=en")


def test_mute_is_short_and_audited(fresh: Any) -> None:
    """Ten minutes at most; without a post not at all."""
    bench, _, client = fresh
    assert client.post("/mute", json={"seconds": 99999}).json()["until"] == bench.now // 1000 + 600_000
    assert f'data-until="{bench.now // 1000 + 600_000}"' in client.get("/").text
    client.cookies.set("post", "")
    assert client.post("/mute", json={}).status_code == 409


def test_what_people_write_is_text_everywhere(fresh: Any, change: Any, city: Any) -> None:
    """Markup, right-to-left marks and 4 000 characters in names, reasons and news are shown, never run."""
    from dataclasses import replace

    from detectors.pack import Site, Text
    from streams.desk.names import Names

    bench, _, client = fresh
    sites = city.sites | {"lanxi": Site("lanxi", Text(NASTY, NASTY), areas={"admin": "lanxi"})}
    bench.names = Names(replace(city, sites=sites), "7c1e9a00")
    bench.put(blue := change("river_level", "lanxi", 1))
    bench.do(blue.alert, "answer", "duty")
    bench.do(blue.alert, "news", "duty", NASTY)
    for page in ("/", f"/w/{blue.alert}", f"/w/{blue.alert}?lang=en", f"/?q={NASTY[:28]}"):
        html = client.get(page).text
        assert "<img" not in html and "&lt;img" in html


def test_both_languages_fill_every_page(client: TestClient) -> None:
    """No key and no placeholder is left on a page; English shows no Chinese of ours."""
    ids = [a["id"] for a in client.get("/api/alerts").json()]
    for lang in ("zh", "en"):
        for page in ("/", *(f"/w/{i}" for i in ids)):
            html = re.sub(r'data-words="[^"]*"', "", client.get(f"{page}?lang={lang}").text)
            assert not re.search(
                r"\b(act|state|log|step|sent|err|w|sect)\.[a-z_]+\b", re.sub(r'(name|id|class|href|action)="[^"]*"', "", html)
            )
            assert "{" not in re.sub(r"<(style|script|pre).*?</\1>|href=\"data:[^\"]*\"", "", html, flags=re.S)
    assert "须立即应答" not in client.get("/?lang=en").text and "Answer now" in client.get("/?lang=en").text


def test_the_row_answers_without_a_click(client: TestClient) -> None:
    """What, where, how bad, value against limit, since when, who and how long, what was sent, was it received."""
    html = client.get("/").text
    red = re.search(r'<li class="row red ask".*?</li>\s*(?=<li class="row|</ol>)', html, re.S)
    assert red is not None
    words = re.sub(r"<[^>]+>", " ", red.group(0))
    for said in (
        "红 Ⅰ级",
        "窨井甲烷 · 婺城区 人民路 W-0417",
        "%VOL",
        "Ⅰ级限值 1.00",
        "已 ",
        "你：值班员甲",
        "第 2/3 棒 → 带班领导甲",
        "电话 已",
    ):
        assert said in words, said
    assert "data-until" in red.group(0) and 'class="ser"' in red.group(0)


def test_groups_fold_and_nothing_is_hidden(client: TestClient) -> None:
    """The rule is one row with its members inside; a filter says how many it hides, reds too; the search box stays."""
    html = client.get("/").text
    assert "暴雨 · 义乌市 2 处中 2 处" in html and html.count('class="row orange"') == 2
    none = client.get("/?q=没有这个").text
    assert "没有符合“没有这个”的预警" in none and "筛选隐藏了 7 条（1 红）" in none and 'value="没有这个"' in none


def test_many_rows_come_in_helpings(fresh: Any, change: Any, city: Any) -> None:
    """Eighty rows, the worst first, and a link to more that keeps the filter; the page stays below 150 kB."""
    from dataclasses import replace

    from detectors.pack import Site, Text
    from streams.desk.names import Names

    bench, _, client = fresh
    bench.names = Names(replace(city, sites=city.sites | {f"s{n}": Site(f"s{n}", Text(f"站{n}")) for n in range(100)}))
    bench.put(*(change("river_level", f"s{n}", 1 + n % 4) for n in range(100)))
    page = client.get("/?pack=basin")
    assert page.text.count('<li class="row') == 80 and len(page.content) < 150_000
    more = re.search(r'href="\?(pack=basin&amp;n=160)">再看 20 条', page.text)
    assert more is not None and client.get("/?pack=basin&n=160").text.count('<li class="row') == 100
    assert [page.text.count(f'<li class="row {x}') for x in ("red", "orange", "yellow", "blue")] == [25, 25, 25, 5]


def test_an_empty_desk_says_whether_data_flows(fresh: Any) -> None:
    """No open warning: with how many report; of those never heard none does."""
    bench, _, client = fresh
    assert "没有未关闭的预警" in client.get("/").text and "在报 0/8" in client.get("/").text
    bench.put(*(Change(kind="fresh", time=bench.now, arrived=bench.now, pack="basin", site=site, indicator="river_level", fresh="fresh")
                for site in ("lanxi", "sanhe")))
    assert "在报 2/8" in client.get("/").text


def test_the_warning_page_tells_all(client: TestClient) -> None:
    """Seven steps, chart and table, the rule with its deciding line, the ladder, the timeline, and moves with their refusals."""
    id_ = next(a["id"] for a in client.get("/api/alerts").json() if (a["site"], a["level"]) == ("lanxi", "orange"))
    html = client.get(f"/w/{id_}").text
    for said in (
        "发现",
        "送达",
        "核验",
        'class="ch"',
        'class="fl"',
        'class="flx"',
        'class="band"',
        "缺测",
        "可疑",
        f"wanglou explain {id_}",
        '<span class="hi">    orange: {above: 29, hold: 600s}</span>',
        "readings 1:48113",
        "7c1e9a00",
        "兰溪市水利局 值班员丁 应答",
        "巡堤 3 组已出发",
        "读数仍超限：只有带班领导可写明理由关闭",
    ):
        assert said in html, said


def test_who_answered_for_whom(client: TestClient) -> None:
    """The ladder names the post that was called and the one that answered for it, with the time of the answer."""
    id_ = next(a["id"] for a in client.get("/api/alerts").json() if a["rule"])
    words = re.sub(r"<[^>]+>", " ", client.get(f"/w/{id_}").text)
    assert re.search(r"婺城区建设局 值班员乙\s+[\d:]+ 由 值班员甲 代应答", words)


def test_json_of_an_alert(client: TestClient) -> None:
    """Levels as words, times as ISO; events, steps, deliveries and audit beside it; nothing for an unknown id."""
    alert = next(a for a in client.get("/api/alerts?open=true").json() if a["site"] == "renmin")
    whole = client.get(f"/api/alerts/{alert['id']}").json()
    assert (whole["level"], whole["state"], whole["onset"][-1]) == ("red", "calling", "Z")
    assert [e["to"] for e in whole["events"]] == ["red"] and [x["state"] for x in whole["steps"]] == [
        "expired",
        "called",
        "waiting",
    ]
    assert whole["audit"][0]["act"] == "opened" and {d["channel"] for d in whole["deliveries"]} == {"log"}
    assert client.get("/api/alerts/none").status_code == 404 and client.get("/api/nothing").json()["detail"] == "Not Found"


def test_receipts_come_by_json(client: TestClient) -> None:
    """A provider tells of a delivery; nonsense is refused with its place."""
    key = next(
        d["key"] for a in client.get("/api/alerts").json() for d in client.get(f"/api/alerts/{a['id']}").json()["deliveries"]
    )
    assert client.post(f"/api/deliveries/{key}/receipt", json={"receipt": "read"}).json() == {"key": key, "receipt": "read"}
    assert client.post(f"/api/deliveries/{key}/receipt", json={"receipt": "eaten"}).status_code == 422
    assert client.post("/api/deliveries/none/receipt", json={"receipt": "read"}).status_code == 404


def test_metrics_are_those_declared(told: Any, client: TestClient) -> None:
    """Every name and label is in the table; drills and shadow are in no count of scope real."""
    bench, site = told
    meter = Meter(bench.store, site.metrics, lambda: bench.names, lambda: bench.now)
    meter.seq = 0
    meter.catch_up()
    seen = {f.name: f for f in text_string_to_metric_families(client.get("/metrics").text)}
    samples = [x for f in seen.values() for x in f.samples]
    for sample in samples:
        assert set(sample.labels) == set(CATALOGUE[sample.name]), sample.name
    real = [x for x in samples if x.name == "wanglou_alerts_open" and x.labels["scope"] == "real"]
    assert sum(x.value for x in real) == 8 and {x.labels["area"] for x in real} >= {"admin:lanxi", "admin:yiwu"}
    red = [x.value for x in samples if x.name == "wanglou_unanswered_since_timestamp_seconds" and x.labels == {"level": "red"}]
    assert red == [bench.now / 1e6 + 0.2 * 60 - 12 - 4.4 * 60]
    assert sum(x.value for x in samples if x.name == "wanglou_answer_seconds_count") == 4


def test_ready_or_why_not(told: Any, client: TestClient) -> None:
    """503 with the reason."""
    assert client.get("/readyz").status_code == 200
    told[1].ready = lambda: "events: no broker"
    answer = client.get("/readyz")
    told[1].ready = lambda: ""
    assert (answer.status_code, answer.json()["fault"]) == (503, "events: no broker")


def test_a_page_that_fails_says_so(told: Any) -> None:
    """Never blank: what failed, a number, the way back; a database that is away is 503."""
    from sqlalchemy.exc import OperationalError

    broken, away = told[1].names, OperationalError("x", {}, Exception("gone"))
    with TestClient(make_app(told[1]), raise_server_exceptions=False) as client:
        try:
            told[1].names = lambda: (_ for _ in ()).throw(away)
            answer = client.get("/")
        finally:
            told[1].names = broken
    assert answer.status_code == 503 and "预警台无主" in answer.text and re.search(r"\b[0-9a-f]{8}\b", answer.text)


def test_history_may_be_away(told: Any, client: TestClient) -> None:
    """Without readings the pages are whole, with the event's own value."""
    from streams.desk.series import Readings

    kept, told[1].readings = told[1].readings, Readings("")
    try:
        assert client.get("/").status_code == 200
        for a in client.get("/api/alerts").json():
            assert client.get(f"/w/{a['id']}").status_code == 200
    finally:
        told[1].readings = kept


def test_the_stream_replays_and_never_doubles(fresh: Any, change: Any) -> None:
    """What happened since a number, once; closed rows are gone; one that was away too long reloads."""
    bench, site, _ = fresh
    reader = Reader(site, bench.names.actor("duty"), "zh", Filter(), 0)
    assert reader.news() == []
    bench.put(blue := change("river_level", "lanxi", 1))
    first = reader.news()
    assert [re.search(r"event: (\w+)", x).group(1) for x in first] == ["row", "tally"]  # type: ignore[union-attr]
    assert f'id="w{blue.alert}"' in first[0] and first[1].startswith(f"id: {bench.store.head()}\n") and reader.news() == []

    bench.do(blue.alert, "answer", "duty")
    again = Reader(site, bench.names.actor("duty"), "zh", Filter(), 1)
    assert 'data-sect="doing"' in again.news()[0]
    bench.put(change("river_level", "lanxi", 0, 1, 1, onset=blue.time))
    bench.do(blue.alert, "close", "duty", "巡查正常无险情", "true")
    assert "event: gone\ndata: " + blue.alert in reader.news()[0]
    assert json.loads(reader.beat().split("data: ")[1])["leader"] is True


def test_the_stream_keeps_to_the_readers_filter(fresh: Any, change: Any) -> None:
    """A row that the filter hides is not sent to that page."""
    bench, site, _ = fresh
    reader = Reader(site, bench.names.actor("duty"), "zh", Filter(levels=frozenset({"red"})), 0)
    bench.put(change("river_level", "lanxi", 1))
    assert not any("event: row" in x for x in reader.news())


def test_a_covered_row_lies_in_its_group(fresh: Any, change: Any, rule: Any) -> None:
    """The member leaves the list and its group is sent; afterwards it comes back."""
    bench, site, _ = fresh
    bench.put(low := change("rain", "houzhai", 2))
    reader = Reader(site, bench.names.actor("duty"), "zh", Filter(), bench.store.head())
    bench.put(rule(3))
    sent = "".join(reader.news())
    assert f"event: gone\ndata: {low.alert}" in sent and f'id="w{rule().alert}"' in sent and f'href="/w/{low.alert}"' in sent
    bench.put(rule(0, 3, 1))
    assert f'id="w{low.alert}"' in "".join(reader.news())


def test_the_served_history_is_the_newest_vintage(told: Any) -> None:
    """A revised reading shows once, with its newest value."""
    readings, t = told[1].readings, told[0].now - 3_600_000_000
    with readings.engine.connect() as c:
        c.exec_driver_sql("COMMIT")
        c.execute(
            text("INSERT INTO reading VALUES ('x@y', :t, :a, 1.0, 1, ''), ('x@y', :t, :b, 2.0, 3, 'rate')"),
            {"t": t, "a": t, "b": t + 1},
        )
        c.commit()
    assert [(r.value, r.flag, r.check) for r in readings.window("x@y", t - 1, t + 1)] == [(2.0, 3, "rate")]


def test_an_alert_of_an_area_is_shown(fresh: tuple[Any, Any, TestClient], change: Any) -> None:
    """A detector over a whole area: one alert an area, with its name; a page, a line of the board and an item of silence for each."""
    bench, _, browser = fresh
    bench.put(*(change("rain", "", 3, area=area, alert=area[6:]) for area in ("admin:yiwu", "admin:lanxi")))
    bench.put(*(replace(change("rain", "", 3, area=area), kind="fresh", fresh="stale", id=area, detector="")
                for area in ("admin:yiwu", "admin:lanxi")))
    found = {a["area"]: a for a in browser.get("/api/alerts").json()}
    assert set(found) == {"admin:yiwu", "admin:lanxi"}
    assert "义乌市" in browser.get("/").text
    for a in found.values():
        page = browser.get(f"/w/{a['id']}")
        assert page.status_code == 200 and ("义乌市" if a["area"] == "admin:yiwu" else "兰溪市") in page.text
    with bench.store.read() as s:
        assert sorted(s.scalars(select(Item.name))) == ["rain@admin:lanxi", "rain@admin:yiwu"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"seconds": "nan", "level": "purple", "count": "1e9"}'],
                         ids=["torn", "no object", "no text", "too deep", "nonsense"])
def test_what_cannot_be_read_breaks_no_door(fresh: Any, body: bytes) -> None:
    """Every POST of the desk answers a body that it cannot read with a refusal, never with a fault of its own."""
    _, site, _ = fresh
    client = TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False, raise_server_exceptions=False)
    doors = [r.path for part in parts() for r in part.router.routes if "POST" in getattr(r, "methods", ())]
    assert len(doors) > 20
    said = {door: client.post(door.replace("{act}", "answer").replace("{", "").replace("}", ""), content=body,
                              headers={"content-type": "application/json"}).status_code for door in doors}
    assert {door: status for door, status in said.items() if status >= 500} == {}
