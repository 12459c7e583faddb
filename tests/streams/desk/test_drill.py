"""A drill calls the posts that would be called in earnest, marked [演练], with a report; it is counted nowhere and ends by itself."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.combine import Board
from detectors.event import Change
from detectors.plan import Plan
from streams.desk.alert import Refused
from streams.desk.api.app import make_app
from streams.desk.channels import Message, Outcome, Result
from streams.desk.exercise.drill import Drills, ask
from streams.desk.exercise.report import report
from streams.desk.exercise.tables import DrillRow
from streams.desk.meter import Meter
from streams.desk.tables import Alert
from streams.errors import Unavailable
from streams.metrics import Metrics


class Phone:
    """Remembers."""

    def __init__(self) -> None:
        self.took: list[Message] = []

    def send(self, message: Message, address: str) -> Outcome:
        """Taken."""
        self.took.append(message)
        return Outcome(Result.SENT)


class Chain:
    """The desk with its leader's part of drills; what that writes goes through combine into the desk."""

    def __init__(self, bench: Any, site: Any) -> None:
        self.bench, self.site, self.phone, self.away = bench, site, Phone(), False
        self.board = Board(Plan(bench.names.city, "7c1e9a00"), lambda site: 0)
        self.drills = Drills(bench.store, lambda: bench.m, self.write)

    def write(self, changes: list[Change]) -> None:
        """Into `levels`; combine; the desk."""
        if self.away:
            raise Unavailable("no broker")
        self.bench.now += 300_000
        for change in changes:
            for event in self.board.change(change):
                self.bench.put(event)

    def go(self, seconds: float = 0.0) -> None:
        """The leader's threads, over so many seconds."""
        self.drills.pump()
        self.bench.deliver(log=self.phone)
        if seconds:
            self.bench.pass_time(seconds)
            self.drills.pump()
            self.bench.deliver(log=self.phone)


@pytest.fixture
def chain(tmp_path: Path, night: Callable[..., Any]) -> Iterator[Chain]:
    """An empty desk."""
    bench, site = night(tmp_path, fill=False)
    yield Chain(bench, site)
    bench.store.close()


@pytest.fixture
def page(chain: Chain) -> Iterator[TestClient]:
    """A browser that acts as the officer."""
    with TestClient(make_app(chain.site), cookies={"post": "duty"}, follow_redirects=False) as client:
        yield client


def alerts(chain: Chain) -> list[Alert]:
    """All warnings."""
    with chain.bench.store.read() as s:
        return list(s.scalars(select(Alert).order_by(Alert.site)))


def test_a_drill_from_the_button_to_its_report(chain: Chain, page: TestClient) -> None:
    """Form, two stations, the right posts called with [演练], the second step when the first does not answer, an answer, the report."""
    assert '<form method="post" action="/drill"' in page.get("/drill").text
    answer = page.post("/drill", data={"pack": "basin", "level": "red", "count": "2", "minutes": "20"})
    assert answer.status_code == 303
    path = answer.headers["location"]
    chain.go()
    assert {(a.scope, a.state, a.level) for a in alerts(chain)} == {("exercise", "calling", 4)} and len(alerts(chain)) == 2
    assert all(m.text.startswith("[演练] ") and m.scope == "exercise" for m in chain.phone.took)
    assert all(m.text.startswith("[演练] ") for m in chain.phone.took)
    chain.go(121)
    first = alerts(chain)[0]
    called = [p for _, p, state in chain.bench.steps(first.id) if state in ("called", "expired")]
    assert len(called) == 2
    chain.bench.now += 9_000_000
    chain.bench.do(first.id, "answer", called[1])
    told = page.get(f"/api/drills/{path.rsplit('/', 1)[1]}").json()
    assert (told["warnings"], told["opened"], told["answered"], told["state"]) == (2, 2, 1, "running")
    assert told["first_answer"] > 9 and told["detected"] >= 0.3
    mine = [c for c in told["calls"] if c["alert"] == first.id]
    assert [(c["n"], c["state"]) for c in mine][:2] == [(1, "expired"), (2, "answered")] and 8 < mine[1]["seconds"] < 12
    assert all(c["called"] and c["sent"] for c in mine[:2])
    text = page.get(path).text
    assert "演练报告" in text and "超时未答" in text and "结束演练" in text
    assert page.post(f"{path}/end").status_code == 303
    chain.go()
    assert {(a.open, a.disposition) for a in alerts(chain)} == {(False, "drill")}
    assert page.get("/api/drills").json()[0]["state"] == "ended" and "结束演练" not in page.get(path).text


