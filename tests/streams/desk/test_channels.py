"""Every channel against a fake that keeps its vendor's limits: channel × fault → what is said. The table counts itself.

`pytest -s tests/streams/desk/test_channels.py` prints it.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update

from detectors.event import Change
from streams.desk import channels
from streams.desk.channels import Outcome, Result
from streams.desk.tables import Delivery

_spec = importlib.util.spec_from_file_location("desk_vendors", Path(__file__).with_name("vendors.py"))
assert _spec is not None and _spec.loader is not None
vendors = importlib.util.module_from_spec(_spec)
sys.modules["desk_vendors"] = vendors
_spec.loader.exec_module(vendors)

Make = Callable[..., Change]
SECRETS = {"HOOK": "hook-secret", "DING": "ding-token", "DING_KEY": "ding-key", "WECOM": "wecom-key", "FEISHU": "feishu-token",
           "FEISHU_KEY": "feishu-key", "APP": "the-app", "APP_SECRET": "the-app-secret", "GATE": "gate-secret"}
GATEWAY = {"url": "{base}/gate", "authorization": "Bearer $WANGLOU_SECRET_GATE", "success": "result.code=0", "busy": "4290",
           "never": "4001", "body": '{"phone": "{address}", "text": "{text}", "id": "{key}"}'}
S = "$WANGLOU_SECRET_"
SETUP: dict[str, tuple[str, dict[str, str]]] = {            # address, options
    "log": ("13800000001", {}),
    "webhook": ("{base}/hook?token=" + S + "HOOK", {}),
    "email": ("d@example.cn", {"host": "127.0.0.1", "port": "{port}", "from": "wanglou@example.cn", "tls": "none"}),
    "dingtalk": (f"{S}DING {S}DING_KEY", {"url": "{base}/robot/send"}),
    "wecom": (S + "WECOM", {"url": "{base}/send"}),
    "feishu": (f"{S}FEISHU {S}FEISHU_KEY", {"url": "{base}/hook"}),
    "zhezhengding": ("GE_12345", {"url": "{base}", "app_key": S + "APP", "app_secret": S + "APP_SECRET", "tenant": "196729"}),
    "gateway_sms": ("13800000001", GATEWAY),
    "gateway_voice": ("13800000001", GATEWAY),
}
FAKES: dict[str, Callable[[], Any]] = {
    "webhook": lambda: vendors.Fake(vendors.webhook, {"code": 0}, {"code": 1}),
    "dingtalk": lambda: vendors.Fake(vendors.dingtalk, {"errcode": 0}, {"errcode": 310000, "errmsg": "sign"}, {"errcode": 130101}),
    "wecom": lambda: vendors.Fake(vendors.wecom, {"errcode": 0}, {"errcode": 93000}, {"errcode": 45009}),
    "feishu": lambda: vendors.Fake(vendors.feishu, {"code": 0, "StatusCode": 0}, {"code": 19021}, {"code": 11232}),
    "zhezhengding": lambda: vendors.Fake(vendors.zhezhengding, {"success": True, "content": {"success": True, "data": "m1"}},
                                         {"success": True, "content": {"success": False, "responseCode": "E1"}}, drops=True),
    "gateway_sms": lambda: vendors.Fake(vendors.gateway, {"result": {"code": 0}}, {"result": {"code": 4001}}, {"result": {"code": 4290}}),
    "gateway_voice": lambda: vendors.Fake(vendors.gateway, {"result": {"code": 0}}, {"result": {"code": 9}}, {"result": {"code": 4290}}),
}
TABLE = """
channel       | ok   | time-out | 429       | code  | busy      | html  | portal | 500   | 404   | away  | no secret | repeat    | receipts
log           | sent |          |           |       |           |       |        |       |       | again |           | 2, 1 重发 | sent
webhook       | sent | again    | again 30s | again | again     | again | again  | again | never | again | never     | 2, 1 重发 | sent; by callback received read answered
email         | sent | again    | again     | never | again     | again | again  | again | never | again | never     | 2, 1 重发 | sent
dingtalk      | sent | again    | again 30s | again | again 60s | again | again  | again | never | again | never     | 2, 1 重发 | sent
wecom         | sent | again    | again 30s | never | again 60s | again | again  | again | never | again | never     | 2, 1 重发 | sent
feishu        | sent | again    | again 30s | again | again 10s | again | again  | again | never | again | never     | 2, 1 重发 | sent
zhezhengding  | sent | again    | again 30s | again | again     | again | again  | again | never | again | never     | 1, 0 重发 | sent
gateway_sms   | sent | again    | again 30s | never | again 30s | again | again  | again | never | again | never     | 2, 1 重发 | sent; by callback received answered
gateway_voice | sent | again    | again 30s | again | again 30s | again | again  | again | never | again | never     | 2, 1 重发 | sent; by callback received answered
"""
COLUMNS, *ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]


class Line:
    """A channel, its fake, and what it is told."""

    def __init__(self, name: str, folder: Path, httpserver: HTTPServer) -> None:
        self.name, self.folder = name, folder
        self.fake = vendors.Mail() if name == "email" else FAKES[name]() if name in FAKES else None
        base, port = httpserver.url_for("").rstrip("/"), str(self.fake.server_address[1]) if name == "email" else ""
        if name in FAKES:
            httpserver.expect_request(re.compile(".*")).respond_with_handler(self.fake)
        address, options = SETUP[name]
        self.address = address.replace("{base}", base)
        self.options = {k: x.replace("{base}", base).replace("{port}", port) for k, x in options.items()}

    def channel(self, **given: Any) -> Any:
        """Made anew, as after a start."""
        module = importlib.import_module(f"streams.desk.channels.{self.name}")
        quick = {} if self.name == "log" else {"timeout": 0.4}
        return getattr(module, module.__all__[0])(self.folder, lambda: self.options | given, **quick)

    def away(self) -> tuple[Any, str]:
        """The same with nobody at the other end."""
        nobody = "http://127.0.0.1:1"
        if self.name == "log":
            self.folder = self.folder / "file"
            self.folder.write_text("")
            return self.channel(), self.address
        return self.channel(port="1", url=nobody), f"{nobody}/hook" if self.name == "webhook" else self.address

    def close(self) -> None:
        """End."""
        if self.name == "email":
            self.fake.shutdown()
            self.fake.server_close()


@pytest.fixture(params=channels.names())
def line(request: Any, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Each channel of the folder in turn."""
    for name, value in SECRETS.items():
        monkeypatch.setenv("WANGLOU_SECRET_" + name, value)
    made = Line(request.param, tmp_path, httpserver)
    yield made
    made.close()


