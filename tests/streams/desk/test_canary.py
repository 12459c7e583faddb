"""The canary: pushed on time, measured from its push to its delivery, brought down and closed, shown and counted nowhere."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from starlette.testclient import TestClient

from detectors.event import Change, alert_id, event_id
from detectors.pack import Detector, Indicator, Limit, Pack, Site, Text, Use
from streams.desk.api.app import make_app
from streams.desk.channels import Message, Result
from streams.desk.exercise import mark
from streams.desk.exercise.canary import PATIENCE, Canary, http
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.errors import Unavailable
from streams.metrics import Metrics

EVERY = 600.0


class Way:
    """From the feed's door to the desk: a push becomes a change at once, unless the way is blocked."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.pushed, self.shut, self.lost, self.level = bench, list[float](), False, False, 0.0
        self.onset, self.seq = 0, 0

    def __call__(self, series: str, time: int, value: float) -> None:
        """One reading."""
        assert series == "canary@canary"
        if self.shut:
            raise Unavailable("connection refused")
        self.pushed.append(value)
        if self.lost or value == self.level:
            return
        self.level = value
        self.onset, self.seq = (time, 0) if value else (self.onset, self.seq + 1)
        id_ = alert_id("self/canary", series, self.onset)
        self.bench.now += 700_000
        self.bench.put(Change(id=event_id(id_, self.seq), alert=id_, seq=self.seq, time=time, arrived=time, onset=self.onset, pack="self",
                              site="canary", indicator="canary", detector="self/canary", before=int(not value), to=int(value),
                              value=value, score=value, limit=0.5, since=time, group="self/canary", scope="exercise"))


@pytest.fixture
def desk(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, Any]]:
    """A desk whose plan has the pack `self`, and its site."""
    bench, site = night(tmp_path, fill=False)
    canary = Indicator("canary", "self", Text("自检信号"), "", ("canary",))
    detector = Detector("canary", "self", "canary", Use("threshold"), (Limit(1, 0.5),), scope="exercise")
    city = replace(bench.names.city, packs=(*bench.names.city.packs, Pack("self", Text("自检"), (canary,), (detector,))),
                   sites=bench.names.city.sites | {"canary": Site("canary", Text("自检站"))})
    bench.names = Names(city, "7c1e9a00")
    yield bench, site
    bench.store.close()


def turns(bench: Any, canary: Canary, seconds: float) -> None:
    """The leader's thread over so many seconds, its outbox beside it."""
    end = bench.now + round(seconds * 1e6)
    while bench.now < end:
        canary.pump()
        bench.deliver(canary=mark.Line())
        bench.now += 2_000_000


def told(metrics: Metrics) -> tuple[float | None, float | None]:
    """Seconds that the last one took, and when it came (unix seconds)."""
    return metrics.canary_seconds.rows().get(()), metrics.canary_success.rows().get(())


def test_it_comes_through_on_time_and_leaves_nothing_open(desk: Any) -> None:
    """Three in half an hour; each is up, delivered, down, closed; measured from the push to the delivery."""
    bench, _ = desk
    way, metrics = Way(bench), Metrics()
    canary = Canary(bench.store, lambda: bench.m, way, EVERY, metrics)
    assert told(metrics) == (None, None)
    turns(bench, canary, 2.5 * EVERY)
    took, came = told(metrics)
    assert way.pushed == [1.0, 0.0] * 3 and took is not None and 0.7 <= took < 10 and came is not None
    from sqlalchemy import select

    from streams.desk.store import broken
    from streams.desk.tables import Alert, Delivery

    with bench.store.read() as s:
        assert [(a.state, a.disposition, a.level) for a in s.scalars(select(Alert))] == [("closed", "drill", 0)] * 3
        assert {(d.channel, d.state) for d in s.scalars(select(Delivery))} == {("canary", "sent")} and broken(s) == 0


