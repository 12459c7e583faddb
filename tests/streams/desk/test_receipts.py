"""What a gateway posts back: delivered, failed, a key pressed; for a folded message it holds for all of its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.event import Change
from streams.desk.api.app import make_app
from streams.desk.tables import Delivery

Make = Callable[..., Change]
BACK = {"callback": "$WANGLOU_SECRET_BACK", "callback_key": "data.id", "callback_state": "data.status",
        "states": "DELIVRD=received UNDELIV=failed 1=answered 2=passed"}


@pytest.fixture
def desk(tmp_path: Path, night: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, TestClient]]:
    """An empty desk whose phone posts back."""
    monkeypatch.setenv("WANGLOU_SECRET_BACK", "back-secret")
    bench, site = night(tmp_path / "desk", fill=False)
    bench.names = replace(bench.names, city=replace(bench.names.city, channels={"log": BACK}))
    yield bench, TestClient(make_app(site))
    bench.store.close()


def post(client: TestClient, key: str, status: str, token: str = "back-secret", channel: str = "log", **more: Any) -> Any:
    """One callback."""
    body = {"data": {"id": key, "status": status}}
    return client.post(f"/receipt/{channel}", headers={"Authorization": f"Bearer {token}"}, **({"json": body} | more))


def keys(bench: Any) -> list[str]:
    """Of the deliveries sent."""
    with bench.store.read() as s:
        return list(s.scalars(select(Delivery.key).where(Delivery.state == "sent").order_by(Delivery.created)))


def test_a_pressed_key_answers_and_another_passes_on(desk: Any, change: Make) -> None:
    """Key 1 is the answer of the post that was called, key 2 calls the next; delivered is only told."""
    bench, client = desk
    bench.put(change("methane", "renmin", 4))
    bench.deliver()
    (key,) = keys(bench)
    with bench.store.read() as s:
        id_ = s.scalars(select(Delivery.alert)).one()
    assert post(client, key, "DELIVRD").json() == {"ok": True, "said": ["received"]}
    assert bench.alert(id_).state == "calling"
    assert post(client, key, "2").json()["said"] == ["passed"]
    assert bench.steps(id_)[:2] == [(1, "wucheng", "passed"), (2, "duty", "called")]
    bench.deliver()
    assert post(client, keys(bench)[-1], "1").json()["said"] == ["answered"]
    assert (bench.alert(id_).state, bench.alert(id_).answered_by) == ("answered", "duty")
    assert post(client, key, "1").json()["said"] == ["answered"] and bench.alert(id_).answered_by == "duty"


def test_a_key_pressed_after_its_time_still_counts(desk: Any, change: Make) -> None:
    """Whoever was called and let the time pass may answer as itself."""
    bench, client = desk
    bench.put(change("methane", "renmin", 4))
    bench.deliver()
    (key,) = keys(bench)
    bench.pass_time(130)
    assert post(client, key, "1").json()["ok"]
    with bench.store.read() as s:
        id_ = s.scalars(select(Delivery.alert)).first()
    assert (bench.alert(id_).state, bench.alert(id_).answered_by) == ("answered", "wucheng")


def test_one_key_answers_all_that_the_message_spoke_for(desk: Any, change: Make) -> None:
    """Five calls folded into one message, one key: five answers."""
    bench, client = desk
    bench.put(*(replace(change("river_level", "lanxi", 2, detector=f"basin/d{n}"), group=f"basin/g{n}") for n in range(5)))
    bench.deliver()
    with bench.store.read() as s:
        carrier = s.scalars(select(Delivery.folded).distinct()).one()
    assert post(client, carrier, "1").json()["said"] == ["answered"]
    with bench.store.read() as s:
        assert {bench.alert(id_).state for id_ in s.scalars(select(Delivery.alert))} == {"answered"}


def test_who_may_post_and_what(desk: Any, change: Make) -> None:
    """A wrong token, a channel without callback, an unknown message, nonsense, too much: refused; an unknown state is ignored."""
    bench, client = desk
    bench.put(change("methane", "renmin", 4))
    bench.deliver()
    (key,) = keys(bench)
    assert post(client, key, "1", token="other").status_code == 403 and post(client, key, "1", token="").status_code == 403
    assert post(client, key, "1", channel="webhook").status_code == 404 == post(client, "nobody", "1").status_code
    assert post(client, key, "1", content=b"{", json=None).status_code == 400
    assert post(client, key, "1", content=b"[" + b" " * 70_000, json=None).status_code == 400
    assert post(client, key, "SOON").json()["said"] == ["ignored"]
    both = [{"data": {"id": key, "status": "DELIVRD"}}, {"data": {"id": "x", "status": "1"}}, 7]
    assert post(client, key, "", json=both).json() == {"ok": False, "said": ["received", "unknown", "unknown"]}
    with bench.store.read() as s:
        assert s.scalars(select(Delivery.receipt)).one() == "received"


def test_a_form_is_read_too(desk: Any, change: Make) -> None:
    """Old gateways post forms, with the token in the address."""
    bench, client = desk
    bench.put(change("methane", "renmin", 4))
    bench.deliver()
    (key,) = keys(bench)
    bench.names = replace(bench.names, city=replace(bench.names.city, channels={"log": BACK | {"callback_key": "id", "callback_state": "s"}}))
    assert client.post("/receipt/log?token=back-secret", data={"id": key, "s": "UNDELIV"}).json()["said"] == ["failed"]
    with bench.store.read() as s:
        assert s.scalars(select(Delivery.receipt)).one() == "failed"
