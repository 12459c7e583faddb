"""What was given up is seen on its warning and on a list with its reason; a person sends it again, marked and audited."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from streams.desk.api.app import make_app
from streams.desk.channels import Message, Outcome, Result
from streams.desk.tables import Audit, Delivery


class Phone:
    """Refuses until it is repaired."""

    def __init__(self) -> None:
        self.broken, self.took = True, list[Message]()

    def send(self, message: Message, address: str) -> Outcome:
        """One call."""
        self.took.append(message)
        return Outcome(Result.NEVER, "HTTP 403 <b>no credit</b>") if self.broken else Outcome(Result.SENT)


@pytest.fixture
def page(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, TestClient]]:
    """An empty desk and a browser that acts as the officer."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), cookies={"post": "duty"}, follow_redirects=False) as client:
        yield bench, client
    bench.store.close()


def one(bench: Any) -> Delivery:
    """The only delivery."""
    with bench.store.read() as s:
        return s.scalars(select(Delivery)).one()  # type: ignore[no-any-return]


def test_a_parked_message_is_seen_and_sent_again(page: Any, change: Callable[..., Any]) -> None:
    """Seen in both places with its reason as text; after the button it leaves marked 重发 under its key; all of it is in the audit."""
    bench, client = page
    phone, red = Phone(), change("river_level", "lanxi", 2)
    bench.put(red)
    bench.deliver(log=phone)
    key = one(bench).key
    for path in ("/outbox", f"/w/{red.alert}"):
        text = client.get(path).text
        assert f"/outbox/{key}/resend" in text and "HTTP 403 &lt;b&gt;no credit" in text

    phone.broken = False
    answer = client.post(f"/outbox/{key}/resend", data={"back": f"/w/{red.alert}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/w/{red.alert}#tried")
    assert client.post(f"/outbox/{key}/resend", headers={"accept": "application/json"}).json()["error"] == "err.parked"
    bench.deliver(log=phone)
    assert [(m.key, m.again) for m in phone.took] == [(key, False), (key, True)] and phone.took[1].text.startswith("[重发] ")
    assert (one(bench).state, one(bench).receipt) == ("sent", "sent")
    with bench.store.read() as s:
        row = s.scalars(select(Audit).where(Audit.act == "resent")).one()
        assert (row.post, row.alert, row.what["detail"]) == ("duty", red.alert, "HTTP 403 <b>no credit</b>")
    assert f"/outbox/{key}/resend" not in client.get(f"/w/{red.alert}").text
    assert "重发" in client.get(f"/w/{red.alert}").text


def test_refusals_say_why(page: Any, change: Callable[..., Any]) -> None:
    """No such message, nobody chosen, a warning that is closed: nothing changes."""
    bench, client = page
    phone, low = Phone(), change("river_level", "lanxi", 2)
    bench.put(low)
    bench.deliver(log=phone)
    key = one(bench).key
    assert client.post("/outbox/none/resend").status_code == 404
    with TestClient(client.app) as nobody:
        refused = nobody.post(f"/outbox/{key}/resend")
        assert refused.status_code == 409 and "disabled" in refused.text
    bench.do(low.alert, "answer_for", "leader", "电话联系上了")
    bench.do(low.alert, "close", "leader", "电话联系上了", "true")
    answer = client.post(f"/outbox/{key}/resend", json={})
    assert (answer.status_code, answer.json()["error"]) == (409, "err.closed")
    assert one(bench).state == "parked" and key not in client.get("/outbox").text


def test_a_folded_message_is_sent_again_whole(page: Any, change: Callable[..., Any]) -> None:
    """All calls that a parked message speaks for leave with it."""
    from dataclasses import replace

    bench, client = page
    phone = Phone()
    bench.put(*(replace(change("river_level", "lanxi", 2, detector=f"basin/d{n}"), group=f"basin/g{n}") for n in range(9)))
    for _ in range(3):
        bench.deliver(log=phone)
        bench.now += 31_000_000
    with bench.store.read() as s:
        rows = s.scalars(select(Delivery).where(Delivery.folded.is_not(None))).all()
    assert len(rows) > 2 and {r.state for r in rows} == {"parked"}
    phone.broken = False
    assert client.post(f"/outbox/{rows[-1].key}/resend").status_code == 303
    bench.deliver(log=phone)
    with bench.store.read() as s:
        assert {d.state for d in s.scalars(select(Delivery).where(Delivery.folded.is_not(None)))} == {"sent"}
    assert phone.took[-1].again and len(phone.took[-1].speaks_for) == len(rows)
