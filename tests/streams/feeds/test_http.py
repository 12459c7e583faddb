"""POST /readings: an answer only once it is safe, with the place of every fault, and never more than it can hold."""
from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from detectors.pack import City, FeedSource
from detectors.reading import Block
from streams import clock, rejects
from streams.codec import decode
from streams.errors import WanglouError
from streams.feeds.blocks import Blocker
from streams.feeds.buffer import Buffer
from streams.feeds.intake import Intake, Names
from streams.feeds.plan import PlanWatch
from streams.feeds.producer import Outlet
from streams.feeds.transports.http import MOST, make_app, serve
from streams.metrics import Metrics


class Feed:
    """One HTTP feed on a fake Kafka."""

    def __init__(self, kafka, outlet: Outlet, plan: PlanWatch, app, client: httpx2.AsyncClient, intake: Intake) -> None:
        self.kafka, self.outlet, self.plan, self.app, self.client, self.intake = kafka, outlet, plan, app, client, intake

    async def push(self, body, kind: str = "application/json", path: str = "/readings", **headers: str) -> httpx2.Response:
        """POST; what is no bytes goes as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(path, content=content, headers={"content-type": kind, **headers})

    def readings(self) -> list[tuple[str, float]]:
        """(series, x) in the log."""
        blocks = [b for v in self.kafka.records("readings") if isinstance(b := decode(v), Block)]
        return [(b.series[i], float(x)) for b in blocks for i, x in zip(b.index, b.x, strict=True)]

    def refused(self) -> list[rejects.Reject]:
        """Rows of `rejects`."""
        return [rejects.decode(v) for v in self.kafka.records("rejects")]


@asynccontextmanager
async def feed(kafka, path: Path, city: City | None, cap: int = 1 << 20, environ: dict[str, str] | None = None,
               default: str = "") -> AsyncIterator[Feed]:
    """Run one."""
    outlet = Outlet(kafka.connect, Buffer(path / "x.buffer", cap), patience=0.1, retry=0.02)
    outlet.start()
    plan = PlanWatch(lambda: ("h" * 16, city) if city else None)
    await plan.look()
    intake = Intake(Names("http", "readings", "rejects"), outlet, Blocker(4), Metrics())
    app = make_app(intake, plan, default, environ or {})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://feed") as client:
        try:
            if kafka.up:
                async with asyncio.timeout(5):
                    while not outlet.online:
                        await asyncio.sleep(0.005)
            yield Feed(kafka, outlet, plan, app, client, intake)
        finally:
            await outlet.close()


def one(x: float = 26.5, site: str = "lanxi", **more: object) -> dict:
    """A good reading of now."""
    return {"site": site, "indicator": "river_level", "time": clock.iso(clock.now()), "value": x, **more}


async def test_a_good_push_is_answered_when_kafka_has_it(kafka, tmp_path: Path, city: City) -> None:
    """202 with the count; it lies in the partition of its site, stamped with one arrival."""
    async with feed(kafka, tmp_path, city) as f:
        answer = await f.push([one(1.0), one(2.0, "yiwu"), one(3.0)])
        assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "durable": "kafka", "rejected": []})
        assert sorted(f.readings()) == [("river_level@lanxi", 1.0), ("river_level@lanxi", 3.0), ("river_level@yiwu", 2.0)]
        metrics = (await f.client.get("/metrics")).text
        assert 'wanglou_readings_total{feed="http",pack="basin"} 3.0' in metrics
        assert 'wanglou_source_up{feed="http",source="push"} 1.0' in metrics


async def test_a_silent_kafka_means_no_202_of_kafka(kafka, tmp_path: Path, city: City) -> None:
    """The answer waits; then it says that the disk has it, and so it is after a restart."""
    async with feed(kafka, tmp_path, city) as f:
        kafka.silent = True
        pushing = asyncio.ensure_future(f.push([one(1.0)]))
        await asyncio.sleep(0.08)
        assert not pushing.done()
        assert (await pushing).json()["durable"] == "buffer"
        kafka.held.clear()
    kafka.silent = False
    async with feed(kafka, tmp_path, city) as f:
        assert f.readings() == [("river_level@lanxi", 1.0)]


async def test_a_partly_good_push_is_taken_in_part_with_all_faults(kafka, tmp_path: Path, city: City) -> None:
    """The good go on, each bad one is answered and kept in `rejects`."""
    body = [one(1.0), one(2.0, "lanxj"), one("3"), one(4.0), one(1e308), {**one(5.0), "time": "2026-06-19T09:05:00"},
            {**one(6.0), "time": "2999-01-01T00:00:00Z"}]
    async with feed(kafka, tmp_path, city) as f:
        answer = await f.push(body)
        assert answer.status_code == 202 and answer.json()["accepted"] == 2
        places = [(r["reason"], r["place"]) for r in answer.json()["rejected"]]
        assert places == [("site", "[1].site"), ("number", "[2].value"), ("number", "[4].value"), ("zone", "[5].time"),
                          ("future", "[6].time")]
        assert [x for _, x in f.readings()] == [1.0, 4.0]
        kept = f.refused()
        assert [(r.reason, r.place) for r in kept] == places
        assert {(r.feed, r.source, r.decoder) for r in kept} == {("http", "push", "json")}
        assert json.loads(kept[0].raw) == body[1]
        assert 'wanglou_rejects_total{feed="http",reason="number"} 2.0' in (await f.client.get("/metrics")).text


@pytest.mark.parametrize(("body", "kind", "reason", "place"), [
    (b"hello", "application/json", "json", "line 1, column 1"),
    (b'[{"site":', "application/json", "json", "line 1, column 10"),
    (b'{"site":"lanxi","indicator":"river_level","time":"2026-06-19T01:05:00Z","value":NaN}', "application/json", "nan", "value"),
    ("time,site,indicator,value\n2026-06-19T01:05:00Z,古婺,river,1\n".encode("gbk"), "text/csv", "indicator",
     "line 2, indicator"),
    (b"time,site,indicator,value\n2026-06-19T01:05:00Z,lanxi,riv", "text/csv", "torn", "line 2"),
    (b'{"site": 1}\n', "application/x-ndjson", "field", "line 1, site"),
])
async def test_nothing_good_is_422_with_the_place(kafka, tmp_path: Path, city: City, body, kind, reason, place) -> None:
    """And a row in `rejects`."""
    async with feed(kafka, tmp_path, city) as f:
        answer = await f.push(body, kind)
        assert answer.status_code == 422
        assert [(r["reason"], r["place"]) for r in answer.json()["rejected"]] == [(reason, place)]
        assert [(r.reason, r.place) for r in f.refused()] == [(reason, place)]


async def test_csv_in_gbk_and_lines_of_json_are_taken_by_their_type(kafka, tmp_path: Path, city: City) -> None:
    """By Content-Type, also with a charset."""
    now = clock.iso(clock.now())
    rows = f"time,site,indicator,value\n{now},古婺,river_level,1\n".encode("gbk")
    async with feed(kafka, tmp_path, city) as f:
        for kind in ("text/csv", "text/csv; charset=GBK"):
            assert (await f.push(rows, kind)).json()["accepted"] == 1
        lines = b"\n".join(json.dumps(one(float(i))).encode() for i in range(3))
        assert (await f.push(lines, "application/x-ndjson")).json()["accepted"] == 3
        assert (await f.push(lines, "text/plain")).status_code == 415
        assert (await f.push(rows, "text/csv; charset=koi8-r")).status_code == 415
        assert (await f.push(b"x", **{"content-encoding": "gzip"})).status_code == 415


async def test_a_push_that_is_too_big_is_not_read_to_its_end(kafka, tmp_path: Path, city: City) -> None:
    """413 with a reject row of its first bytes, while the sender still has more to send."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1 << 20
            yield b"x" * (1 << 20)

    async with feed(kafka, tmp_path, city) as f:
        answer = await f.client.post("/readings", content=endless(), headers={"content-type": "application/json"})
        assert answer.status_code == 413 and answer.json()["rejected"][0]["reason"] == "size"
        assert sent <= 6 * MOST
        (row,) = f.refused()
        assert (row.reason, row.cut, len(row.bytes())) == ("size", True, rejects.MOST)
        assert (await f.push([one()])).status_code == 202