def test_it_is_counted_nowhere(chain: Chain, page: TestClient) -> None:
    """Rows in section ④ alone; no number, no sound, no metric of scope real; combine's areas stay normal; no real row moves."""
    metrics = Metrics()
    meter = Meter(chain.bench.store, metrics, lambda: chain.bench.names, lambda: chain.bench.now)
    page.post("/drill", data={"pack": "basin", "site": "lanxi", "level": "red"})
    chain.go(5)
    meter.catch_up()
    text = page.get("/").text
    row = text[text.index('id="w' + alerts(chain)[0].id):]
    assert 'data-sect="drill"' in row[:600] and "data-sound" not in row[:600] and "data-red" not in row[:600]
    tally = text[text.index('id="tally"'):][:900]
    assert 'data-red="0"' in tally and 'data-ask="0"' in tally
    assert metrics.unanswered_since.rows() == {} and {k[-1] for k in metrics.alerts_open.rows()} == {"exercise"}
    assert {level for _, _, level, _ in chain.board.areas()} <= {0}
    exposed = {s.labels["scope"] for m in metrics.registry.collect() if m.name == "wanglou_alerts" for s in m.samples if s.value}
    assert exposed <= {"exercise"}


def test_a_real_warning_of_the_same_station_goes_its_own_way(chain: Chain, page: TestClient, change: Callable[..., Any]) -> None:
    """A red at the drilled station during the drill: its own row, its own calls without the mark, still open afterwards."""
    page.post("/drill", data={"pack": "basin", "site": "lanxi", "level": "red"})
    chain.go(2)
    for event in chain.board.change(change("river_level", "lanxi", 4, time=chain.bench.now)):
        chain.bench.put(event)
    chain.go(2)
    assert sorted((a.scope, a.level, a.open) for a in alerts(chain)) == [("exercise", 4, True), ("real", 4, True)]
    assert {m.text.startswith("[演练]") for m in chain.phone.took if m.scope == "real"} == {False}
    chain.bench.now += 31 * 60_000_000
    chain.go()
    chain.go()
    assert sorted((a.scope, a.open) for a in alerts(chain)) == [("exercise", False), ("real", True)]
    assert max(level for *_, level, _ in chain.board.areas()) == 4


def test_it_ends_by_itself_or_when_all_of_it_is_closed(chain: Chain, page: TestClient) -> None:
    """After its time, or as soon as people have closed every warning of it; a second drill of a busy station is refused."""
    page.post("/drill", data={"pack": "basin", "site": "lanxi", "level": "red", "minutes": "5"})
    chain.go()
    again = page.post("/drill", data={"pack": "basin", "site": "lanxi", "level": "red"}, headers={"accept": "application/json"})
    assert (again.status_code, again.json()["error"]) == (409, "drill.busy")
    one = alerts(chain)[0]
    chain.bench.do(one.id, "answer_for", "leader", "电话联系上了")
    chain.bench.do(one.id, "verify", "duty", "演练已到位", "drill")
    chain.bench.do(one.id, "close", "leader", "演练完成了", "drill")
    chain.go()
    chain.go()
    with chain.bench.store.read() as s:
        assert s.scalar(select(DrillRow.state)) == "ended"
    assert all(h.level == 0 for h in chain.board.histories.values())


def test_a_broker_that_is_away_is_told_and_waited_for(chain: Chain, page: TestClient) -> None:
    """The fault stands on the report; nobody is called twice when it is back."""
    path = page.post("/drill", data={"pack": "basin", "site": "lanxi", "level": "red"}).headers["location"]
    chain.away = True
    chain.go()
    assert "no broker" in page.get(path).text and alerts(chain) == []
    chain.away = False
    chain.bench.now += 6_000_000
    chain.go()
    chain.go()
    assert len(alerts(chain)) == 1 and len({m.key for m in chain.phone.took}) == len(chain.phone.took) == 1


@pytest.mark.parametrize(("given", "key"), [
    ({"pack": "none"}, "drill.pack"), ({"pack": "self"}, "drill.pack"), ({"pack": "basin", "site": "nowhere"}, "drill.site"),
    ({"pack": "basin", "count": 0}, "drill.numbers"), ({"pack": "basin", "count": 501}, "drill.numbers"),
    ({"pack": "basin", "minutes": 241}, "drill.numbers"), ({"pack": "basin", "level": 0}, "drill.numbers"),
])
def test_what_cannot_be_drilled_is_refused_with_its_reason(chain: Chain, given: dict[str, Any], key: str) -> None:
    """Nothing is written."""
    with pytest.raises(Refused, match=key), chain.bench.store.begin() as s:
        ask(s, chain.bench.m, chain.bench.names.actor("duty"), **given)
    with chain.bench.store.read() as s:
        assert s.scalar(select(DrillRow.id)) is None and report(s, "none") is None


def test_a_refused_form_loses_nothing(page: TestClient) -> None:
    """The reason in place, what was typed still there; no number at all is refused the same way."""
    refused = page.post("/drill", data={"pack": "basin", "count": "9999", "minutes": "7"})
    assert refused.status_code == 409 and 'value="9999"' in refused.text and 'value="7"' in refused.text
    assert page.post("/drill", json={"pack": "basin", "count": "many"}).status_code == 409


def test_nobody_calls_no_drill(chain: Chain) -> None:
    """Without a post the button is disabled and the POST refused."""
    with TestClient(make_app(chain.site)) as nobody:
        assert nobody.post("/drill", data={"pack": "basin"}, headers={"accept": "application/json"}).json()["error"] == "err.post"
        assert "disabled" in nobody.get("/drill").text
        assert nobody.get("/drill/none").status_code == nobody.get("/api/drills/none").status_code == 404
