"""How long from a push to the event, through the running product, at 1000 readings a second."""
from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from detectors.pack import City, Limit
from streams import clock
from streams.bench.tools.cities import FIVE, city
from streams.bench.tools.frame import Bench, Figure
from streams.bench.tools.stage import Product, product
from streams.broker import free_port
from streams.codec import Changes, decode
from streams.demo.watch import sample
from streams.errors import Unavailable

__all__ = ["latency"]

SERIES, PUSHES, ROWS = 1000, 20, 50
"""20 pushes a second of 50 readings: each series once a second. Every other push crosses a limit, or comes back."""
WARM = 1.5              # seconds of pushing before anything counts


def latency(bench: Bench) -> Iterator[Figure]:
    """`wanglou feed http`, judge and combine; the pusher's own clock, from before the POST until its reader sees the event."""
    port = free_port()
    with product(bench, _city(), "latency", WANGLOU_FEED_PORT=str(port)) as made:
        ports = {name: free_port() for name in ("judge", "combine")}
        for name, its in ports.items():
            made.start(name, name, WANGLOU_METRICS_PORT=str(its))
        made.start("feed", "feed", "http")
        made.until(lambda: all(_working(its) for its in ports.values()) and _answers(port), "judge, combine and feed")
        run = Run(made, f"http://127.0.0.1:{port}", 2.0 if bench.quick else 20.0)
        asyncio.run(run.all())
    whole, log = sorted(run.whole), sorted(run.log)
    if len(whole) < run.crossed * 0.9:
        raise Unavailable(f"{run.crossed} readings crossed a limit, {len(whole)} events came; readings pushed: {run.pushed}")
    at = {f"p{q}": _quantile(whole, q) for q in (50, 95, 99)}
    held = {f"log_p{q}": _quantile(log, q) for q in (50, 95, 99)}
    yield Figure("push to event", "  ".join(f"{name} {ms:.0f}" for name, ms in at.items())
                 + f"  ms at {run.pushed / run.seconds:.0f} readings/s, {len(whole)} events, largest {whole[-1]:.0f}; "
                 + "feed's hand to Kafka's stamp: " + " ".join(f"{ms:.0f}" for ms in held.values()), {**at, **held})


def _city() -> City:
    """The usual plan once a second, with a limit at 25 m."""
    return city(FIVE, SERIES, checked=True, every=1.0, limits=(Limit(1, 25.0),))


def _working(port: int) -> bool:
    return bool(sample(f"http://127.0.0.1:{port}/metrics", "wanglou_plan_info"))


def _answers(port: int) -> bool:
    import httpx2

    try:
        return bool(httpx2.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200)
    except httpx2.HTTPError:
        return False


def _quantile(values: list[float], q: int) -> float:
    return values[min(len(values) - 1, len(values) * q // 100)]


@dataclass
class Run:
    """One load, and what came of it. Times in ms."""

    made: Product
    address: str
    seconds: float
    pushed: int = 0
    crossed: int = 0
    waiting: dict[tuple[str, int], int] = field(default_factory=dict)      # (site, event time) -> when its push began
    whole: list[float] = field(default_factory=list)
    log: list[float] = field(default_factory=list)
    high: set[str] = field(default_factory=set)

    async def all(self) -> None:
        """Push evenly, whether or not earlier pushes are answered; then let what is under way arrive."""
        import httpx2
        from aiokafka import AIOKafkaConsumer

        consumer = AIOKafkaConsumer(self.made.settings.topic("events"), bootstrap_servers=self.made.settings.broker,
                                    enable_auto_commit=False, auto_offset_reset="earliest")
        await consumer.start()
        reading = asyncio.create_task(self._read(consumer))
        loop, pushes = asyncio.get_running_loop(), []
        try:
            async with httpx2.AsyncClient(timeout=30) as client:
                begun = loop.time()
                for n in range(int((WARM + self.seconds) * PUSHES)):
                    await asyncio.sleep(max(0.0, begun + n / PUSHES - loop.time()))
                    pushes.append(asyncio.create_task(self._push(client, n)))
                await asyncio.gather(*pushes)
            for _ in range(50):
                if self.waiting:
                    await asyncio.sleep(0.1)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await consumer.stop()

    async def _push(self, client: Any, n: int) -> None:
        """The n-th push. What was high comes back, and now and then another goes high: both are changes that will be events."""
        first, now, counts = n * ROWS % SERIES, clock.now(), n >= WARM * PUSHES
        sites = [f"s{i:05}" for i in range(first, first + ROWS)]
        crossing = sites[n // PUSHES % ROWS] if n % 2 else ""
        values, moved = dict.fromkeys(sites, 20.0), self.high.intersection(sites)
        self.high -= moved
        if crossing and crossing not in moved:
            values[crossing] = 30.0
            self.high.add(crossing)
            moved.add(crossing)
        if counts:
            self.pushed += ROWS
            self.crossed += len(moved)
            self.waiting.update({(site, now): now for site in moved})
        time = clock.iso(now)
        body = json.dumps([{"site": s, "indicator": "level", "time": time, "value": x} for s, x in values.items()])
        answer = await client.post(f"{self.address}/readings", content=body, headers={"Content-Type": "application/json"})
        if answer.status_code != 202:
            last = self.made.processes.last_words("feed")
            raise Unavailable(f"the feed answered {answer.status_code}: {answer.text[:300]}\n{last}")

    async def _read(self, consumer: Any) -> None:
        async for record in consumer:
            seen, said = clock.now(), decode(record.value)
            for change in said.changes if isinstance(said, Changes) else ():
                begun = self.waiting.pop((change.site, change.time), None) if change.kind == "level" else None
                if begun is not None:
                    self.whole.append((seen - begun) / 1000)
                    self.log.append(record.timestamp - change.sent / 1000)
