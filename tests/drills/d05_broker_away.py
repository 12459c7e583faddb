"""Broker killed and started on its data; away for 10 minutes: feeds buffer up to their cap, then refuse; nothing accepted is lost.

In the long form also three brokers, the leader of a partition killed (`cluster.py`).
"""
from __future__ import annotations

from collections import Counter
from threading import Event, Thread
from time import sleep
from typing import Any

import httpx2

from detectors.reading import Block
from streams import clock
from streams.broker import free_port

NAME, BROKER = "broker killed; away; feeds buffer, then refuse", True
tools = __import__("sys").modules["wanglou_drills_tools"]
CAP = 30_000                            # bytes


class Source:
    """A gauge house that pushes ten times a second and sends what was refused again, as a good source does."""

    def __init__(self, port: int) -> None:
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.accepted, self.refused, self.buffered = Counter[tuple[str, int]](), 0, 0
        self.ended = Event()
        self.thread = Thread(target=self._work, daemon=True)

    def push(self, n: int) -> None:
        """One push of all gauges, sent until it is taken."""
        now = clock.now()
        rows = [{"site": f"gauge-{k}", "indicator": "level", "time": clock.iso(now), "value": height(k, n)} for k in range(24)]
        while not self.ended.is_set():
            try:
                answer = self.client.post("/readings", json=rows)
            except httpx2.TransportError:
                continue
            if answer.status_code == 202:
                self.accepted.update((f"level@gauge-{k}", now) for k in range(24))
                self.buffered += answer.json()["durable"] == "buffer"
                return
            assert answer.status_code == 503, answer.text
            self.refused += 1
            self.ended.wait(0.3)

    def _work(self) -> None:
        n = 0
        while not self.ended.wait(0.1):
            self.push(n)
            n += 1


def height(k: int, n: int) -> float:
    """The storm in slow rounds."""
    return float(tools.here("live").storm(k, 3 * n))


def drill(ground: Any, short: bool, row: Any) -> None:
    """A broker of the drill's own; a judge is started while it is away and must wait."""
    lives, port = tools.here("live"), free_port()
    folder = ground.home()
    own = ground.own_kafka(port, folder)
    live = lives.Live(ground, lives.brisk(silent=1e6), address=own.address)
    web = live.run.ports["http"]
    live.start("judge", "combine", "desk")
    live.run.start("http", "feed", "http", FEED_BUFFER=str(CAP))
    tools.until(lambda: (ground.chain.http(f"http://127.0.0.1:{web}/healthz") or {}).get("kafka"), "the feed has its broker")
    live.working("judge", 2)
    live.working("desk")
    source = Source(web)
    source.thread.start()
    sleep(2)
    own.process.kill()
    own.process.wait()
    sleep(1 if short else 20)
    own = ground.own_kafka(port, folder)            # killed, and back on its data
    tools.until(lambda: ground.chain.http(f"http://127.0.0.1:{web}/healthz")["buffer_bytes"] == 0, "the buffer is drained")
    sleep(1)
    before = source.refused                         # it may have refused in the first outage already
    own.stop()                                      # away
    live.start("judge2")
    tools.until(lambda: source.refused > before + 3, "the feed refuses", 60)
    ready = httpx2.get(f"http://127.0.0.1:{web}/readyz", timeout=5)
    row.must(ready.status_code == 503 and ready.json()["full"], "it does not say that it is full")
    row.must(source.buffered > 0, "nothing went to the disk")
    kept = sum(p.stat().st_size for p in (live.bench.settings.data / "feeds").glob("*.buffer"))
    row.must(kept <= CAP, f"the buffer has {kept} bytes")
    sleep(0 if short else 600)
    tools.until(lambda: "waiting for the broker" in live.said("judge"), "the judge that started without a broker says that it waits")
    own = ground.own_kafka(port, folder)
    tools.until(lambda: ground.chain.http(f"http://127.0.0.1:{web}/healthz")["buffer_bytes"] == 0, "the buffer is drained")
    sleep(2)
    source.ended.set()
    source.thread.join()
    live.end("http")
    live.finish()
    live.calls(row, live.compare(row, None))
    account(row, live, source)
    row.note = f"refused {source.refused} pushes, {source.buffered} went over the disk"
    if not short:
        three = tools.Row()
        tools.here("cluster").drill(ground, three)
        three.note = f"{row.note}; three brokers: {three.note}"
        row.add(three)


def account(row: Any, live: Any, source: Source) -> None:
    """What was accepted is in the log, in the order of each gauge; what a resent push repeats, the judge calls a repeat."""
    found: dict[str, list[int]] = {}
    for _, _, record in live.bench.records("readings"):
        if isinstance(record, Block):
            for i, t in zip(record.index, record.t.tolist(), strict=True):
                found.setdefault(record.series[i], []).append(t)
    times = Counter((name, t) for name, ts in found.items() for t in ts)
    row.lost += (source.accepted - times).total()
    for ts in found.values():
        first = list(dict.fromkeys(ts))
        row.must(first == sorted(first), "order is lost")
    judged = [r for _, _, r in live.bench.records("judged") if isinstance(r, Block)]
    known = sum(r.sources[i] in ("duplicate", "late") for r in judged for i in r.source)
    row.doubled += max(0, times.total() - len(times) - known)
