"""The roster: sheets with all their faults at once, who is on shift, gaps as alerts, swaps by two, hand-overs by two, iCalendar."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.event import Change
from detectors.pack import City, Duty
from streams.desk.alert import Actor, Refused
from streams.desk.duty import deeds, handover, ical, watch
from streams.desk.duty.roster import addresses, charge, gaps, on_shift_at, shift_id
from streams.desk.duty.sheet import moment_of, read
from streams.desk.duty.tables import Person, Shift
from streams.desk.names import Names
from streams.desk.tables import Alert, Audit, Delivery

Make = Callable[..., Change]
H = 3_600_000_000
T0 = 1_782_238_640_000_000          # 2026-06-24 02:17:20 in Shanghai
MIDNIGHT = 1_782_230_400_000_000
NUMBER = "13900001111"
HEAD = "post,from,to,person,label,name,gateway_sms\n"
ROSTER = HEAD + f"""duty,2026-06-24 00:00,2026-06-24 08:00,P01,夜,某甲,{NUMBER}
duty,2026-06-24 08:00,2026-06-24 16:00,P02,白,某乙,13900002222
duty,2026-06-24 16:00,2026-06-24 24:00,P03,晚,某丙,13900003333
leader,2026-06-24 00:00,2026-06-25 00:00,P09,全天,某丁,
"""


def load(bench: Any, text: str = ROSTER) -> None:
    """A sheet into force."""
    with bench.store.begin() as s:
        sheet = read(text.encode(), bench.names.posts, s.scalars(select(Person.code)))
        assert sheet.faults == []
        deeds.enforce_sheet(s, sheet.plain(), bench.names.actor("leader"), bench.m)


def signs(bench: Any, *posts: str, **more: Any) -> None:
    """The plan says which posts sign, and are covered."""
    bench.names = Names(replace(bench.names.city, duty=Duty(signs=posts, **more)))


def in_charge(bench: Any, at: int, post: str = "duty") -> str:
    """The code of who is in charge."""
    with bench.store.read() as s:
        return charge(s, post, at, bench.names.city.duty.signs).person


def xlsx(rows: list[list[str]]) -> bytes:
    """A workbook of one sheet, as a spreadsheet writes it."""
    cell = "".join
    body = cell(f'<row r="{n}">' + cell(f'<c r="{chr(65 + i)}{n}"' + (f"><v>{x}</v></c>" if re.fullmatch(r"[\d.]+", x) else
                f' t="inlineStr"><is><t>{x}</t></is></c>') for i, x in enumerate(row)) + "</row>" for n, row in enumerate(rows, 1))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>')
    return out.getvalue()


def test_all_faults_of_a_sheet_come_at_once() -> None:
    """Each with its row and column: post, time, person, order, overlap of a post and of a person, column."""
    text = """岗位,起,止,人员,班次,颜色
