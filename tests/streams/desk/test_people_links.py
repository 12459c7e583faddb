"""Answer links: looking never answers; one answer, for one post, warning and step; whatever else comes changes nothing but the record."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from starlette.testclient import TestClient

from streams.desk.alert import Move
from streams.desk.api.app import make_app
from streams.desk.calling.deliver import Deliverer
from streams.desk.people import accounts, links
from streams.desk.store import broken
from streams.desk.tables import Audit, Base, Delivery
from streams.metrics import Metrics

PUBLIC = "https://desk.example.cn"
BAD = "链接已失效或已用，请登录后应答"


class Line:
    """A channel that takes every message and keeps it."""

    def __init__(self) -> None:
        self.took: list[Any] = []

    def send(self, message: Any, address: str) -> Any:
        from streams.desk.channels import Outcome, Result

        self.took.append(message)
        return Outcome(Result.SENT)


@pytest.fixture
def desk(tmp_path: Path, night: Any) -> tuple[Any, Any, TestClient]:
    """A desk where everybody must sign in, and a telephone that did not."""
    bench, site = night(tmp_path, fill=False)
    site.rules.now = lambda: bench.now / 1e6
    with bench.store.begin() as s:
        accounts.add(s, "guanli", "correct horse battery", ["admin"], bench.now)
    return bench, site, TestClient(make_app(site), follow_redirects=False)


def sent(bench: Any) -> list[str]:
    """The paths of the links in all messages that are due."""
    line = Line()
    deliverer = Deliverer(bench.store, {"log": line}, lambda: bench.m, PUBLIC, Metrics())
    deliverer.link = links.links(bench.store, PUBLIC)
    try:
        deliverer.pump()
    finally:
        deliverer.close()
    assert all(m.url.startswith(f"{PUBLIC}/a/") for m in line.took)
    return [m.url.removeprefix(PUBLIC) for m in line.took]


def everything(bench: Any, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All rows of all tables, but of some."""
    with bench.store.read() as s:
        return {t.name: list(s.execute(t.select())) for t in Base.metadata.sorted_tables if t.name not in but}


def refused(bench: Any) -> list[str]:
    """Why links were not taken, as the audit says."""
    with bench.store.read() as s:
        assert broken(s) == 0
        return [r.what["why"] for r in s.scalars(select(Audit).where(Audit.act == "link").order_by(Audit.seq))]


def test_looking_changes_nothing(desk: Any, change: Any) -> None:
    """A hundred fetches by what previews links, HEAD too: every row of every table is as it was, and nobody is signed in."""
    bench, _, phone = desk
    bench.put(change("methane", "renmin", 4))
    path, = sent(bench)
    before = everything(bench)
    for n in range(100):
        answer = phone.get(path, headers={"User-Agent": ("DingTalkBot", "Slackbot", "WhatsApp")[n % 3]})
        assert answer.status_code == 200 and "set-cookie" not in answer.headers
    assert phone.head(path).status_code == 405
    assert everything(bench) == before
    assert phone.get("/").status_code == 303


def test_the_page_says_all_and_is_small(desk: Any, change: Any) -> None:
    """Level, place, value, limit, since, deadline, who is next, until when the link holds; at most 12 kB, no script."""
    bench, _, phone = desk
    bench.put(change("methane", "renmin", 4))
    path, = sent(bench)
    html = phone.get(path).text
    for said in ("红色 Ⅰ级预警", "窨井甲烷", "婺城区 人民路", "1.12", "Ⅰ级限值 1.00", "婺城区建设局 值班员乙", "02:19:20", "剩 2 分",
                 "值班员甲", "应答：我已收到，由我负责", "不是我，转给下一位", "02:39:20", "超过限值"):
        assert said in html, said
    assert len(html.encode()) <= 12_288 and "<script" not in html and "/w/" not in html
    assert not re.search(r"<[^>]*\s(style|on\w+)=", html)
    assert "Red warning" in phone.get(path + "?lang=en").text


