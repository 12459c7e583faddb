"""From a reading to the third person with compressed time, on PostgreSQL, two desks; the one that leads is killed in mid-call."""
from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import text

from detectors.pack import City, Ladder, Post, Route, Step, Text
from streams import clock
from streams.broker import free_port
from streams.settings import Settings
from streams.sql import engine

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
POSTS = ("first", "second", "third")
WITHIN = 2.0


class Gateway(ThreadingHTTPServer):
    """Takes every call; the first call to `fatal` kills the process that made it, before it can write down the answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.took: list[dict[str, Any]] = []
        self.fatal, self.killed = "", 0
        self.kill: Callable[[], None] = lambda: None
        Thread(target=self.serve_forever, daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    """One call."""

    server: Gateway

    def do_POST(self) -> None:
        """200, with a code that says taken."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.took.append(said | {"came": clock.now()})
        if said["post"] == self.server.fatal and not self.server.killed:
            self.server.killed = clock.now()
            self.server.kill()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"code": 0}')

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway on loopback."""
    made = Gateway()
    yield made
    made.shutdown()
    made.server_close()


def test_a_ladder_climbs_to_the_third_person_though_its_desk_is_killed(
        bench: Any, writer: Any, city: Callable[..., City], chain: ModuleType, postgresql: str, gateway: Gateway) -> None:
    """Each step of each alert is called once; what was in the killed one's hand comes once more, marked 重发, and nothing else."""
    url = f"http://127.0.0.1:{gateway.server_port}/"
    posts = tuple(Post(p, Text(p), addresses={"webhook": url}) for p in POSTS)
    ladder = Ladder("l", Text("叫应"), tuple(Step(p, ("webhook",), WITHIN) for p in POSTS))
    bench.settings = Settings(**(bench.settings.model_dump() | {"desk_url": postgresql}))
    bench.plan(replace(city(), ladders=(ladder,), routes=(Route("l"),), posts=posts))
    run = chain.Chain(bench, ticks="own")
    run.start("judge")
    run.start("combine")
    ports = (free_port(), free_port())
    desks = {port: bench.start("desk", DESK_PORT=str(port)) for port in ports}

    def leader(*among: int) -> int:
        return next((p for p in among or ports if (chain.http(f"http://127.0.0.1:{p}/readyz") or {}).get("leader")), 0)

    chain.until(lambda: leader() and all(chain.http(f"http://127.0.0.1:{p}/readyz") for p in ports), "two desks, one leads", 20)
    first = leader()
    other = next(p for p in ports if p != first)
    gateway.fatal, gateway.kill = "second", lambda: os.kill(desks[first].pid, signal.SIGKILL)
    writer.write([("gauge-1", 31.0), ("gauge-2", 31.0)])

    chain.until(lambda: leader(other) == other and gateway.killed, "the other desk leads", 40)
    followed = clock.now()
    red = ("gauge-1", "gauge-2")

    def told() -> set[tuple[str, str]]:
        return {(post["post"], alert) for post in list(gateway.took) for alert in [post["alert"], *(a for _, a in post["speaks_for"])]}

    chain.until(lambda: len({a for p, a in told() if p == "third"}) == len(red), "the third person is called for both", 40)

    def open_rows() -> int:
        with database.connect() as c:
            return int(c.execute(text("SELECT count(*) FROM delivery WHERE state = 'pending'")).scalar() or 0)

    database = engine(postgresql)
    chain.until(lambda: not open_rows(), "nothing waits any more", 30)
    with database.connect() as c:
        rows = c.execute(text("SELECT key, folded, n, state, alert FROM delivery")).all()
        steps = c.execute(text("SELECT alert, n, calls FROM step")).all()
    database.dispose()
    carriers = {r.folded or r.key for r in rows}
    came = Counter(call["key"] for call in gateway.took)
    twice = {key for key, n in came.items() if n > 1}
    assert {r.state for r in rows} == {"sent"} and set(came) == carriers
    assert {(r.alert, r.n) for r in rows} == {(s.alert, s.n) for s in steps} and len(steps) == 3 * len(red)
    assert {s.calls for s in steps} == {1}
    assert set(came.values()) <= {1, 2} and 1 <= len(twice) <= len(red)
    assert all([c["again"] for c in gateway.took if c["key"] == key] == [False, True] for key in twice)
    assert {c["post"] for c in gateway.took if c["again"]} == {"second"}
    assert followed - gateway.killed < 5_000_000, f"the other desk led {(followed - gateway.killed) / 1e6:.1f} s after the kill"
    desks[other].terminate()
    assert desks[other].wait(10) == 0
    run.stop("judge", "combine")
