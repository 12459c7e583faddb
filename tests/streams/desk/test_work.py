"""派单: handed out signed and once, answered by its token, and an alert waits for it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from starlette.testclient import TestClient
from werkzeug import Request, Response

from detectors.pack import Outward, Text, Unit
from streams.desk.alert import Refused
from streams.desk.api.app import make_app
from streams.desk.names import Names
from streams.desk.publish.courier import Courier
from streams.desk.publish.tables import Parcel, WorkOrder

KEY = "shared-with-141"
JSON = {"accept": "application/json"}


@pytest.fixture
def web(tmp_path: Path, night: Any, change: Any, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
        ) -> Iterator[tuple[Any, str, TestClient, Courier, HTTPServer]]:
    """A desk with one answered warning and a unit that listens."""
    monkeypatch.setenv("WANGLOU_SECRET_WORK", KEY)
    bench, site = night(tmp_path, fill=False)
    units = (Unit("street", Text("城中街道 141", "Street 141"), httpserver.url_for("/orders"), "$WANGLOU_SECRET_WORK"),)
    bench.names = Names(replace(bench.names.city, outward=Outward(units=units)), "7c1e9a00")
    bench.put(one := change("water", "chouzhou", 2))
    bench.do(one.alert, "answer", "duty")
    courier = Courier(bench.store, {}, lambda: bench.m, "https://desk.example", lambda rows: None)
    with TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False) as made:
        yield bench, str(one.alert), made, courier, httpserver


def order(web: TestClient, id_: str, **more: str) -> dict[str, Any]:
    """Hand one out."""
    body = {"unit": "street", "text": "稠州路下穿设围挡，疏导车辆", "minutes": "30"} | more
    answer: dict[str, Any] = web.post(f"/work/{id_}/order", data=body, headers=JSON).json()
    return answer


def sign(body: bytes, key: str = KEY) -> dict[str, str]:
    """What the unit sends beside its body."""
    return {"x-wanglou-signature": "sha256=" + hmac.new(key.encode(), body, sha256).hexdigest()}


def state(bench: Any, id_: str) -> str:
    with bench.store.read() as s:
        return str(s.get(WorkOrder, id_).state)


def test_out_and_back(web: tuple[Any, str, TestClient, Courier, HTTPServer]) -> None:
    """Signed, with its key and an address for answers; status by status; the alert closes when the work is done."""
    bench, id_, client, courier, server = web
    took: list[Request] = []
    server.expect_request("/orders", method="POST").respond_with_handler(lambda r: took.append(r) or Response("{}"))
    assert order(client, id_)["ok"]
    assert (courier.pump(), courier.pump()) == (1, 0)
    (got,) = took
    said, work = json.loads(got.data), f"{id_}-w1"
    assert got.headers["X-Wanglou-Signature"] == sign(got.data)["x-wanglou-signature"] and got.headers["Idempotency-Key"] == work
    assert (said["id"], said["level"], said["due"]) == (work, "yellow", "2026-06-23T18:47:20Z") and "围挡" in said["text"]
    path = said["answer_to"].removeprefix("https://desk.example")
    assert path.startswith("/receipt/work/") and state(bench, work) == "handed"
    with pytest.raises(Refused) as refused:
        bench.do(id_, "close", "leader", "现场已处置完毕", "true")
    assert refused.value.key == "work.open"
    assert "还有 1 张派单未办结" in client.get(f"/w/{id_}").text

    def tell(status: str, **more: Any) -> tuple[int, bool | None]:
        body = json.dumps({"status": status, "note": "值守人员到场"} | more).encode()
        answer = client.post(path, content=body, headers=sign(body))
        return answer.status_code, answer.json().get("changed")

    assert [tell(x) for x in ("accepted", "accepted", "doing", "accepted", "done", "done", "doing")] == [
        (200, True), (200, False), (200, True), (409, None), (200, True), (200, False), (409, None)]
    assert [a for a in bench.acts(id_) if a.startswith("order")] == ["ordered", "order_handed", "order_accepted", "order_doing", "order_done"]
    assert "城中街道 141" in client.get(f"/w/{id_}").text and "办结" in client.get(f"/w/{id_}").text
    assert not bench.do(id_, "close", "leader", "现场已处置完毕", "true").open


def test_who_may_answer(web: tuple[Any, str, TestClient, Courier, HTTPServer]) -> None:
    """A wrong token, no or a wrong signature, a body that is none or says nothing known: refused, nothing changed."""
    bench, id_, client, courier, server = web
    order(client, id_)
    with bench.store.read() as s:
        token, good = s.get(Parcel, f"{id_}-w1").body["token"], b'{"status": "done"}'
    for path, body, headers, wanted in (
            ("nothing", good, sign(good), 404), (token, good, {}, 403), (token, good, sign(good, "other"), 403),
            (token, good + b" ", sign(good), 403), (token, b"[1]", sign(b"[1]"), 400), (token, b"{", sign(b"{"), 400),
            (token, b'{"status": "ready"}', sign(b'{"status": "ready"}'), 409), (token, b"x" * 20_000, sign(b"x" * 20_000), 413)):
        assert client.post(f"/receipt/work/{path}", content=body, headers=headers).status_code == wanted, (path, body[:20])
    assert client.get(f"/receipt/work/{token}").status_code == 405
    assert state(bench, f"{id_}-w1") == "ordered"
    server.expect_request("/orders").respond_with_data("{}")
    courier.pump()
    with bench.store.read() as s:
        assert s.get(Parcel, f"{id_}-w1").body["token"] == ""       # only its hash is kept once it is out


def test_a_unit_that_fails(web: tuple[Any, str, TestClient, Courier, HTTPServer]) -> None:
    """503, then a refusal inside 200, then taken: one order, the same key; refused for good: parked, said on the page, sent again."""
    bench, id_, client, courier, server = web
    keys: list[str] = []
    answers = iter([Response("", 503), Response('{"code": 7}'), Response('{"code": 0}'), Response("", 404), Response("{}")])
    server.expect_request("/orders").respond_with_handler(lambda r: keys.append(r.headers["Idempotency-Key"]) or next(answers))
    order(client, id_)
    for _ in range(3):
        courier.pump()
        bench.now += 10_000_000
    assert keys == [f"{id_}-w1"] * 3 and state(bench, f"{id_}-w1") == "handed"
    order(client, id_)
    courier.pump()
    assert "送不出去：HTTP 404" in client.get(f"/w/{id_}").text
    assert client.post(f"/work/{id_}-w1/again", headers=JSON).status_code == 409
    assert client.post(f"/work/{id_}-w2/again").status_code == 303
    courier.pump()
    assert state(bench, f"{id_}-w2") == "handed"


def test_cancelled(web: tuple[Any, str, TestClient, Courier, HTTPServer]) -> None:
    """Taken back with a reason: the unit is told if it had it, and the alert need not wait; not twice."""
    bench, id_, client, courier, server = web
    told: list[str] = []
    server.expect_request("/orders").respond_with_handler(lambda r: told.append(json.loads(r.data)["kind"]) or Response("{}"))
    order(client, id_)
    courier.pump()
    assert client.post(f"/work/{id_}-w1/cancel", data={"reason": "短"}, headers=JSON).json()["error"] == "err.reason"
    assert client.post(f"/work/{id_}-w1/cancel", data={"reason": "积水已退，不必前往"}).status_code == 303
    assert client.post(f"/work/{id_}-w1/cancel", data={"reason": "积水已退，不必前往"}, headers=JSON).json()["error"] == "work.over"
    order(client, id_)
    assert client.post(f"/work/{id_}-w2/cancel", data={"reason": "积水已退，不必前往"}).status_code == 303
    courier.pump()

    assert told == ["order", "cancel", "cancel"] and not bench.do(id_, "close", "leader", "现场已处置完毕", "true").open


def test_what_cannot_be_ordered(web: tuple[Any, str, TestClient, Courier, HTTPServer]) -> None:
    """No unit, no words, no post, no such warning; a unit without its secret is tried again, not sent unsigned."""
    bench, id_, client, _courier, _server = web
    assert order(client, id_, unit="nobody")["error"] == "work.no_unit" and order(client, id_, text="去")["error"] == "err.reason"
    assert order(client, "nothing")["error"] == "err.none"
    client.cookies.clear()
    assert order(client, id_)["error"] == "err.post"
    with bench.store.read() as s:
        assert s.scalars(select(WorkOrder)).all() == []


def test_unsigned_is_never_sent(web: tuple[Any, str, TestClient, Courier, HTTPServer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its secret in the environment nothing goes out; it waits."""
    bench, id_, client, courier, server = web
    monkeypatch.delenv("WANGLOU_SECRET_WORK")
    order(client, id_)
    courier.pump()
    with bench.store.read() as s:
        row = s.get(Parcel, f"{id_}-w1")
    assert row.state == "pending" and "WANGLOU_SECRET_WORK" in row.detail and server.log == []
