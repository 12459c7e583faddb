"""Fuzzed pushes and records, a million in all: no crash, bounded memory, accepted + rejected = sent."""
from __future__ import annotations

import asyncio
import json
import logging
import resource
from pathlib import Path
from random import Random
from typing import Any

import httpx2

from detectors.event import Change
from detectors.reading import Block, Fence, Fit, Part, PlanRecord, Source, Tick
from streams.codec import Changes, decode, encode

NAME, BROKER = "fuzzed pushes and records", False
tools = __import__("sys").modules["wanglou_drills_tools"]
PUSH, MEMORY = 20, 150                  # rows in a push; MB that may be held more at the end than after the first tenth
ODD: tuple[Any, ...] = (None, "", "x", "水", -1, 0, 1e308, 10**30, True, [], {}, [[1]], "2026-06-19", "9999-99-99T00:00:00Z", "\x00", "nan")


def drill(ground: Any, short: bool, row: Any) -> None:
    """Half of the sum in readings of pushes over HTTP, half in records into judge and combine."""
    logging.disable(logging.CRITICAL)
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    many = 6000 if short else 1_000_000
    try:
        records(row, many // 2, Random(17))
        asyncio.run(pushes(row, ground.home(), many // 2 // PUSH, Random(18)))
    finally:
        structlog.reset_defaults()
        logging.disable(logging.NOTSET)
    row.runs = 2


def held() -> float:
    """MB that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


# ---- records ------------------------------------------------------------------------------------------


def records(row: Any, many: int, rng: Random) -> None:
    """Into one judge and one combine; each record is applied or told to rejects, and the state goes on to work."""
    machine = tools.here("machine").Machine(tools.river(lateness=600.0), 1)
    first = 0.0
    for n in range(many):
        now = tools.T0 + n * tools.SECOND
        value = record(rng, now)
        known = True
        try:
            decode(value)
        except ValueError:
            known = False
        before = len(machine.rejects)
        if rng.random() < 0.85:
            machine.bytes(0, value)
            row.lost += (not known) != (len(machine.rejects) == before + 1)
        else:
            machine._levels(value)
        for log in (machine.judges[0].log, machine.combine.log, machine.events, machine.judged, machine.rejects):
            if len(log) > 1000:
                log.clear()
        if n == many // 10:
            first = held()
    row.readings += many
    row.must(held() - first < MEMORY, f"records: {first:.0f} MB became {held():.0f} MB")
    end = tools.T0 + many * tools.SECOND + tools.HOUR
    machine.plan(tools.river(lateness=600.0, red=33.0))
    machine.take([("level@gauge-23", end + 2**40, 34.0)], end + 2**40)
    row.must(any(e.site == "gauge-23" and e.to == 4 for e in machine.events), "after all this a red is no longer seen")


def record(rng: Random, now: int) -> bytes:
    """A sound record, a sound record with bytes changed, odd values under a sound type, or rubbish."""
    sound: Any = rng.choice((
        lambda: Block.of([(f"level@gauge-{rng.randrange(30)}", now + rng.randrange(-10**9, 10**9), rng.gauss(25, 9))
                          for _ in range(rng.randrange(1, 5))], arrived=now, source=rng.choice(("a", "b", "水"))),
        lambda: Tick(now + rng.randrange(-10**7, 10**7), rng.randrange(-2, 9)),
        lambda: PlanRecord(f"{rng.randrange(1 << 64):016x}"),
        lambda: Source(rng.choice(("a", "b")), rng.random() < 0.5, now, now),
        lambda: Fit(f"level@gauge-{rng.randrange(22)}", "river/stage", tuple(rng.random() for _ in range(rng.randrange(9))), "fuzz", ""),
        lambda: Part(0, "level@upper", now, 1.0, 1, 1), lambda: Fence("nowhere"),
        lambda: Changes((Change(time=now, arrived=now, pack="river", site=f"gauge-{rng.randrange(30)}", indicator="level",
                                detector="river/stage", to=rng.randrange(5), value=1.0, score=1.0, limit=1.0, since=now,
                                id=str(rng.randrange(99)), alert="a"),)),
    ))()
    value = bytearray(encode(sound))
    what = rng.random()
    if what < 0.3:
        return bytes(value)
    if what < 0.8:
        if not isinstance(sound, Block | Changes) and len(value) > 2:       # a clock of a sound type is believed: leave it be
            del value[rng.randrange(2, len(value)):]
            return bytes(value)
        for _ in range(rng.randrange(1, 6)):
            value[rng.randrange(len(value))] = rng.randrange(256)
        del value[len(value) - rng.randrange(3):]
        return bytes(value) if not believed(bytes(value)) else b"\x01?"
    return rng.randbytes(rng.randrange(60))


def believed(value: bytes) -> bool:
    """Whether chance has made a time out of the world of it: whoever may write to `readings` is believed about the clock."""
    try:
        found = decode(value)
    except ValueError:
        return False
    return (isinstance(found, Block) and bool((abs(found.arrived) > 2**60).any())) or isinstance(found, Tick)


# ---- pushes -------------------------------------------------------------------------------------------


async def pushes(row: Any, home: Path, many: int, rng: Random) -> None:
    """Against the pages of a feed, with a Kafka that lives in a list."""
    from streams.feeds.blocks import Blocker
    from streams.feeds.buffer import Buffer
    from streams.feeds.intake import Intake, Names
    from streams.feeds.plan import PlanWatch
    from streams.feeds.producer import Outlet
    from streams.feeds.transports.http import make_app
    from streams.metrics import Metrics

    city = tools.river()
    link = List()
    outlet = Outlet(link.connect, Buffer(home / "fuzz.buffer"))
    intake = Intake(Names("fuzz", "readings", "rejects"), outlet, Blocker(2), Metrics())
    plan = PlanWatch(lambda: None)
    plan.hash, plan.city = "x", city
    outlet.start()
    await outlet.ready()
    first = 0.0
    transport = httpx2.ASGITransport(app=make_app(intake, plan))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for n in range(many):
            await push(row, client, link, rng)
            if n == many // 10:
                first = held()
    await outlet.close()
    row.readings += many * PUSH
    row.must(held() - first < MEMORY, f"pushes: {first:.0f} MB became {held():.0f} MB")


async def push(row: Any, client: Any, link: List, rng: Random) -> None:
    """One push, and what became of it."""
    link.blocks, link.rejects = 0, 0
    body, kind, sent = body_of(rng)
    answer = await client.post("/readings", content=body, headers={"content-type": kind} if kind else {})
    row.must(answer.status_code in (202, 400, 401, 413, 415, 422), f"{answer.status_code} for {body[:200]!r}")
    if answer.status_code not in (202, 422):
        return
    told = answer.json()
    row.lost += abs(told["accepted"] - link.blocks) + abs(len(told["rejected"]) - link.rejects)
    if sent is not None:
        row.lost += abs(sent - told["accepted"] - len(told["rejected"]))
    elif not told["accepted"] and not told["rejected"]:
        row.must(not body.strip() or body.strip() in (b"[]",) or kind == "text/csv", f"nothing said of {body[:200]!r}")


def body_of(rng: Random) -> tuple[bytes, str, int | None]:
    """Bytes, their Content-Type, and how many rows they hold where that can be said."""
    rows = [one(rng) for _ in range(PUSH)]
    what = rng.random()
    if what < 0.45:
        return json.dumps(rows).encode(), "application/json", PUSH
    if what < 0.6:
        return "\n".join(map(json.dumps, rows)).encode(), "application/x-ndjson", PUSH
    if what < 0.75:
        lines = [",".join(str(r.get(k, "")).replace(",", "").replace("\n", "").replace('"', "").replace("\x00", "")
                          for k in ("time", "site", "indicator", "value")) for r in rows]
        return "\n".join(["time,site,indicator,value", *lines, ""]).encode(), "text/csv", None
    body = bytearray(json.dumps(rows).encode())
    for _ in range(rng.randrange(1, 9)):
        body[rng.randrange(len(body))] = rng.randrange(256)
    if what < 0.9:
        return bytes(body[:rng.randrange(len(body))]), rng.choice(("application/json", "application/x-ndjson", "text/csv")), None
    return rng.randbytes(rng.randrange(400)), rng.choice(("application/json", "text/csv", "", "image/png", "text/csv; charset=gbk")), None


def one(rng: Random) -> dict[str, Any]:
    """A row: sound, or with something odd in it, or without something."""
    from streams import clock

    row: dict[str, Any] = {"site": f"gauge-{rng.randrange(24)}", "indicator": "level", "time": clock.iso(clock.now()), "value": 21.5}
    if rng.random() < 0.3:
        row[rng.choice((*row, "flag", "arrived", "unit"))] = rng.choice(ODD)
    if rng.random() < 0.05:
        del row[rng.choice(tuple(row))]
    return row


class List:
    """A Kafka that only counts."""

    def __init__(self) -> None:
        self.blocks = self.rejects = 0

    async def connect(self) -> List:
        return self

    async def send(self, topic: str, partition: int, value: bytes) -> asyncio.Future[None]:
        """Taken at once."""
        if topic == "rejects":
            self.rejects += 1
        else:
            found = decode(value)
            self.blocks += len(found) if isinstance(found, Block) else 0
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    async def close(self) -> None: ...