def test_one_post_answers_and_the_second_does_not(desk: Any, change: Any) -> None:
    """As the post that was called, by way of the link; then neither answering nor passing works with any link of the step."""
    bench, _, phone = desk
    bench.put(red := change("methane", "renmin", 4))
    path, = sent(bench)
    answer = phone.post(path, data={"act": "answer"}, headers={"Origin": "null"})       # as telephones say over plain HTTP
    assert answer.status_code == 200 and "已应答" in answer.text and "set-cookie" not in answer.headers
    alert = bench.alert(red.alert)
    assert (alert.state, alert.answered_by) == ("answered", "wucheng")
    with bench.store.read() as s:
        told = s.scalars(select(Audit).where(Audit.act == "answered")).one()
    assert told.post == "wucheng" and told.what["via"] == "link"
    before = everything(bench, ("audit", "chain", "alert"))
    for act in ("answer", "pass"):
        again = phone.post(path, data={"act": act})
        assert again.status_code == 410 and BAD in again.text and "窨井甲烷" not in again.text
    assert phone.get(path).status_code == 410
    assert everything(bench, ("audit", "chain", "alert")) == before and bench.alert(red.alert).state == "answered"
    assert refused(bench) == ["used", "used"]


def test_passing_on_calls_the_next_at_once(desk: Any, change: Any) -> None:
    """And the link is used."""
    bench, _, phone = desk
    bench.put(red := change("methane", "renmin", 4))
    path, = sent(bench)
    assert "已转给下一位" in phone.post(path, data={"act": "pass"}).text
    assert bench.steps(red.alert)[:2] == [(1, "wucheng", "passed"), (2, "duty", "called")]
    assert phone.post(path, data={"act": "answer"}).status_code == 410


def test_altered_and_foreign_links(desk: Any, change: Any) -> None:
    """One character, another's key with my signature, another desk's secret, rubbish: nothing is shown, nothing changes."""
    bench, _, phone = desk
    bench.put(red := change("methane", "renmin", 4), change("river_level", "lanxi", 4))
    one, two = sent(bench)
    token = one.removeprefix("/a/")
    with bench.store.read() as s:
        row = s.get_one(Delivery, token[: -links.LENGTH])
        foreign = links.token_of("00" * 32, row)
    other = two.removeprefix("/a/")[: -links.LENGTH] + token[-links.LENGTH :]
    swapped = token[:-1] + ("A" if token[-1] != "A" else "B")
    before = everything(bench, ("audit", "chain"))
    bad = [foreign, other, swapped, token + "A", token[:-1], token.upper(), "x", "é" * 30, "a" * 500]
    for t in bad:
        for answer in (phone.get(f"/a/{t}"), phone.post(f"/a/{t}", data={"act": "answer"})):
            assert answer.status_code == 410 and BAD in answer.text and "窨井甲烷" not in answer.text, t
    assert phone.post("/a/" + "%00" * 30, data={"act": "answer"}).status_code == 400
    assert everything(bench, ("audit", "chain")) == before and bench.alert(red.alert).state == "calling"
    assert refused(bench) == ["altered"] * len(bad)


def test_after_its_time_a_link_is_good_for_twenty_minutes_more(desk: Any, change: Any) -> None:
    """A post whose time passed may still answer; then it is over."""
    bench, _, phone = desk
    bench.put(first := change("methane", "renmin", 4))
    path, = sent(bench)
    bench.pass_time(130)
    assert "已过时；仍可应答" in phone.get(path).text
    bench.now += links.GRACE - 10_000_000
    assert phone.get(path).status_code == 200
    bench.now += 1
    assert phone.get(path).status_code == 410
    assert phone.post(path, data={"act": "answer"}).status_code == 410
    assert refused(bench) == ["expired"] and bench.alert(first.alert).state == "calling"
    bench.now -= 2
    assert phone.post(path, data={"act": "answer"}).status_code == 200


def test_the_link_of_another_step_or_ladder(desk: Any, change: Any) -> None:
    """A new ladder after a rise, or a closed warning: the old link is no good; each step has a link of its own."""
    bench, _, phone = desk
    bench.put(low := change("methane", "renmin", 3))
    old, = sent(bench)
    bench.put(change("methane", "renmin", 4, 3, 1, onset=low.onset))
    new, = sent(bench)
    assert phone.post(old, data={"act": "answer"}).status_code == 410 and bench.alert(low.alert).state == "calling"
    bench.pass_time(121)
    second, = sent(bench)
    assert len({old, new, second}) == 3
    assert phone.post(second, data={"act": "answer"}).status_code == 200
    assert bench.alert(low.alert).answered_by == "duty"
    late = phone.post(new, data={"act": "answer"})
    assert late.status_code == 409 and "应答" in late.text and bench.alert(low.alert).answered_by == "duty"
    assert refused(bench) == ["step", "err.raced"]