async def test_ten_megabytes_over_a_socket_get_their_answer_and_the_port_goes_on(kafka, tmp_path: Path, city: City) -> None:
    """A real server and a sender that writes everything before it reads: 413, no reset; and the port in use is said."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with feed(kafka, tmp_path, city) as f:
        serving = asyncio.ensure_future(serve(f.app, "127.0.0.1", port))
        async with asyncio.timeout(20), httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            while True:
                try:
                    assert (await client.get("/healthz")).json()["kafka"] is True
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.02)
            answer = await client.post("/readings", content=b"[" + b" " * MOST, headers={"content-type": "application/json"})
            assert answer.status_code == 413
            assert (await client.post("/readings", json=[one()])).status_code == 202
            with pytest.raises(WanglouError, match="cannot listen"):
                await serve(f.app, "127.0.0.1", port)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_without_a_plan_it_says_503_and_goes_on_when_there_is_one(kafka, tmp_path: Path, city: City) -> None:
    """Nothing is taken that nobody can check."""
    async with feed(kafka, tmp_path, None) as f:
        answer = await f.push([one()])
        assert answer.status_code == 503 and "plan" in answer.json()["error"]
        assert (await f.client.get("/readyz")).status_code == 503
        assert (await f.client.get("/healthz")).status_code == 200
        f.plan.newest = lambda: ("a" * 16, city)
        assert await f.plan.look()
        assert (await f.push([one()])).status_code == 202
        assert (await f.client.get("/readyz")).json()["plan"] == "a" * 16


async def test_when_nothing_takes_more_it_is_503_and_what_was_202_comes_through(kafka, tmp_path: Path, city: City) -> None:
    """Kafka away and the disk full: refused, visibly."""
    kafka.up = False
    async with feed(kafka, tmp_path, city, cap=3000) as f:
        taken, status = [], 202
        for i in range(100):
            answer = await f.push([one(float(i))])
            status = answer.status_code
            if status != 202:
                break
            assert answer.json()["durable"] == "buffer"
            taken.append(float(i))
        assert status == 503 and "send the whole push again" in answer.json()["error"] and answer.headers["retry-after"]
        assert taken
        kafka.up = True
        async with asyncio.timeout(5):
            while not f.outlet.online:
                await asyncio.sleep(0.01)
        assert [x for _, x in f.readings()][:len(taken)] == taken


async def test_a_source_with_a_token_needs_it(kafka, tmp_path: Path, make_plan) -> None:
    """401 without, with a wrong one, and when the feed itself was not given it; never by another source's name."""
    city = make_plan(FeedSource("gauges", token="GAUGES_TOKEN"), FeedSource("air"))
    async with feed(kafka, tmp_path, city, environ={"GAUGES_TOKEN": "s3cret"}) as f:
        path = "/readings?source=gauges"
        assert (await f.push([one()], path=path)).status_code == 401
        assert (await f.push([one()], path=path, authorization="Bearer wrong")).status_code == 401
        assert (await f.push([one()], path=path, authorization="s3cret")).status_code == 401
        assert (await f.push([one()], path=path, authorization="Bearer s3cret")).status_code == 202
        assert (await f.push([one()])).status_code == 400
        unknown = await f.push([one()], path="/readings?source=gauge")
        assert unknown.status_code == 400 and "did you mean gauges?" in unknown.json()["error"]
        assert (await f.push([one()], path="/readings?source=air")).status_code == 202
    async with feed(kafka, tmp_path, city) as f:
        assert (await f.push([one()], path=path, authorization="Bearer ")).status_code == 401


