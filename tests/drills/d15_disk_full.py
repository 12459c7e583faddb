"""Disk full for snapshots, history and the feed's buffer: judging goes on, what cannot be kept is refused aloud, later all is kept."""
from __future__ import annotations

import asyncio
from pathlib import Path
from time import sleep
from typing import Any

import httpx2

from streams import clock
from streams.errors import Unavailable
from streams.feeds.buffer import Buffer, Full
from streams.feeds.producer import Outlet

NAME, BROKER = "disk full: snapshots, history, feed buffer", True
tools = __import__("sys").modules["wanglou_drills_tools"]


def drill(ground: Any, short: bool, row: Any) -> None:
    """The data folder is a small tmpfs (needs root), filled to the brim under load, and emptied again."""
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk(), disk="40m")
    data = Path(live.bench.settings.data)
    live.start("judge", "combine", "history")
    live.working("judge", 2)
    live.working("history", 4)
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        for _ in range(1 if short else 5):
            sleep(1)
            kept_here = Buffer(data / "feeds" / "full.buffer")
            fill(data / "filler")
            before = len(live.run.events())
            tools.until(lambda: all("snapshot waits" in live.said(s) for s in ("judge", "history")), "they say that snapshots wait")
            tools.until(lambda n=before: len(live.run.events()) > n, "judging goes on")
            asyncio.run(refuses(kept_here, row))
            load.written.update(starts(live, row))
            sleep(1 if short else 20)
            (data / "filler").unlink()
            sleep(1)
    def kept() -> list[Any]:
        return list(ground.chain.rows(live.bench.settings.history_url, "SELECT series, t FROM reading"))

    tools.until(lambda: len(kept()) >= len(load.written), "history has all")
    live.finish()
    live.compare(row, load.written)
    row.lost += len(load.written.keys() - {(s, t) for s, t in kept()})
    row.doubled += len(kept()) - len({(s, t) for s, t in kept()})


def starts(live: Any, row: Any) -> dict[tuple[str, int], int]:
    """A feed that begins on the full disk: what Kafka takes goes through; what it accepted."""
    live.run.start("http", "feed", "http")
    url, now = f"http://127.0.0.1:{live.run.ports['http']}", clock.now()
    rows = [{"site": f"gauge-{n}", "indicator": "level", "time": clock.iso(now + n), "value": 21.0} for n in range(24)]

    def push() -> Any:
        try:
            return httpx2.post(f"{url}/readings", json=rows, timeout=20)
        except httpx2.TransportError:
            return None

    answer = tools.until(lambda: (a := push()) is not None and a.status_code != 503 and a, "the feed takes a push")
    row.must((answer.status_code, answer.json().get("durable")) == (202, "kafka"), f"the feed says {answer.text}")
    live.end("http")
    return {(f"level@gauge-{n}", now + n): 1 for n in range(24)}


def fill(path: Path) -> None:
    """To the last byte."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


async def refuses(buffer: Buffer, row: Any) -> None:
    """The way out of a feed with Kafka away and this disk full: refused, and said; with room again: taken, and nothing twice."""
    async def nobody() -> Any:
        raise Unavailable("no broker")

    out = Outlet(nobody, buffer, patience=0.1, retry=0.1)
    out.start()
    refused = 0
    for n in range(3):
        try:
            await out.put("t", 0, bytes([n]) * 9000)
        except Full:
            refused += 1
    row.must(refused == 3 and out.full, f"a full disk took {3 - refused} records, full: {out.full}")
    row.must(not out.buffer.read(), "half a record stayed")
    await out.close()