def test_without_a_next_there_is_nothing_to_pass(desk: Any, change: Any) -> None:
    """The button says so; a post all the same is refused, and the link stays good for an answer."""
    bench, _, phone = desk
    bench.put(blue := change("rain", "dapan", 1))
    path, = sent(bench)
    html = phone.get(path).text
    assert 'value="pass" disabled' in html and "没有下一位可转" in html
    assert phone.post(path, data={"act": "pass"}).status_code == 409
    assert phone.post(path, data={"act": "fly"}).status_code == 200 and bench.alert(blue.alert).state == "calling"
    assert phone.post(path, data={"act": "answer"}).status_code == 200


def test_a_folded_message_is_answered_with_one_link(desk: Any, change: Any) -> None:
    """It names what else it speaks for, and one answer is for all of it."""
    bench, _, phone = desk
    alerts = [change(i, s, 1) for i, s in (("rain", "houzhai"), ("rain", "fotang"), ("rain", "dapan"), ("river_level", "sanhe"))]
    bench.put(*alerts)
    paths = sent(bench)
    bench.now += 31_000_000
    paths += sent(bench)
    with bench.store.read() as s:
        folded = [r for r in s.scalars(select(Delivery)) if r.folded]
    assert len(folded) >= 2
    path = next(p for p in paths if p[3 : -links.LENGTH] == folded[0].folded)
    assert "一并应答" in phone.get(path).text
    assert phone.post(path, data={"act": "answer"}).status_code == 200
    assert {bench.alert(r.alert).state for r in folded} == {"answered"}
    assert phone.post(path, data={"act": "answer"}).status_code == 410


def test_two_answers_at_once(desk: Any, change: Any) -> None:
    """Of two that press at the same time one is taken."""
    from concurrent.futures import ThreadPoolExecutor

    bench, _, phone = desk
    bench.put(red := change("methane", "renmin", 4))
    path, = sent(bench)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: phone.post(path, data={"act": "answer"}).status_code, range(4)))
    assert sorted(codes) == [200, 410, 410, 410]
    assert bench.acts(red.alert).count("answered") == 1


def test_a_signed_in_browser_gains_nothing_by_a_link(desk: Any, change: Any) -> None:
    """The link is the post's, whoever's session the browser holds; and it works without that session's token."""
    bench, site, _ = desk
    bench.put(red := change("methane", "renmin", 4))
    path, = sent(bench)
    client = TestClient(make_app(site), follow_redirects=False)
    client.post("/login", data={"user": "guanli", "password": "correct horse battery"})
    assert client.post(path, data={"act": "answer"}).status_code == 200
    with bench.store.read() as s:
        told = s.scalars(select(Audit).where(Audit.act == "answered")).one()
    assert told.post == "wucheng" and "account" not in told.what and bench.alert(red.alert).answered_by == "wucheng"


def test_without_a_public_address_messages_carry_no_link(bench: Any, change: Any) -> None:
    """They name the page of the warning, as before."""
    bench.put(red := change("methane", "renmin", 4))
    line = Line()
    bench.deliver(log=line)
    assert [m.url for m in line.took] == [f"http://127.0.0.1:8080/w/{red.alert}"]


@pytest.mark.parametrize(("name", "body", "carries"), [
    ("gateway_sms", '{"text": "{text}"}', True), ("gateway_sms", '{"text": "{text}", "link": "{url}"}', True),
    ("gateway_voice", '{"text": "{text}"}', False),
])
def test_text_messages_carry_the_link_and_calls_do_not(
    httpserver: HTTPServer, tmp_path: Path, name: str, body: str, carries: bool
) -> None:
    """Once: behind the text, or in the place that the installation has for it. Nobody reads an address aloud."""
    from streams.desk.channels import Message, load

    httpserver.expect_request("/send").respond_with_json({"code": 0})
    options = {"url": httpserver.url_for("/send"), "body": body, "success": "code=0"}
    line = load(tmp_path, lambda _: options)[name]
    url = f"{PUBLIC}/a/0123"
    line.send(Message("k", "a", "red", "real", "【望楼】红", "duty", 1, "02:20:00", False, url, answers=True), "0579-0001")
    assert httpserver.log[0][0].get_data(as_text=True).count(url) == int(carries)


def test_only_the_two_acts_of_a_post_that_was_called() -> None:
    """A link never closes, mutes or tells anything."""
    assert set(links.MOVES.values()) == {Move.ANSWER, Move.PASS}