def test_a_way_that_is_blocked_is_never_taken_for_a_good_one(desk: Any) -> None:
    """The door shut, then a reading lost on its way, then all well: the last success stays where it was, and goes on afterwards."""
    bench, _ = desk
    way, metrics = Way(bench), Metrics()
    canary = Canary(bench.store, lambda: bench.m, way, EVERY, metrics)
    turns(bench, canary, 60)
    good = told(metrics)
    way.shut = True
    turns(bench, canary, 2 * EVERY)
    assert told(metrics) == good and way.pushed == [1.0, 0.0]
    way.shut, way.lost = False, True
    turns(bench, canary, EVERY)
    assert told(metrics) == good and way.pushed.count(1.0) >= 2
    way.lost = False
    turns(bench, canary, EVERY + PATIENCE)
    assert (told(metrics)[1] or 0) > (good[1] or 0)


def test_another_leader_goes_on_where_the_first_was(desk: Any) -> None:
    """The leader dies between push and delivery: the next one sees it come, and pushes no second one."""
    bench, _ = desk
    way, metrics = Way(bench), Metrics()
    Canary(bench.store, lambda: bench.m, way, EVERY, Metrics()).pump()
    turns(bench, Canary(bench.store, lambda: bench.m, way, EVERY, metrics), 60)
    assert way.pushed == [1.0, 0.0] and (told(metrics)[0] or 0) > 0.6


def test_it_is_shown_and_counted_nowhere(desk: Any) -> None:
    """While it is up: no row, no number, no sound, no metric; a real warning of the same pack would be shown."""
    bench, site = desk
    from streams.desk.meter import Meter

    metrics = Metrics()
    meter = Meter(bench.store, metrics, lambda: bench.names, lambda: bench.now)
    with TestClient(make_app(site), cookies={"post": "duty"}) as page:
        before = page.get("/").text.count("<li class=\"row")
        canary = Canary(bench.store, lambda: bench.m, Way(bench), EVERY, Metrics())
        canary.pump()
        bench.deliver(canary=mark.Line())
        meter.catch_up()
        text = page.get("/").text
        assert text.count("<li class=\"row") == before == 0 and "自检" not in text
        assert page.get("/api/alerts").json() == []
    assert metrics.alerts_open.rows() == {} and metrics.outbox_pending.rows() == {} and metrics.unanswered_since.rows() == {}
    assert bench.names.series == Names(replace(bench.names.city, packs=bench.names.city.packs[:-1])).series


def test_off_means_off(desk: Any, bench: Any) -> None:
    """Without the pack, with 0 seconds, and in a played history nothing is pushed."""
    with_pack, _ = desk
    for where, every, played in ((bench, EVERY, False), (with_pack, 0.0, False), (with_pack, EVERY, True)):
        way = Way(where)
        moment = lambda where=where, played=played: Moment(where.now, where.names, played)  # noqa: E731
        Canary(where.store, moment, way, every, Metrics()).pump()
        assert way.pushed == []


def test_its_line_takes_no_other_call() -> None:
    """A real call, or a drill's, on the canary's line would vanish: it is refused for good."""
    message = Message("k", "a", "red", "real", "x", "duty", 1, "", False, "")
    assert mark.Line().send(message, "").result is Result.NEVER
    assert mark.Line().send(replace(message, scope="exercise"), "").result is Result.NEVER
    assert mark.Line().send(replace(message, scope="exercise", post="canary"), "").result is Result.SENT


@pytest.mark.parametrize(("status", "fine"), [(202, True), (422, False), (503, False), (401, False)])
def test_the_push_is_a_source_like_any_other(httpserver: HTTPServer, status: int, fine: bool) -> None:
    """POST with its source; only 202 counts, and nobody there is told as such."""
    httpserver.expect_request("/readings", query_string="source=canary", method="POST").respond_with_json({"accepted": 1}, status)
    push = http(httpserver.url_for("/readings"))
    if fine:
        push("canary@canary", 1_782_238_640_123_456, 1.0)
        sent = httpserver.log[0][0].get_json()
        assert sent == {"site": "canary", "indicator": "canary", "time": "2026-06-23T18:17:20.123456Z", "value": 1.0}
    else:
        with pytest.raises(Unavailable, match=str(status)):
            push("canary@canary", 1, 1.0)
    with pytest.raises(Unavailable):
        http("http://127.0.0.1:1/readings")("canary@canary", 1, 1.0)
