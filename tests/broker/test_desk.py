"""The desk as a process on a real Kafka: killed anywhere, it folds each event once and calls each step at least once."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from detectors.event import Change, alert_id, event_id
from detectors.pack import City, Ladder, Post, Route, Step, Text
from streams import clock
from streams.broker import free_port
from streams.codec import Changes, encode

pytestmark = pytest.mark.broker
POSTS = tuple(Post(p, Text(p), addresses={"log": p}) for p in ("first", "second"))
LADDERS = (Ladder("l", Text("叫应"), (Step("first", ("log",), 1.0), Step("second", ("log",), 60.0))),)


def change(site: str, to: int, seq: int, now: int) -> Change:
    """One change of one gauge's alert."""
    alert = alert_id("river/stage", f"level@{site}", now)
    return Change(
        id=event_id(alert, seq),
        alert=alert,
        seq=seq,
        time=now + seq,
        arrived=now + seq,
        onset=now,
        pack="river",
        site=site,
        indicator="level",
        detector="river/stage",
        before=to - 1,
        to=to,
        value=26.0,
        score=26.0,
        limit=25.0,
        since=now,
        group="river/level",
    )


def produce(bench: Any, *records: Changes) -> None:
    """Onto `events`, acknowledged."""
    from kafka import KafkaProducer

    producer = KafkaProducer(bootstrap_servers=bench.settings.broker, acks="all")
    for record in records:
        producer.send(bench.settings.topic("events"), encode(record)).get(10)
    producer.close()


def ask(url: str) -> Any:
    """JSON of the desk, or None while it is not there."""
    try:
        return httpx2.get(url, timeout=2).json()
    except (httpx2.HTTPError, ValueError):
        return None


def test_kill_the_desk_anywhere(bench: Any, city: Callable[..., City], wait: Callable[..., None]) -> None:
    """Killed while it folds and while ladders run: the same alerts, no call lost, the second post called; an orderly end."""
    bench.plan(replace(city(), ladders=LADDERS, routes=(Route("l"),), posts=POSTS))
    port = free_port()
    url, env = f"http://127.0.0.1:{port}", {"DESK_PORT": str(port), "DESK_URL": f"sqlite:///{bench.folder}/desk.db"}
    sites, now = [f"gauge-{n}" for n in range(8)], clock.now()
    produce(bench, *(Changes((change(s, 2, 0, now),)) for s in sites[:4]))

    desk = bench.start("desk", **env)
    wait(lambda: len(ask(f"{url}/api/alerts") or ()) == 4, "four alerts")
    desk.kill()
    desk.wait()
    produce(bench, *(Changes((change(s, 2, 0, now),)) for s in sites[4:]), Changes(tuple(change(s, 3, 1, now) for s in sites)))
    for _ in range(2):
        desk = bench.start("desk", **env)
        wait(lambda: bool((ask(f"{url}/readyz") or {}).get("live")), "caught up")
        desk.kill()
        desk.wait()
    desk = bench.start("desk", **env)

    def calls() -> list[dict[str, Any]]:
        file = Path(bench.settings.data) / "calls.jsonl"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def all_called() -> bool:
        return {a for c in calls() if c["post"] == "second" for a in (c["alert"], *(a for _, a in c["speaks_for"]))} == {change(s, 2, 0, now).alert for s in sites}

    wait(all_called, "the second post called for every alert", 45)
    def whole() -> list[dict[str, Any]]:
        return [ask(f"{url}/api/alerts/{a['id']}") or {} for a in ask(f"{url}/api/alerts") or ()]

    def sent() -> bool:
        found = [d["state"] for a in whole() for d in a.get("deliveries", [{"state": ""}])]
        return bool(found) and set(found) == {"sent"}

    wait(sent, "every delivery sent")
    alerts = whole()
    assert {(a["id"], a["site"], a["level"], a["state"]) for a in alerts} == {
        (change(s, 2, 0, now).alert, s, "orange", "calling") for s in sites
    }
    assert [len(a["events"]) for a in alerts] == [2] * 8
    told = Counter(c["key"] for c in calls())
    assert all(told[d["folded"] or d["key"]] >= 1 for a in alerts for d in a["deliveries"])
    assert all(c["again"] for key, n in told.items() if n > 1 for c in [x for x in calls() if x["key"] == key][1:])

    begun = clock.monotonic()
    desk.send_signal(signal.SIGTERM)
    assert desk.wait(10) == 0 and clock.monotonic() - begun < 5
