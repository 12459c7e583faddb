"""Deliveries: what a channel's answer means, retries, crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update
from werkzeug import Request, Response

from detectors.event import Change
from streams.desk import channels
from streams.desk.calling import deliver
from streams.desk.channels import Message, Outcome, Result
from streams.desk.channels.log import Log
from streams.desk.channels.webhook import Webhook
from streams.desk.tables import Delivery

MESSAGE = Message("k1", "a1", "red", "real", "【望楼】红", "duty", 1, "2026-06-24T02:20:00Z", False, "http://127.0.0.1:8080/w/a1")
Make = Callable[..., Change]


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, "", Result.SENT),
        (204, "", Result.SENT),
        (200, "{}", Result.SENT),
        (200, '{"errcode": 0, "errmsg": "ok"}', Result.SENT),
        (200, '{"code": "0"}', Result.SENT),
        (200, '{"errcode": 310000, "errmsg": "sign not match"}', Result.AGAIN),
        (200, '{"StatusCode": 19024}', Result.AGAIN),
        (200, "<html>please log in</html>", Result.AGAIN),
        (200, "[]", Result.AGAIN),
        (302, "", Result.AGAIN),
        (500, "oops", Result.AGAIN),
        (503, "", Result.AGAIN),
        (429, "", Result.AGAIN),
        (408, "", Result.AGAIN),
        (400, "no", Result.NEVER),
        (404, "", Result.NEVER),
        (401, "", Result.NEVER),
    ],
)
def test_success_is_what_the_answer_says(httpserver: HTTPServer, status: int, body: str, result: Result, tmp_path: Path) -> None:
    """A refusal inside 200 is no success, nor is a portal's page."""
    httpserver.expect_request("/hook").respond_with_data(body, status)

    assert Webhook(tmp_path).send(MESSAGE, httpserver.url_for("/hook")).result is result


def test_a_webhook_carries_its_key(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The receiver can tell a repeat by the key, and reads text, level and deadline."""
    httpserver.expect_request("/hook", method="POST", headers={"Idempotency-Key": "k1"}).respond_with_json({"code": 0})
    assert Webhook(tmp_path).send(MESSAGE, httpserver.url_for("/hook")).result is Result.SENT

    sent = json.loads(httpserver.log[0][0].get_data())
    assert (sent["key"], sent["level"], sent["again"], sent["text"]) == ("k1", "red", False, "【望楼】红")


@pytest.mark.parametrize(
    ("address", "result"), [("", Result.NEVER), ("ftp://x/", Result.NEVER), ("http://127.0.0.1:1/", Result.AGAIN)]
)
def test_addresses(address: str, result: Result, tmp_path: Path) -> None:
    """No web address is never; nobody there is again."""
    assert Webhook(tmp_path).send(MESSAGE, address).result is result


def test_a_time_out_after_it_was_taken_is_tried_again(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The other side may have it: the outcome is again, never sent."""
    import threading

    free, took = threading.Event(), []

    def slow(request: Request) -> Response:
        took.append(request.headers["Idempotency-Key"])
        free.wait(5)
        return Response("{}")

    httpserver.expect_request("/hook").respond_with_handler(slow)
    outcome = Webhook(tmp_path, timeout=0.3).send(MESSAGE, httpserver.url_for("/hook"))
    free.set()

    assert outcome.result is Result.AGAIN and took == ["k1"]


def test_the_log_phone_writes_a_line(tmp_path: Path) -> None:
    """One JSON line a call; a folder that cannot be written is tried again."""
    assert Log(tmp_path / "data").send(MESSAGE, "138").result is Result.SENT
    assert json.loads((tmp_path / "data" / "calls.jsonl").read_text("utf-8"))["address"] == "138"
    (tmp_path / "file").write_text("")
    assert Log(tmp_path / "file").send(MESSAGE, "138").result is Result.AGAIN


def test_the_folder_is_the_registry(tmp_path: Path) -> None:
    """Every channel file exports one class and is found by its name."""
    assert set(channels.load(tmp_path)) == set(channels.names()) >= {"log", "webhook"}


class Script:
    """A channel that answers by a list."""

    def __init__(self, *outcomes: Outcome | Exception) -> None:
        self.outcomes, self.took = list(outcomes), []  # type: ignore[var-annotated]

    def send(self, message: Message, address: str) -> Outcome:
        """The next of the list."""
        self.took.append(message)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def row(bench: Any) -> Delivery:
    """The only delivery."""
    with bench.store.read() as s:
        return s.scalars(select(Delivery)).one()  # type: ignore[no-any-return]


def test_retries_back_off_and_a_repeat_says_so(bench: Any, change: Make) -> None:
    """Again after 2 s, then 5 s; the same key, marked 重发; sent once it is taken."""
    channel = Script(Outcome(Result.AGAIN, "HTTP 500"), OSError("cable"), Outcome(Result.SENT))
    bench.put(change("river_level", "lanxi", 2))
    assert bench.deliver(log=channel) == 1 and bench.deliver(log=channel) == 0
    assert (row(bench).state, row(bench).next_at) == ("pending", bench.now + 2_000_000)
    bench.now += 2_000_000
    bench.deliver(log=channel)
    assert row(bench).next_at == bench.now + 5_000_000
    bench.now += 5_000_000
    bench.deliver(log=channel)

    assert (row(bench).state, row(bench).receipt, row(bench).attempts) == ("sent", "sent", 3)
    assert [m.again for m in channel.took] == [False, True, True] and len({m.key for m in channel.took}) == 1
    assert [m.text.startswith("[重发] ") for m in channel.took] == [False, True, True]


def test_a_crash_after_sending_sends_again_marked(bench: Any, change: Make) -> None:
    """Killed between the channel's yes and our row: after the lease it goes out again under the same key."""
    bench.put(change("river_level", "lanxi", 2))
    patch = pytest.MonkeyPatch()
    first, second = Script(Outcome(Result.SENT)), Script(Outcome(Result.SENT))
    with patch.context() as p:
        p.setattr(deliver.Deliverer, "_settle", lambda *_: None)
        bench.deliver(log=first)
    assert bench.deliver(log=second) == 0
    bench.now += deliver.LEASE * 1_000_000
    assert bench.deliver(log=second) == 1

    assert (first.took[0].key, first.took[0].again) == (second.took[0].key, False) and second.took[0].again


def test_never_and_too_often_are_parked_for_a_person(bench: Any, change: Make) -> None:
    """What will not be taken is not tried again; neither is what failed ten times; nor a channel that is not there."""
    for site, outcomes in (("lanxi", [Outcome(Result.NEVER, "HTTP 404")]), ("sanhe", [Outcome(Result.AGAIN, "HTTP 500")] * 10)):
        bench.put(change("river_level", site, 2))
        channel = Script(*outcomes)
        while channel.outcomes:
            bench.deliver(log=channel)
            bench.now += 301_000_000
            with bench.store.begin() as s:  # the ladder is not what is looked at here
                s.execute(update(Delivery).where(Delivery.state == "pending").values(next_at=bench.now))
    with bench.store.read() as s:
        assert [(d.state, d.receipt, d.attempts) for d in s.scalars(select(Delivery).order_by(Delivery.attempts))] == [
            ("parked", "failed", 1),
            ("parked", "failed", 10),
        ]
    bench.put(change("reservoir", "hengjin", 2))
    bench.deliver(webhook=Script())
    with bench.store.read() as s:
        assert s.scalar(select(Delivery.detail).where(Delivery.detail.like("no channel%"))) == "no channel 'log'"
