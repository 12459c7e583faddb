"""Signing in: as soon as there is an account nobody comes in without; sessions end when told; nothing says what was wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from starlette.testclient import TestClient

from streams.desk.api.app import make_app
from streams.desk.people import accounts, passwords, sessions
from streams.desk.people.limits import READ, SIGN_IN, WRONG, Limits
from streams.desk.people.rules import HOUR, Rules, rules_of
from streams.desk.people.tables import AccountRow, SessionRow
from streams.desk.store import broken
from streams.desk.tables import Audit
from streams.errors import UsageError
from streams.settings import Settings

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little; one test looks at the real ones."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def desk(tmp_path: Path, night: Any) -> tuple[Any, Any]:
    """A desk with a duty officer, a county's leader, a viewer and an administrator."""
    bench, site = night(tmp_path, fill=False)
    site.rules.now = lambda: bench.now / 1e6
    site.rules.pause = waited(site)
    with bench.store.begin() as s:
        for name, roles, areas, posts in (
            ("zhiban", ["duty"], [], ["duty", "wucheng"]),
            ("xian", ["leader"], ["admin:dongyang"], ["leader"]),
            ("kan", ["viewer"], [], []),
            ("guanli", ["admin"], [], []),
        ):
            accounts.add(s, name, PASSWORD, roles, bench.now, areas, [], posts)
    return bench, site


def waited(site: Any) -> Callable[[float], Any]:
    """Instead of waiting: remember how long."""
    site.paused = []

    async def pause(seconds: float) -> None:
        site.paused.append(seconds)

    return pause


def browser(site: Any, name: str = "", password: str = PASSWORD) -> TestClient:
    """A browser, signed in where a name is given."""
    made = TestClient(make_app(site), follow_redirects=False)
    if name:
        assert made.post("/login", data={"user": name, "password": password}).status_code == 303
    return made


def csrf(client: TestClient) -> str:
    """The token that the pages of this browser carry."""
    found = re.search(r'name="csrf" value="(\w+)"', client.get("/").text)
    assert found
    return found[1]


def audited(bench: Any, act: str) -> list[dict[str, Any]]:
    """What the audit says of an act."""
    with bench.store.read() as s:
        return [row.what for row in s.scalars(select(Audit).where(Audit.act == act).order_by(Audit.seq))]


def test_without_accounts_the_desk_is_open_and_with_the_first_it_is_not(tmp_path: Path, night: Any) -> None:
    """A running desk notices; pages go to the sign-in and come back, programs get 401, an open page is told to reload."""
    bench, site = night(tmp_path, fill=False)
    client = browser(site)
    assert client.get("/").status_code == 200 and client.get("/login").headers["location"] == "/"
    assert "csrf" not in client.get("/").text.replace("data-csrf", "")
    with bench.store.begin() as s:
        accounts.add(s, "first", PASSWORD, ["admin"], bench.now)
    site.rules._looked = float("-inf")
    assert client.get("/?level=red").headers["location"] == "/login?next=%2F%3Flevel%3Dred"
    assert client.get("/api/alerts").status_code == 401 and client.get("/api/alerts").json()["error"] == "right.signin"
    assert client.post("/w/x/answer").status_code == 401
    assert client.post("/mute", headers={"Accept": "application/json"}).json()["error"] == "right.signin"
    assert client.get("/events").text == "event: reload\ndata: signin\n\n"
    assert client.get("/metrics").status_code == 401
    for open_ in ("/healthz", "/readyz", "/static/desk.css", "/login"):
        assert client.get(open_).status_code == 200


def test_signing_in_and_what_the_cookie_is(desk: Any) -> None:
    """The cookie cannot be read by script nor sent from elsewhere; where TLS is spoken it is for TLS alone; next stays inside."""
    _, site = desk
    client = browser(site)
    answer = client.post("/login", data={"user": " ZhiBan ", "password": PASSWORD, "next": "/?mine=1"})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.headers["location"] == "/?mine=1"
    assert "httponly" in cookie and "samesite=lax" in cookie and "secure" not in cookie
    html = client.get("/").text
    assert 'href="/sessions"' in html and "婺城区建设局 值班员乙" in html and "兰溪市水利局 值班员丁</option>" not in html
    for next_ in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        there = browser(site).post("/login", data={"user": "kan", "password": PASSWORD, "next": next_}).headers["location"]
        assert there == "/"
    site.rules.public = "https://desk.example.cn"
    assert "secure" in browser(site).post("/login", data={"user": "kan", "password": PASSWORD}).headers["set-cookie"].lower()


