"""人工接报: readings by the way of every feed, alerts by the normal ladder; all faults at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from streams.desk.api.app import make_app
from streams.desk.publish import hand, xlsx
from streams.desk.publish.courier import Courier
from streams.desk.publish.tables import Parcel
from streams.desk.tables import Alert, Audit
from streams.errors import Unavailable

JSON = {"accept": "application/json"}
HEAD = "time,site,indicator,value\n"


@pytest.fixture
def web(tmp_path: Path, night: Any) -> Iterator[tuple[Any, TestClient]]:
    """An empty desk and a browser."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False) as made:
        yield bench, made


def alert(web: TestClient, **more: str) -> Any:
    """Report one."""
    body = {"pack": "basin", "place": "site=lanxi", "what": "堤身渗漏", "level": "orange", "reason": "巡查员电话报告，已核实位置"}
    return web.post("/report/alert", data=body | more, headers=JSON)


def test_an_alert_by_hand(web: tuple[Any, TestClient]) -> None:
    """It has a source, a title and no number that nobody measured; it climbs its ladder and is answered, lowered and closed."""
    bench, client = web
    id_ = alert(client).json()["id"]
    row = bench.alert(id_)

    assert (row.detector, row.rule, row.level, row.value, row.bound, row.state) == ("manual", "堤身渗漏", 3, None, None, "calling")
    assert bench.steps(id_)[0] == (1, "lanxi-water", "called")
    assert {"opened", "by_hand", "ladder", "called"} <= set(bench.acts(id_))
    page = client.get(f"/w/{id_}").text
    assert "堤身渗漏 · 兰溪市 兰溪站" in page and "人工定级" in page and "人工接报，定为橙 Ⅱ级" in page
    bench.now += 60_000_000
    assert alert(client, level="red").json()["id"] == id_                # the same thing again: the same 预警单, worse
    assert bench.alert(id_).level == 4 and bench.alert(id_).run == 2
    bench.do(id_, "answer", "lanxi-water")
    bench.now += 60_000_000
    assert client.post(f"/report/{id_}/level", data={"level": "0", "reason": "渗漏已封堵，停止出水"}).status_code == 303
    row = bench.alert(id_)
    assert row.level == 0 and row.back is not None and row.value is None
    assert client.post(f"/report/{id_}/level", data={"level": "0", "reason": "渗漏已封堵，停止出水"}, headers=JSON).status_code == 409
    assert client.post("/report/nothing/level", data={"level": "1", "reason": "渗漏已封堵"}, headers=JSON).status_code == 404


def test_an_area_a_time_and_a_drill(web: tuple[Any, TestClient]) -> None:
    """An area instead of a site; since when; a drill is a drill in its message too."""
    bench, client = web
    area = bench.alert(alert(client, place="area=admin:yiwu", when="2026-06-24T01:40", level="yellow").json()["id"])
    drill = alert(client, drill="1").json()["id"]

    assert (area.area, area.site, area.onset) == ("admin:yiwu", "", 1_782_236_400_000_000)
    assert bench.alert(drill).scope == "exercise"
    with bench.store.read() as s:
        from streams.desk.tables import Delivery

        assert all(d.text.startswith("[演练] ") for d in s.scalars(select(Delivery).where(Delivery.alert == drill)))


@pytest.mark.parametrize(("given", "key"), [
    ({"pack": "sea"}, "report.what_fault"), ({"place": "site=nowhere"}, "report.what_fault"), ({"what": "x"}, "report.what_fault"),
    ({"level": "normal"}, "mutes.level"), ({"level": "9"}, "mutes.level"), ({"reason": "短"}, "err.reason"),
    ({"when": "soon"}, "mutes.when"), ({"when": "2026-01-01T00:00"}, "report.when_fault"), ({"when": "2026-06-25T00:00"}, "report.when_fault")])
def test_alerts_that_are_refused(web: tuple[Any, TestClient], given: dict[str, str], key: str) -> None:
    """Each with its reason, and nothing is left of it; the page keeps what was typed."""
    bench, client = web
    answer = alert(client, **given)

    assert (answer.status_code, answer.json()["error"]) == (409, key)
    with bench.store.read() as s:
        assert s.scalars(select(Alert)).all() == []
    again = client.post("/report/alert", data={"pack": "basin", "what": "堤身<渗漏>", "place": "", "level": "red", "reason": "巡查员报告"})
    assert again.status_code == 409 and "堤身&lt;渗漏&gt;" in again.text


def readings(client: TestClient, rows: str = "", file: bytes = b"", name: str = "a.csv", **more: str) -> Any:
    """Report some."""
    files = {"file": (name, file)} if file else None
    return client.post("/report/readings", data={"rows": rows, "reason": "水文站人工观测"} | more, files=files, headers=JSON)