async def test_without_a_name_a_push_is_taken_where_no_source_has_a_token(kafka, tmp_path: Path, make_plan) -> None:
    """As that of the only source, else as nobody's."""
    for sources, name in (((), "push"), ((FeedSource("a"),), "a"), ((FeedSource("a"), FeedSource("b")), "push")):
        async with feed(kafka, tmp_path, make_plan(*sources)) as f:
            assert (await f.push([one()])).status_code == 202
            assert decode(kafka.records("readings")[-1]).sources == (name,)


async def test_a_source_without_a_token_is_taken_from_this_machine_only(kafka, tmp_path: Path, city: City) -> None:
    """Whoever opens the port to others must give out tokens."""
    async with feed(kafka, tmp_path, city) as f:
        far = httpx2.ASGITransport(f.app, client=("192.0.2.7", 4321))
        async with httpx2.AsyncClient(transport=far, base_url="http://feed") as client:
            answer = await client.post("/readings", json=[one()])
        assert answer.status_code == 401 and f.readings() == []


async def test_the_factor_of_a_source_makes_its_unit_ours(kafka, tmp_path: Path, make_plan) -> None:
    """CO comes in µg/m³, the plan has mg/m³."""
    async with feed(kafka, tmp_path, make_plan(FeedSource("bj", scale={"co": 0.001}))) as f:
        await f.push({**one(900.0, "square"), "indicator": "co"})
        assert f.readings() == [("co@square", pytest.approx(0.9))]


async def test_a_sender_that_goes_away_does_not_hurt_those_in_its_block(kafka, tmp_path: Path, city: City) -> None:
    """Two pushes share a block; the first is given up: the second is answered, and both are in the log."""
    async with feed(kafka, tmp_path, city) as f:
        first = asyncio.ensure_future(f.push([one(1.0)]))
        await asyncio.sleep(0.01)
        second = asyncio.ensure_future(f.push([one(2.0)]))
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await second).json()["accepted"] == 1
        assert [x for _, x in f.readings()] == [1.0, 2.0]


async def test_many_small_pushes_share_blocks(kafka, tmp_path: Path, city: City) -> None:
    """All are answered, in far fewer records than pushes."""
    async with feed(kafka, tmp_path, city) as f:
        answers = await asyncio.gather(*[f.push([one(float(i))]) for i in range(100)])
        assert {a.json()["accepted"] for a in answers} == {1}
        assert sorted(x for _, x in f.readings()) == [float(i) for i in range(100)]
        assert len(kafka.records("readings")) < 30