def test_nothing_says_which_was_wrong(desk: Any) -> None:
    """An unknown name, a wrong password and a locked account look the same, and cost the same hash."""
    bench, site = desk
    with bench.store.begin() as s:
        accounts.lock(s, "guanli", True, bench.now)
    said = []
    for name in ("nobody", "zhiban", "guanli"):
        answer = browser(site).post("/login", data={"user": name, "password": "wrong password" if name != "guanli" else PASSWORD})
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
        said.append(answer.text.replace(name, ""))
    assert said[0] == said[1] == said[2] and "登录未成功" in said[0]
    assert [w.get("name", "") for w in audited(bench, "sign_in")] == ["", "zhiban", "guanli"]


def test_a_missing_account_is_hashed_for_like_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """argon2id with the parameters of RFC 9106 (64 MiB, 3 passes); the hash that stands for nobody has the same."""
    monkeypatch.undo()
    kept = passwords.hashed(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and passwords._NOBODY.startswith(kept[:31])
    assert passwords.fits(kept, PASSWORD) and not passwords.fits(kept, PASSWORD + "x") and not passwords.fits("", PASSWORD)
    assert not passwords.stale(kept)
    assert passwords.stale(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD))


def test_a_weaker_hash_is_made_anew_at_the_next_sign_in(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So parameters may be raised one day without asking anybody for a new password."""
    bench, site = desk
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    browser(site, "zhiban")
    with bench.store.read() as s:
        assert "t=2" in s.get_one(AccountRow, "zhiban").hash
    browser(site, "zhiban")


def test_many_tries_hold_back_the_address_and_never_lock_the_account(desk: Any) -> None:
    """After ten tries an address waits (and is told how long); the account's owner elsewhere comes in, five seconds late at most."""
    bench, site = desk
    here = TestClient(make_app(site), follow_redirects=False, client=("10.0.0.66", 1))
    tries = [here.post("/login", data={"user": "zhiban", "password": "guess"}) for _ in range(SIGN_IN.burst + 1)]
    assert [t.status_code for t in tries] == [401] * SIGN_IN.burst + [429]
    assert int(tries[-1].headers["retry-after"]) in range(1, 8) and "账号不会被锁" in tries[-1].text
    assert len(site.paused) == SIGN_IN.burst - WRONG.burst and max(site.paused) <= 5.0
    site.paused.clear()
    there = TestClient(make_app(site), follow_redirects=False, client=("10.0.0.7", 1))
    assert there.post("/login", data={"user": "zhiban", "password": PASSWORD}).status_code == 303
    assert len(site.paused) == 1
    bench.now += 7_000_000
    assert here.post("/login", data={"user": "zhiban", "password": PASSWORD}).status_code == 303


def test_a_session_ends_by_itself(desk: Any) -> None:
    """After twelve hours without use, and after a week in any case; use keeps it."""
    bench, site = desk
    client = browser(site, "zhiban")
    for _ in range(14):
        bench.now += 11 * HOUR
        assert client.get("/").status_code == 200
    bench.now += 13 * HOUR
    assert client.get("/").status_code == 303
    client = browser(site, "zhiban")
    bench.now += 12 * HOUR
    assert client.get("/").status_code == 303


def test_sign_out_everywhere(desk: Any) -> None:
    """One session, another's, all: each is on record, ends at once, and nobody can end the sessions of another account."""
    bench, site = desk
    one, two, other = browser(site, "zhiban"), browser(site, "zhiban"), browser(site, "kan")
    page = one.get("/sessions").text
    ids = re.findall(r"/sessions/(\w{64})/end", page)
    assert len(ids) == 2 and "本机" in page and "退出全部" in page
    assert other.post(f"/sessions/{ids[0]}/end", data={"csrf": csrf(other)}).status_code == 303
    assert (one.get("/").status_code, two.get("/").status_code) == (200, 200)
    assert one.post(f"/sessions/{ids[1]}/end", data={"csrf": csrf(one)}).headers["location"] == "/sessions"
    assert (one.get("/").status_code, two.get("/").status_code) == (200, 303)
    two = browser(site, "zhiban")
    answer = one.post("/sessions/end", data={"csrf": csrf(one)})
    assert answer.headers["location"] == "/login" and "max-age=0" in answer.headers["set-cookie"].lower()
    assert (one.get("/").status_code, two.get("/").status_code, other.get("/").status_code) == (303, 303, 200)
    assert other.post("/logout", data={"csrf": csrf(other)}).status_code == 303 and other.get("/").status_code == 303
    assert [w["what"] for w in audited(bench, "sign_out")] == ["one", "all", "one"]
    with bench.store.read() as s:
        assert broken(s) == 0 and s.scalars(select(SessionRow)).all() == []


def test_an_open_page_is_told_when_its_session_ends(desk: Any, change: Any) -> None:
    """The stream of a session that was ended says reload, and no more."""
    from streams.desk.api.stream import Reader
    from streams.desk.pages.board import Filter
    from streams.desk.people.current import CURRENT, Current

    bench, site = desk
    with bench.store.begin() as s:
        _, row = sessions.begin(s, "zhiban", "password", bench.now, bench.now + HOUR, HOUR // 2)
    mark = CURRENT.set(Current(None, row.id))
    reader = Reader(site, bench.names.actor("duty"), "zh", Filter(), 0)
    CURRENT.reset(mark)
    bench.now += HOUR // 3
    assert reader.welcome()
    bench.now += HOUR // 3
    assert reader.welcome()         # an open page is use
    bench.now += HOUR // 3 + 1
    assert not reader.welcome()     # but its absolute end comes


def test_only_the_hash_of_a_session_is_kept(desk: Any) -> None:
    """Who reads the database cannot sign in with what is there; signing in anew ends what the browser had."""
    bench, site = desk
    client = browser(site, "zhiban")
    token = client.cookies[sessions.COOKIE]
    with bench.store.read() as s:
        ids = s.scalars(select(SessionRow.id)).all()
    assert ids == [sessions.key_of(token)]
    stolen = TestClient(make_app(site), cookies={sessions.COOKIE: ids[0]}, follow_redirects=False)
    assert stolen.get("/").status_code == 303
    client.post("/login", data={"user": "zhiban", "password": PASSWORD})
    with bench.store.read() as s:
        assert s.scalars(select(SessionRow.id)).all() == [sessions.key_of(client.cookies[sessions.COOKIE])]
    assert client.cookies[sessions.COOKIE] != token


def test_locking_and_a_new_password_end_sessions(desk: Any) -> None:
    """At once, in every browser."""
    bench, site = desk
    for deed in (lambda s: accounts.set_password(s, "zhiban", "another long one", bench.now),
                 lambda s: accounts.lock(s, "kan", True, bench.now)):
        one, two = browser(site, "zhiban"), browser(site, "kan")
        with bench.store.begin() as s:
            deed(s)
        assert sorted((one.get("/").status_code, two.get("/").status_code)) == [200, 303]
        with bench.store.begin() as s:
            accounts.set_password(s, "zhiban", PASSWORD, bench.now)


def test_every_form_carries_the_token_and_without_it_nothing_is_done(desk: Any, change: Any) -> None:
    """On every page; by form, by JSON and by header; the token of another session is no good."""
    bench, site = desk
    bench.put(orange := change("river_level", "lanxi", 1), change("methane", "renmin", 4))
    client, other = browser(site, "zhiban"), browser(site, "zhiban")
    for path in ("/", f"/w/{orange.alert}", "/sessions"):
        html = client.get(path).text
        assert html.count('method="post"') == html.count('name="csrf"') > 0, path
    url, json = f"/w/{orange.alert}/answer", {"Accept": "application/json"}
    for data in ({}, {"csrf": ""}, {"csrf": csrf(other)}, {"csrf": "é" * 16}):
        assert client.post(url, data=data).status_code == 403
        assert client.post(url, json=data).status_code == 403
        assert client.post("/mute", data=data, headers=json).status_code == 403
    assert "页面已过期" in client.post(url).text and bench.alert(orange.alert).state == "calling"
    assert client.post(url, json={"csrf": csrf(client)}, headers=json).json()["ok"]
    assert client.post("/mute", data={"seconds": "60"}, headers=json | {"X-CSRF-Token": csrf(client)}).json()["ok"]


def test_plain_http_on_a_network(desk: Any, change: Any) -> None:
    """There a browser says `Origin: null` of its own forms: with the token they are taken; another site's never are."""
    bench, site = desk
    bench.put(blue := change("river_level", "lanxi", 1))
    client, url, null = browser(site, "zhiban"), f"/w/{blue.alert}/answer", {"Origin": "null"}
    for headers, data in ((null, {}), ({"Origin": "http://evil.example"}, {"csrf": csrf(client)}),
                          (null | {"Sec-Fetch-Site": "cross-site"}, {"csrf": csrf(client)})):
        assert client.post(url, data=data, headers=headers).status_code == 403
    assert bench.alert(blue.alert).state == "calling"
    assert client.post(url, data={"csrf": csrf(client)}, headers=null).status_code == 303


def test_rights_hold_on_every_deed_and_are_shown_beside_the_button(desk: Any, change: Any) -> None:
    """A viewer answers nothing; a county's leader closes nothing of the next county; each is told why, in place."""
    bench, site = desk
    bench.put(red := change("methane", "renmin", 4), dam := change("reservoir", "hengjin", 1))
    kan, xian, zhiban = (browser(site, n) for n in ("kan", "xian", "zhiban"))
    url = f"/w/{red.alert}/answer_for"
    say = {"reason": "电话联系过了", "csrf": csrf(kan)}
    answer = kan.post(url, data=say)
    assert answer.status_code == 409 and "无权操作：需要值班员" in answer.text
    assert "无权操作：需要值班员" in kan.get("/").text and " disabled" in kan.get(f"/w/{red.alert}").text
    answer = xian.post(url, data=say | {"csrf": csrf(xian)})
    assert answer.status_code == 409 and "不在你的辖区" in answer.text
    assert bench.alert(red.alert).state == "calling"
    assert kan.post("/api/deliveries/x/receipt", json={"receipt": "read"}, headers={"X-CSRF-Token": csrf(kan)}).status_code == 403
    assert xian.post(f"/w/{dam.alert}/answer_for", data=say | {"csrf": csrf(xian)}).status_code == 303
    assert zhiban.post(f"/w/{red.alert}/answer_for", data=say | {"csrf": csrf(zhiban)}).status_code == 303
    assert [w["account"] for w in audited(bench, "answered")] == ["xian", "zhiban"]


def test_who_signed_in_acts_only_as_its_own_posts(desk: Any, change: Any) -> None:
    """A cookie does not make a leader; without the role of a leader the post of one does not lead."""
    bench, site = desk
    bench.put(yellow := change("river_level", "lanxi", 1))
    client = browser(site, "zhiban")
    client.cookies.set("post", "leader")
    assert 'data-post="duty"' in client.get("/").text
    client.cookies.set("post", "wucheng")
    assert 'data-post="wucheng"' in client.get("/").text
    client.cookies.set("post", "duty")
    assert client.post(f"/w/{yellow.alert}/answer", data={"csrf": csrf(client)}).status_code == 303
    assert bench.alert(yellow.alert).answered_by == "duty"
    with bench.store.begin() as s:
        accounts.change(s, "zhiban", bench.now, {"posts": ["leader"]})
    client.cookies.delete("post")
    close = {"csrf": csrf(client), "reason": "已处置完毕", "disposition": "true"}
    assert client.post(f"/w/{yellow.alert}/close", data=close).status_code == 409
    assert bench.alert(yellow.alert).open


def test_a_program_has_a_token(desk: Any, change: Any) -> None:
    """With its account's rights, without CSRF, not as a cookie, and only until it is ended."""
    bench, site = desk
    bench.put(blue := change("river_level", "lanxi", 1))
    with bench.store.begin() as s:
        token = accounts.token(s, "zhiban", "报表", bench.now, 30)
    program = TestClient(make_app(site), headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)
    assert [a["id"] for a in program.get("/api/alerts").json()] == [blue.alert]
    assert program.get("/metrics").status_code == 200
    assert program.post(f"/w/{blue.alert}/answer", json={}).json()["ok"]
    assert audited(bench, "answered")[0] | {"took": 0} == {"account": "zhiban", "via": "token", "took": 0}
    assert TestClient(make_app(site), cookies={sessions.COOKIE: token}, follow_redirects=False).get("/").status_code == 303
    cookie = browser(site, "kan").cookies[sessions.COOKIE]
    assert TestClient(make_app(site), headers={"Authorization": f"Bearer {cookie}"}).get("/api/alerts").status_code == 401
    bench.now += 31 * 24 * HOUR
    assert program.get("/api/alerts").status_code == 401


def test_too_many_requests_are_told_when_to_come_again(desk: Any) -> None:
    """A session that asks without end gets 429 with Retry-After; others do not notice, and it comes back in time."""
    bench, site = desk
    client, other = browser(site, "kan"), browser(site, "kan")
    codes = [client.get("/api/alerts").status_code for _ in range(READ.burst + 2)]
    assert codes == [200] * READ.burst + [429] * 2
    answer = client.get("/")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert client.get("/api/alerts").json()["error"] == "right.slow"
    assert other.get("/").status_code == 200
    bench.now += int(answer.headers["retry-after"]) * 1_000_000
    assert client.get("/").status_code == 200


def test_limits_give_back_what_they_took() -> None:
    """A burst at once, then one each interval; asking is free; keys are apart."""
    limits = Limits()
    assert [limits.take("a", "k", WRONG, 0.0) for _ in range(WRONG.burst + 1)] == [0.0] * WRONG.burst + [WRONG.every]
    assert limits.take("a", "other", WRONG, 0.0) == 0.0 == limits.wait("b", "k", WRONG, 0.0)
    assert limits.wait("a", "k", WRONG, 4.0) == WRONG.every - 4.0
    assert limits.take("a", "k", WRONG, WRONG.every) == 0.0
    assert limits.take("a", "k", WRONG, 1000.0) == 0.0


def test_a_proxy_is_believed_only_where_it_was_named(desk: Any) -> None:
    """Its word for the address and for TLS; else anybody could choose the address that is held back, or look like TLS."""
    _, site = desk
    headers = {"X-Forwarded-For": "203.0.113.9, 10.0.0.7", "X-Forwarded-Proto": "https"}
    client = TestClient(make_app(site), follow_redirects=False, client=("10.0.0.7", 1), headers=headers)
    answer = client.post("/login", data={"user": "kan", "password": PASSWORD})
    assert "secure" not in answer.headers["set-cookie"].lower() and "strict-transport-security" not in answer.headers
    site.rules.proxies = ("10.0.0.7",)
    answer = client.post("/login", data={"user": "kan", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower() and "strict-transport-security" in answer.headers
    assert [w["address"] for w in audited(desk[0], "sign_in")] == ["10.0.0.7", "203.0.113.9"]
    assert TestClient(make_app(site), client=("127.0.0.1", 1)).get("/metrics").status_code == 200
    assert TestClient(make_app(site), client=("127.0.0.1", 1), headers=headers).get("/metrics").status_code == 401


def test_every_answer_has_all_headers(desk: Any) -> None:
    """Refusals, redirects and errors too."""
    _, site = desk
    client = browser(site)
    for path in ("/", "/login", "/api/alerts", "/a/nothing", "/static/none", "/w/none/answer"):
        found = client.get(path).headers
        for name in ("content-security-policy", "referrer-policy", "x-content-type-options", "x-frame-options",
                     "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "cache-control"):
            assert name in found, (path, name)
        assert "unsafe" not in found["content-security-policy"]


def test_a_request_that_is_too_long_is_refused(desk: Any) -> None:
    """Before it is read."""
    _, site = desk
    assert browser(site).post("/login", content=b"x" * (17 << 20)).status_code == 413


def test_the_sign_in_page_is_plain(desk: Any) -> None:
    """No script, both languages, nothing from elsewhere, a name that is typed is shown as text."""
    _, site = desk
    client = browser(site)
    answer = client.post("/login", data={"user": '"><img src=x>', "password": "wrong"})
    assert "<img" not in answer.text and "<script" not in answer.text and "&lt;img" in answer.text
    assert "Sign in" in client.get("/login?lang=en&next=%2F").text and "登录" in client.get("/login?lang=zh").text


def test_accounts_are_refused_with_the_reason(desk: Any) -> None:
    """Names, passwords, roles, doubles."""
    bench, _ = desk
    for name, password, roles, said in (
        ("x", PASSWORD, ["duty"], "account name"), ("zhiban", PASSWORD, ["duty"], "already"), ("new", "short", ["duty"], "10 to 200"),
        ("newcomer", "my newcomer word", ["duty"], "the name"), ("new", PASSWORD, ["boss"], "viewer, duty"),
        ("new", PASSWORD, [], "none"), ("new", "", ["duty"], "needs a password"),
    ):
        with pytest.raises(UsageError, match=said), bench.store.begin() as s:
            accounts.add(s, name, password, roles, bench.now)
    with pytest.raises(UsageError, match="no such account"), bench.store.begin() as s:
        accounts.lock(s, "nobody", True, bench.now)


@pytest.mark.parametrize(
    ("given", "works"),
    [({}, True), ({"desk_host": "::1"}, True), ({"desk_host": "0.0.0.0"}, False), ({"desk_host": "10.0.0.5"}, False),
     ({"desk_public": "https://desk.example.cn"}, False), ({"desk_proxies": "127.0.0.1"}, False),
     ({"desk_public": "http://localhost:8080"}, True)],
)
def test_a_desk_that_others_reach_needs_accounts(bench: Any, given: dict[str, str], works: bool) -> None:
    """It does not start without, and says what to do; with the first account it starts and demands sign-in."""
    settings = Settings(**given)
    if works:
        assert not rules_of(settings, bench.store).demanded(bench.store)
    else:
        with pytest.raises(UsageError, match="wanglou accounts add"):
            rules_of(settings, bench.store)
    with bench.store.begin() as s:
        accounts.add(s, "first", PASSWORD, ["admin"], bench.now)
    assert rules_of(settings, bench.store).demanded(bench.store)
    with pytest.raises(UsageError, match="DESK_KEY"):
        rules_of(Settings(**given, desk_cert=Path("cert.pem")), bench.store)


def test_the_desk_answers_to_its_own_names() -> None:
    """And to any where it was told none."""
    assert Rules(public="https://desk.example.cn").hosts("10.0.0.5")[3:] == ("10.0.0.5", "desk.example.cn")
    assert Rules().hosts("0.0.0.0") == () and Rules().hosts("127.0.0.1") == ("127.0.0.1", "localhost", "[::1]")
    assert "desk.example.cn" in Rules(public="https://desk.example.cn").hosts("0.0.0.0")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The command line on a folder of its own."""
    import typer
    from typer.testing import CliRunner

    from streams.cli.accounts import register

    monkeypatch.setenv("WANGLOU_DATA", str(tmp_path))
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    yield lambda *args, **more: CliRunner().invoke(app, ["accounts", *args], **more)


def test_the_command_line(shell: Any, tmp_path: Path) -> None:
    """The first administrator, a list for programs, a lock, a token; a password is never an argument."""
    import json

    from streams.desk.store import Store

    done = shell("add", "guanli", "--role", "admin", input=PASSWORD + "\n")
    assert done.exit_code == 0 and "everybody signs in" in done.output
    assert shell("add", "xian", "--role", "duty", "--area", "admin:lanxi", "--post", "p", input=PASSWORD + "\n").exit_code == 0
    assert isinstance(shell("add", "third", "--role", "boss", input=PASSWORD + "\n").exception, UsageError)
    assert shell("lock", "xian").exit_code == 0 and shell("change", "xian", "--role", "leader", "--everywhere").exit_code == 0
    token = shell("token", "guanli", "--days", "3").output.strip()
    rows = [json.loads(line) for line in shell("list", "--json").output.splitlines()]
    assert [(r["name"], r["roles"], r["areas"], r["locked"], r["sessions"]) for r in rows] == [
        ("guanli", ["admin"], [], False, 1), ("xian", ["leader"], [], True, 0)]
    assert "LOCKED" in shell("list").output
    assert shell("password", "guanli", input="another long one\n").exit_code == 0
    store = Store(f"sqlite:///{tmp_path}/desk.db")
    with store.begin() as s:
        assert accounts.checked(s.get(AccountRow, "guanli"), "another long one") and sessions.find(s, token, 0) is None
        assert broken(s) == 0
    store.close()