def test_readings_go_the_way_of_every_feed(web: tuple[Any, TestClient]) -> None:
    """Times are the city's; one audit row; they are on their way once, tried again while the broker is away."""
    bench, client = web
    took: list[Any] = []

    def put(rows: Any) -> None:
        if not took:
            took.append(None)
            raise Unavailable("no broker")
        took.append(rows)

    answer = readings(client, HEAD + "2026-06-24 02:00,lanxi,river_level,28.51\n2026-06-24 02:05,houzhai,rain,12\n")
    assert (answer.status_code, answer.json()) == (202, {"ok": True, "accepted": 2, "rejected": []})
    courier = Courier(bench.store, {}, lambda: bench.m, "http://x", put)
    for _ in range(3):
        courier.pump()
        bench.now += 10_000_000
    assert took[1:] == [[["river_level@lanxi", "lanxi", "basin", 1_782_237_600_000_000, 28.51, 0],
                         ["rain@houzhai", "houzhai", "basin", 1_782_237_900_000_000, 12.0, 0]]]
    with bench.store.read() as s:
        row = s.scalar(select(Audit).where(Audit.act == "reported"))
    assert (row.post, row.what["n"], row.what["reason"]) == ("duty", 2, "水文站人工观测")
    assert "2 条读数" in client.get("/report").text and "已写入" in client.get("/report").text


def test_all_faults_at_once(web: tuple[Any, TestClient]) -> None:
    """Every fault by row and column, on the page and as JSON; then nothing at all is taken."""
    bench, client = web
    rows = HEAD + ("2026-06-24 02:00,lanxi,river_level,28.5\nsoon,lanxi,river_level,1\n2026-06-24 02:00,lanxii,river_level,1\n"
                   "2026-06-24 02:00,lanxi,depth,1\n2026-06-24 02:00,lanxi,river_level,viel\n2026-06-24 02:00,lanxi\n")
    answer = readings(client, rows).json()

    assert not answer["ok"] and answer["accepted"] == 0
    assert [(f["reason"], f["place"]) for f in answer["rejected"]] == [
        ("time", "line 3, time"), ("site", "line 4, site"), ("indicator", "line 5, indicator"), ("number", "line 6, value"), ("field", "line 7")]
    page = client.post("/report/readings", data={"rows": rows, "reason": "水文站人工观测"})
    assert page.status_code == 422 and "5 处有误" in page.text and "line 6, value" in page.text and "lanxii" in page.text
    for wrong in (readings(client, ""), readings(client, "nonsense"), readings(client, HEAD)):
        assert wrong.status_code in (409, 422) and not wrong.json()["ok"]
    assert readings(client, HEAD + "2026-06-24 02:00,lanxi,river_level,28.5\n", reason="短").json()["error"] == "err.reason"
    assert readings(client, file=b"x" * ((2 << 20) + 1)).json()["error"] == "report.big"
    with bench.store.read() as s:
        assert s.scalars(select(Parcel)).all() == []


SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def book(rows: str, shared: str = "", **parts: str) -> bytes:
    """A spreadsheet of one sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{SHEET}"><sheetData>{rows}</sheetData></worksheet>')
        z.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SHEET}">{shared}</sst>')
        for name, text in parts.items():
            z.writestr(name, text)
    return out.getvalue()


def test_a_spreadsheet_of_excel(web: tuple[Any, TestClient]) -> None:
    """Shared and inline strings, a date as a number, a gap; what is none is refused with a word."""
    _bench, client = web
    head = "".join(f'<c r="{c}1" t="s"><v>{n}</v></c>' for n, c in enumerate("ABCD"))
    row = ('<c r="A2"><v>46197.0833333333</v></c><c r="B2" t="inlineStr"><is><t>lanxi</t></is></c><c r="C2" t="s"><v>4</v></c>'
           '<c r="D2"><v>28.5</v></c>')
    words = "".join(f"<si><t>{w}</t></si>" for w in ("time", "site", "indicator", "value", "river_level"))
    data = book(f"<row>{head}</row><row>{row}</row>", words)

    assert xlsx.as_csv(data) == b"time,site,indicator,value\n2026-06-24 02:00:00,lanxi,river_level,28.5\n"
    assert readings(client, file=data, name="a.xlsx").json()["accepted"] == 1
    for wrong in (b"PK\x03\x04 not a book", book("<row><c r='A1' t='s'><v>9</v></c></row>"), book("<row")):
        answer = readings(client, file=wrong, name="a.xlsx")
        assert answer.status_code == 422 and answer.json()["rejected"][0]["what"]
    with pytest.raises(ValueError, match="DTD"):
        xlsx.as_csv(_with_dtd())


def _with_dtd() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("xl/worksheets/sheet1.xml", f'<!DOCTYPE a [<!ENTITY b "c">]><worksheet xmlns="{SHEET}">&b;</worksheet>')
    return out.getvalue()


def test_reading_a_city_s_rows(city: Any) -> None:
    """GBK, a byte order mark, a zone of its own, and the rules of the plan, all by the feed's own decoder."""
    now = 1_782_238_640_000_000
    for data in ((HEAD + "2026-06-23T18:00:00Z,lanxi,river_level,28.5\n").encode("utf-8-sig"),
                 ("time,site,indicator,value,备注\n2026-06-24 02:00,lanxi,river_level,28.5,人工\n").encode("gbk")):
        found, faults = hand.read(city, data, now)
        assert faults == [] and [(r.series, r.t) for r in found] == [("river_level@lanxi", 1_782_237_600_000_000)]