def words(outcome: Outcome) -> str:
    """As the table has it."""
    return outcome.result.value + (f" {outcome.after:.0f}s" if outcome.after is not None else "")


def test_what_each_channel_says_of_each_fault(
    line: Line, bench: Any, change: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The row of this channel: outcomes by fault, a repeat after a time-out, the receipts; and no secret in words or logs."""
    caplog.set_level(logging.DEBUG)
    message = channels.Message("k1", "a1", "yellow", "real", '【望楼】黄 "水位"', "duty", 1, "2026-06-24T02:20:00Z", False,
                               "http://127.0.0.1:8080/w/a1", bench.now)
    got, said = {"channel": line.name}, []
    if line.fake:
        line.fake.now = bench.now // 1_000_000
    for mode in vendors.MODES if line.fake else ("ok",):
        if line.fake:
            line.fake.mode = mode
            line.fake.free.clear()
        outcome = line.channel().send(message, line.address)
        if line.fake:
            line.fake.free.set()
            line.fake.took.clear()
        got[mode] = words(outcome)
        said.append(outcome.detail)
    got["repeat"] = repeated(line, bench, change)
    if line.name != "log":
        with monkeypatch.context() as p:
            for name in SECRETS:
                p.delenv("WANGLOU_SECRET_" + name)
            given = {"user": S + "APP", "password": S + "APP"} if line.name == "email" else {}
            outcome = line.channel(**given).send(message, line.address)
            got["no secret"] = words(outcome)
            assert "WANGLOU_SECRET_" in outcome.detail
    channel, address = line.away()
    got["away"] = words(channel.send(message, address))
    back = channels.able(channel.declared, {"callback": "x"})[len(channel.declared.receipts):]
    got["receipts"] = " ".join(channel.declared.receipts) + (f"; by callback {' '.join(back)}" if back else "")

    row = [got.get(name, "") for name in COLUMNS]
    print("\n" + " | ".join(row))
    assert line.fake is None or line.fake.faults == []
    assert row == next(r for r in ROWS if r[0] == line.name)
    heard = " ".join([*said, *(r.getMessage() for r in caplog.records if not r.name.startswith(("werkzeug", "asyncio")))])
    assert not [value for value in SECRETS.values() if value in heard]
    assert line.name in ("log", "webhook") or line.address not in heard or line.address.startswith(S)


def repeated(line: Line, bench: Any, change: Make) -> str:
    """A time-out after it was taken, then the next attempt: how many messages the other side has, how many are marked."""
    if line.fake:
        line.fake.mode, line.fake.took = "time-out", []
        line.fake.free.clear()
    else:
        (line.folder / "calls.jsonl").unlink()
    bench.put(change("river_level", "lanxi", 2))
    channel = line.channel()
    with bench.store.begin() as s:
        s.execute(update(Delivery).values(address=line.address))
    if line.fake is None:                           # the line is on disk, our row is not: killed in between
        with pytest.MonkeyPatch().context() as p:
            p.setattr("streams.desk.calling.deliver.Deliverer._settle", lambda *_: None)
            bench.deliver(log=channel)
    else:
        bench.deliver(log=channel)
        line.fake.free.set()
        line.fake.mode = "ok"
    bench.now += 11_000_000
    bench.deliver(log=channel)
    with bench.store.read() as s:
        assert [(d.state, d.receipt) for d in s.scalars(select(Delivery))] == [("sent", "sent")]
    texts = [t for _, t in line.fake.took] if line.fake else (line.folder / "calls.jsonl").read_text("utf-8").splitlines()
    return f"{len(texts)}, {sum('[重发]' in t for t in texts)} 重发"


def test_the_table_counts_itself() -> None:
    """A channel without a row, a set-up or words, or a row without a channel, is a fault."""
    from streams.desk.words import has

    assert [r[0] for r in ROWS] and {r[0] for r in ROWS} == set(channels.names()) == set(SETUP) == {*FAKES, "log", "email"}
    assert all(has(f"channel.{name}") for name in channels.names())


def test_success_without_ringing_calls_the_next(bench: Any, change: Make) -> None:
    """A gateway that takes every call and rings nobody gives `sent`, which is no answer: the ladder goes on."""
    bench.put(made := change("methane", "renmin", 4))
    bench.deliver()
    with bench.store.read() as s:
        row = s.scalars(select(Delivery)).one()
    assert (row.receipt, bench.steps(row.alert)[0][2]) == ("sent", "called")
    bench.pass_time(301)

    assert [state for *_, state in bench.steps(row.alert)] == ["expired", "called", "waiting"] and made.to == 4


@pytest.mark.parametrize("level", ["red", "yellow"])
def test_long_words_are_cut_and_the_link_is_kept(level: str) -> None:
    """WeCom's 2048 and 4096 bytes, ZheZhengDing's 2048: whole characters, the link still there; red calls everybody in WeCom."""
    from streams.desk.channels import wecom, zhezhengding

    message = channels.Message("k", "a", level, "real", "水" * 3000, "p", 1, "2026-06-24T02:20:00Z", False, "http://127.0.0.1/w/a", 0)
    body = wecom.body(message)
    text = body["text"]["content"] if level == "red" else body["markdown"]["content"]
    assert len(text.encode()) <= (2048 if level == "red" else 4096) and "http://127.0.0.1/w/a" in text and "…" in text
    assert (body.get("text", {}).get("mentioned_list") == ["@all"]) is (level == "red")
    assert len(zhezhengding.text(message).encode()) <= 2048 and "http://127.0.0.1/w/a" in zhezhengding.text(message)


def test_a_token_is_kept_and_asked_for_anew_in_time(tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """ZheZhengDing: one token for many notices, another before its two hours end, and after a refusal."""
    for name, value in SECRETS.items():
        monkeypatch.setenv("WANGLOU_SECRET_" + name, value)
    line = Line("zhezhengding", tmp_path, httpserver)
    channel, asked = line.channel(), lambda: sum(r.path == "/gettoken.json" for r, _ in httpserver.log)
    for n, at in enumerate((0, 7000, 7139, 7141)):
        message = channels.Message(f"k{n}", "a", "red", "real", "x", "p", 1, "", False, "", at * 1_000_000)
        assert channel.send(message, line.address).result is Result.SENT
    assert asked() == 2
    line.fake.mode = "code"
    channel.send(message, line.address)
    line.fake.mode = "ok"
    assert channel.send(message, line.address).result is Result.AGAIN and asked() == 3      # 重复, and it was no repeat of ours


def test_forms_are_escaped(tmp_path: Path, httpserver: HTTPServer) -> None:
    """A gateway of forms gets each value percent-encoded; nothing of a text can become another field."""
    from streams.desk.channels.gateway_sms import Sms

    httpserver.expect_request("/form").respond_with_data('{"ok": true}')
    options = {"url": httpserver.url_for("/form"), "type": "form", "body": "to={address}&text={text}", "success": "ok=true"}
    message = channels.Message("k", "a", "red", "real", "a&to=1=2 水", "p", 1, "", False, "", 0)
    assert Sms(tmp_path, lambda: options).send(message, "138").result is Result.SENT
    assert httpserver.log[0][0].form.to_dict() == {"to": "138", "text": "a&to=1=2 水"}