dutty,2026-06-24 00:00,2026-06-24 08:00,P01,夜,
duty,昨天,2026-06-24 08:00,P01,夜,
duty,2026-06-24 08:00,2026-06-24 07:00,P01,夜,
duty,2026-06-25 00:00,2026-06-25 08:00,P0l,夜,
duty,2026-06-25 07:00,2026-06-25 16:00,P02,白,
leader,2026-06-25 07:30,2026-06-25 16:00,P02,白,
leader,2026-06-25 18:00,2026-06-26 00:00,P02,晚,
leader,2026-06-27 00:00,2026-06-30 00:00,P02,长,
"""
    sheet = read(text.encode("gb18030"), ("duty", "leader"), ("P01", "P02"))

    assert [(f.row, f.column, f.key) for f in sorted(sheet.faults, key=lambda f: f.row)] == [
        (1, 6, "duty.f_column"), (2, 1, "duty.f_post"), (3, 2, "duty.f_time"), (4, 3, "duty.f_order"), (5, 4, "duty.f_person"),
        (6, 1, "duty.f_twice_post"), (7, 4, "duty.f_twice_person"), (9, 3, "duty.f_long")]
    assert [(h.row, h.key) for h in sheet.hints] == [(8, "duty.h_rest")]
    assert next(f.values["near"] for f in sheet.faults if f.row == 2) == "duty"
    assert [f.key for f in read(b"", ("duty",), ()).faults] == ["duty.f_empty"]
    assert [f.key for f in read(b"post,from,to\nduty,a,b\n", ("duty",), ()).faults] == ["duty.f_missing"]
    assert [f.key for f in read(b"PK\x03\x04no", ("duty",), ()).faults] == ["duty.f_file"]


def test_csv_and_xlsx_are_one() -> None:
    """The same shifts from a file of Excel, with its numbers for times."""
    table = [["post", "from", "to", "person", "name"], ["duty", "46197", "46197.333333333336", "P01", "某甲"],
             ["duty", "2026-06-24 08:00", "2026/6/24 16:00", "", ""]]
    a, b = read(xlsx(table), ("duty",), ()), read(("post,from,to,person,name\nduty,2026-06-24 00:00,2026-06-24 08:00,P01,某甲\n"
                                                   "duty,2026-06-24 08:00,2026-06-24T16:00+08:00,,\n").encode(), ("duty",), ())
    assert a.faults == b.faults == [] and a.plain() == b.plain()
    assert [x.person for x in a.lines] == ["P01", ""]


@pytest.mark.parametrize("word", ["", "24:00", "2026-13-01 00:00", "2026-06-24 25:00", "2026-06-24 24:30", "tomorrow"])
def test_what_is_no_time(word: str) -> None:
    """Is told as such."""
    assert moment_of(word) is None


def test_calls_reach_who_is_on_shift(bench: Any, change: Make) -> None:
    """The person's number where the roster has one; else, or in a gap, the post's own; the log never gets a number."""
    load(bench)
    with bench.store.read() as s:
        assert addresses(s, "duty", "gateway_sms", bench.m) == [NUMBER]
        assert addresses(s, "duty", "log", bench.m) == ["13800000002"]
        assert addresses(s, "wucheng", "log", bench.m) == ["1"]
        bench.now = MIDNIGHT + 30 * H
        assert addresses(s, "duty", "gateway_sms", bench.m) == [""]


def test_a_post_that_signs_changes_only_when_both_have(bench: Any, change: Make) -> None:
    """After the first hand-over: until both signed who went is in charge and both are called; a day later the roster counts."""
    signs(bench, "duty")
    load(bench)
    duty = bench.names.actor("duty")

    def sign(at: int, shift: int, *sides: bool) -> None:
        bench.now = at
        for comes in sides:
            with bench.store.begin() as s:
                handover.sign(s, shift_id("duty", shift), comes, [], "", duty, bench.m)

    assert in_charge(bench, T0) == "P01"
    sign(MIDNIGHT + 8 * H, MIDNIGHT + 8 * H, False, True)
    assert in_charge(bench, bench.now) == "P02"
    sign(MIDNIGHT + 16 * H, MIDNIGHT + 16 * H, False)
    assert in_charge(bench, bench.now) == "P02"
    with bench.store.read() as s:
        assert addresses(s, "duty", "gateway_sms", bench.m) == ["13900002222", "13900003333"]
    sign(MIDNIGHT + 17 * H, MIDNIGHT + 16 * H, True)
    assert in_charge(bench, bench.now) == "P03"
    load(bench, HEAD + "duty,2026-06-26 08:00,2026-06-26 16:00,P02,白,,\n")
    assert in_charge(bench, MIDNIGHT + 57 * H) == "P02"


def test_two_addresses_are_two_messages(bench: Any, change: Make) -> None:
    """While a hand-over is not signed each call goes to both, under keys of their own."""
    signs(bench, "duty")
    load(bench)
    bench.now = MIDNIGHT + 8 * H
    with bench.store.begin() as s:
        for comes in (False, True):
            handover.sign(s, shift_id("duty", MIDNIGHT + 8 * H), comes, [], "", bench.names.actor("duty"), bench.m)
    bench.now = MIDNIGHT + 16 * H + 1
    ladders = tuple(replace(x, steps=tuple(replace(r, channels=("gateway_sms",)) for r in x.steps)) for x in bench.names.city.ladders)
    bench.names = Names(replace(bench.names.city, ladders=ladders))
    bench.put(change("river_level", "lanxi", 1, time=bench.now))
    with bench.store.read() as s:
        rows = s.scalars(select(Delivery).order_by(Delivery.address)).all()
    assert [d.address for d in rows] == ["13900002222", "13900003333"] and len({d.key for d in rows}) == 2


def test_a_near_gap_is_an_alert(bench: Any) -> None:
    """Once, called for by the routes; back when somebody is found; holes count where a post must be covered."""
    signs(bench, cover=("leader",), gap=12 * 3600.0)
    load(bench, ROSTER.replace("P03", "").replace("某丙,13900003333", ","))
    with bench.store.read() as s:
        assert gaps(s, (), T0, T0 + 48 * H) == [("duty", MIDNIGHT + 16 * H, MIDNIGHT + 24 * H)]
        assert ("leader", MIDNIGHT + 24 * H, T0 + 48 * H) in gaps(s, ("leader",), T0, T0 + 48 * H)

    def look() -> list[Any]:
        for _ in range(2):
            with bench.store.begin() as s:
                watch.watch(s, bench.m)
        with bench.store.read() as s:
            return list(s.scalars(select(Alert).order_by(Alert.id)))

    bench.now = MIDNIGHT + 3 * H
    assert look() == []
    bench.now = MIDNIGHT + 5 * H
    (alert,) = look()
    assert (alert.pack, alert.area, alert.level, alert.state) == ("self", "post:duty", 2, "calling")
    with bench.store.read() as s:
        assert "黄 Ⅲ级 排班空岗 值班员甲" in s.scalars(select(Delivery.text)).one()
    with bench.store.begin() as s:
        s.add(Person(code="P04", name="", addresses={}))
        s.flush()
        deeds.man(s, shift_id("duty", MIDNIGHT + 16 * H), "P04", bench.names.actor("leader"), bench.m)
    (alert,) = look()
    assert alert.level == 0 and alert.open


def test_a_swap_needs_both(bench: Any) -> None:
    """Asked by the one, agreed by the other, checked for rest; a refusal or a changed roster leaves all as it was."""
    load(bench, HEAD + "duty,2026-06-25 00:00,2026-06-25 08:00,P01,夜,,1\nduty,2026-06-26 00:00,2026-06-26 08:00,P02,夜,,2\n"
                       "leader,2026-06-26 10:00,2026-06-26 18:00,P01,白,,\n")
    mine, theirs = shift_id("duty", MIDNIGHT + 24 * H), shift_id("duty", MIDNIGHT + 48 * H)
    one, two = Actor("duty", account="P01"), Actor("duty", account="P02")
    with bench.store.begin() as s, pytest.raises(Refused, match=r"duty\.rest"):
        deeds.ask(s, mine, theirs, "家里有事要办", one, bench.m)
    load(bench, HEAD + "leader,2026-06-26 10:00,2026-06-26 18:00,P09,白,x,\n")
    with bench.store.begin() as s:
        with pytest.raises(Refused, match=r"duty\.not_you"):
            deeds.ask(s, mine, theirs, "家里有事要办", two, bench.m)
        swap = deeds.ask(s, mine, theirs, "家里有事要办", one, bench.m)
        with pytest.raises(Refused, match=r"duty\.not_you"):
            deeds.answer(s, swap.id, True, one, bench.m)
        assert s.get_one(Shift, mine).person == "P01"
        deeds.answer(s, swap.id, True, two, bench.m)
        assert (s.get_one(Shift, mine).person, s.get_one(Shift, theirs).person) == ("P02", "P01")
        with pytest.raises(Refused, match=r"duty\.answered"):
            deeds.answer(s, swap.id, False, two, bench.m)


def test_a_sheet_replaces_what_has_not_begun(bench: Any) -> None:
    """Within its span; what has begun and what lies beyond stays; numbers say what was done."""
    load(bench)
    text = HEAD + "duty,2026-06-24 08:00,2026-06-24 12:00,P03,上,,3\nduty,2026-06-24 16:00,2026-06-24 24:00,P02,晚,,\n"
    sheet = read(text.encode(), bench.names.posts, ("P02",))
    with bench.store.begin() as s:
        done = deeds.enforce_sheet(s, sheet.plain(), bench.names.actor("leader"), bench.m)
        rows = [(x.label, x.person) for x in s.scalars(select(Shift).where(Shift.post == "duty").order_by(Shift.start))]
    assert (done.new, done.other, done.gone) == (0, 2, 0) and rows == [("夜", "P01"), ("上", "P03"), ("晚", "P02")]


def test_icalendar_has_codes_and_lines_of_75_octets() -> None:
    """RFC 5545: CRLF, folded lines that unfold to the text, times in UTC; no name, no number."""
    shifts = [Shift(id="duty.1", post="duty", start=MIDNIGHT, end=MIDNIGHT + 8 * H, label="夜", person="P01", stands_for=""),
              Shift(id="duty.2", post="duty", start=MIDNIGHT + 8 * H, end=MIDNIGHT + 16 * H, label="白", person="", stands_for="")]
    text = ical.calendar("市应急指挥中心;值班室，" * 4, shifts, T0, "空岗")
    lines = text.split("\r\n")
    assert all(len(x.encode()) <= 75 for x in lines) and lines[-1] == ""
    whole = text.replace("\r\n ", "")
    assert "DTSTART:20260623T160000Z" in whole and "夜 P01" in whole and "白 空岗" in whole and "中心\\;值班室" in whole


@pytest.fixture
def site(tmp_path: Path, night: Any) -> tuple[Any, Any, TestClient]:
    """The night with a roster, and a browser of the duty officer."""
    bench, made = night(tmp_path)
    load(bench)
    return bench, made, TestClient(make_app(made), cookies={"post": "duty"}, follow_redirects=False)


def make_app(site: Any) -> Any:
    """The application."""
    from streams.desk.api.app import make_app as make

    return make(site)


def test_the_page_shows_who_and_never_a_number(site: Any) -> None:
    """Who is on shift, the week, the gaps; codes only; neither name nor number on any page or in the audit."""
    bench, _, client = site
    load(bench, HEAD + "duty,2026-06-25 00:00,2026-06-25 08:00,,夜,,\n")
    html = client.get("/duty").text
    for said in ("现在谁在岗", "P01", "▸ 夜 P01", "✕ 空岗", "06-25 00:00 – 06-25 08:00", "21 时 42 分后开始"):
        assert said in html, said
    with bench.store.read() as s:
        record = json.dumps([r.what for r in s.scalars(select(Audit))], ensure_ascii=False)
    for page in (html, client.get("/duty?lang=en").text, client.get(f"/handover/{shift_id('duty', MIDNIGHT + 8 * H)}").text, record):
        assert NUMBER not in page and "某甲" not in page
    assert "/duty" in client.get("/").text


def test_upload_looks_first(site: Any) -> None:
    """Faults with row and column and nothing to put into force; a right sheet changes the roster only when told to."""
    bench, _, client = site
    bad = client.post("/duty/upload", files={"file": ("r.csv", HEAD + "dutty,2026-06-25 00:00,x,P77,夜,,\n")}).text
    assert "第 2 行第 1 列" in bad and "第 2 行第 3 列" in bad and re.search(r'<button class="btn pri" disabled>按此生效', bad)
    good = client.post("/duty/upload", files={"file": ("r.csv", HEAD + "duty,2026-06-25 00:00,2026-06-25 08:00,P01,夜,,\n")}).text
    with bench.store.read() as s:
        assert s.get(Shift, shift_id("duty", MIDNIGHT + 24 * H)) is None
    draft = re.search(r'name="draft" value="([^"]+)"', good)
    assert draft and client.post("/duty/apply", data={"draft": draft[1]}).status_code == 303
    assert client.post("/duty/apply", data={"draft": draft[1]}).status_code == 409
    with bench.store.read() as s:
        assert s.get_one(Shift, shift_id("duty", MIDNIGHT + 24 * H)).person == "P01"


def test_the_calendars_address_is_the_right_to_read(site: Any) -> None:
    """Made once, found by its token alone; the token is not in the database."""
    bench, _, client = site
    link = re.search(r"<code>(/ical/[^<]+)</code>", client.post("/duty/calendar", data={"post": "duty"}).text)
    assert link is not None
    answer = client.get(link[1])
    assert answer.headers["content-type"].startswith("text/calendar") and answer.text.count("BEGIN:VEVENT") == 3
    assert client.get("/ical/other.ics").status_code == 404
    with bench.store.read() as s:
        assert link[1][6:-4] not in json.dumps([r.what for r in s.scalars(select(Audit))])


def test_a_hand_over_lists_what_is_open_and_wants_every_red_ticked(site: Any) -> None:
    """Exactly the open warnings of the moment; unsigned with an unticked red; the shift changes when both have signed."""
    bench, made, client = site
    signs(bench, "duty")
    made.names = lambda: bench.names
    shift = shift_id("duty", MIDNIGHT + 8 * H)
    assert client.post(f"/handover/{shift}/sign", data={"side": "in"}).status_code == 409     # too early
    bench.now = MIDNIGHT + 8 * H
    made.now = lambda: bench.now
    with bench.store.read() as s:
        rows, red = {a.id for a in s.scalars(select(Alert).where(Alert.open))}, handover.reds(s)
    html = client.get(f"/handover/{shift}").text
    assert set(re.findall(r'data-id="([^"]+)"', html)) == rows and len(red) == 1 and html.count('name="seen"') == 1
    assert "交班 P01 → 接班 P02" in html and "按时应答" in html
    refused = client.post(f"/handover/{shift}/sign", data={"side": "in", "note": "泵车联系方式见预警单"})
    assert refused.status_code == 409 and "还有 1 条红色未逐条确认" in refused.text and "泵车联系方式见预警单" in refused.text
    assert client.post(f"/handover/{shift}/sign", data={"side": "in", "seen": red}).status_code == 303
    with bench.store.read() as s:
        assert handover.sheet(s, s.get_one(Shift, shift), bench.m).out_at is None
    assert client.post(f"/handover/{shift}/sign", data={"side": "out", "note": "已交代"}).status_code == 303
    assert in_charge(bench, bench.now) == "P02" and "双方已签" in client.get(f"/handover/{shift}").text
    assert client.post(f"/handover/{shift}/sign", data={"side": "out"}).status_code == 409
    with bench.store.read() as s:
        assert [r.act for r in s.scalars(select(Audit).where(Audit.act.in_(("signed", "changed"))))] == ["signed", "signed", "changed"]


def test_routes_explain_names_who_is_on_shift(tmp_path: Path, city: City, bench: Any) -> None:
    """By code, at the time of each step; a database that is not there is not made."""
    load(bench)
    url = str(bench.store.engine.url)
    assert on_shift_at(city, url, {"duty": T0, "leader": T0, "wucheng": T0}) == {"duty": "P01", "leader": "P09"}
    assert on_shift_at(city, f"sqlite:///{tmp_path}/none.db", {"duty": T0}) == {} and not (tmp_path / "none.db").exists()


def test_importing_again_changes_nothing(bench: Any) -> None:
    """The same sheet twice."""
    load(bench)
    sheet = read(ROSTER.encode(), bench.names.posts, ())
    with bench.store.begin() as s:
        done = deeds.enforce_sheet(s, sheet.plain(), bench.names.actor("leader"), bench.m)
    assert (done.new, done.other, done.gone) == (0, 0, 0)


CSV = HEAD + "city-desk,2026-06-24 00:00,2026-06-24 08:00,P01,夜,某甲,13900001111\n"


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`roster import` tells every fault with file, row and column and then changes nothing; `routes explain` says who is called."""
    from streams.cli.roster import import_
    from streams.cli.routes import explain

    configs, url = Path("configs"), f"sqlite:///{tmp_path}/desk.db"
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(CSV, "utf-8")
    bad.write_text(CSV.replace("city-desk", "city-desc").replace("2026-06-24 08:00", "x"), "utf-8")

    def run(command: Any, *args: Any, **given: Any) -> tuple[int, str]:
        with pytest.raises(typer.Exit) as left:
            command(*args, **given)
        return left.value.exit_code, capsys.readouterr().out

    code, said = run(import_, [good, bad], configs=configs, desk_url=url)
    assert code == 1 and f"{bad}:2:1: " in said and f"{bad}:2:3: " in said
    assert json.loads(run(import_, [good], configs=configs, desk_url=url, as_json=True)[1])["new"] == 1
    code, said = run(explain, "basin", "red", area="lanxi", at="2026-06-24T01:00:00+08:00", configs=configs, desk_url=url, as_json=True)
    steps = json.loads(said)["steps"]
    assert code == 0 and [(s["post"], s["after"], s["on"]) for s in steps][:3] == [
        ("hydro-desk", 0.0, None), ("hydro-lead", 300.0, None), ("city-desk", 600.0, "P01")]
    assert "city-desk 市应急指挥中心 [P01]" in run(explain, "basin", "red", at="2026-06-24T01:00:00+08:00", configs=configs, desk_url=url)[1]
    assert "13900001111" not in said


def test_people_of_another_agency_are_not_read(night: Any, tmp_path: Path) -> None:
    """A county account sees that somebody is on shift elsewhere, and who only at its own post; nor may it swap or sign there."""
    from streams.desk.pages.duty import Veil
    from streams.desk.pages.duty import duty as page
    from streams.desk.people.rights import Account, Role

    own, site = night(tmp_path, fill=False)
    load(own)
    county = Account("P09", (Role.DUTY,), areas=("admin:lanxi",), posts=("leader",))
    with own.store.read() as s:
        v = replace(site.view(s, Actor("leader", account="P09"), "zh"), account=county)
        said = json.dumps(page(s, v, ""), ensure_ascii=False)
    assert Veil(v)("leader", "P09") == "P09" and Veil(v)("duty", "P01") == "有人"
    assert "P09" in said and not re.search("P0[123]", said)


def test_a_desk_from_before_knows_when_news_is_due(tmp_path: Path) -> None:
    """An alert that was answered before the migration keeps its worst level and is owed news as its level asks."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import text

    from streams.desk.store import Store
    from streams.sql import engine

    made, config = engine(f"sqlite:///{tmp_path}/desk.db"), Config()
    config.set_main_option("script_location", "streams.desk:migrations")
    given = {"id": "a", "key": "k", "state": "answered", "first": 4, "shown": 3, "answered": 5, "members": "[]"}
    with made.begin() as c:
        config.attributes["connection"] = c
        command.upgrade(config, "0003")
        info = c.execute(text("PRAGMA table_info(alert)")).all()
        row = {name: "" if kind == "VARCHAR" else 0 for _, name, kind, must, *_ in info if must} | given
        columns = ", ".join(f'"{k}"' for k in row)
        c.execute(text(f"INSERT INTO alert ({columns}) VALUES ({', '.join(':' + k for k in row)})"), row)
    made.dispose()
    store = Store(f"sqlite:///{tmp_path}/desk.db")
    with store.read() as s:
        alert = s.get_one(Alert, "a")
        assert (alert.peak, alert.due, alert.verified, alert.offered) == (4, 5 + 3_600_000_000, None, "")
    store.close()


def test_a_post_without_a_shift_is_told_what_to_do(site: Any) -> None:
    """The button leads to words, not to the page that one came from."""
    _, _, client = site
    client.cookies.set("post", "wucheng")
    answer = client.get("/handover")
    assert answer.status_code == 200 and "没有可交接的班" in answer.text
