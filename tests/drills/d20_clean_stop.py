"""A clean stop under load takes less than 5 s, and everything is flushed: what was applied is saved and acknowledged."""
from __future__ import annotations

from time import sleep
from typing import Any

import httpx2

from streams import clock
from streams.broker import free_port

NAME, BROKER = "clean stop under load", True
tools = __import__("sys").modules["wanglou_drills_tools"]
LIMIT = 5.0


def drill(ground: Any, short: bool, row: Any) -> None:
    """All stages and a feed are told to end at once while pushes and blocks still come; then they start again and finish."""
    lives = tools.here("live")
    live, longest = lives.Live(ground, lives.brisk()), 0.0
    port = free_port()
    stages = ("judge", "judge2", "combine", "history", "desk")
    pushed: Any = lives.Counter()
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(12)]) as load:
        for n in range(1 if short else 8):
            live.start(*stages)
            live.run.ports["http"] = port
            live.run.start("http", "feed", "http")
            live.working("desk", n + 1)
            tools.until(lambda: push(port, pushed), "the feed takes a push")
            live.sharing("judge", "judge2")
            for _ in range(20):
                push(port, pushed)
            sleep(0.5)
            slow = tools.slowness()
            took = live.end(*stages, "http")
            slow = max(slow, tools.slowness())
            longest = max(longest, *(seconds / slow for seconds in took.values()))
            row.must(longest < LIMIT, f"took {took}, on a machine that is {slow:.1f} times as slow as an idle one")
            behind = acknowledged(live)
            row.must(not behind, f"saved but not acknowledged, or the other way round: {behind}")
    live.start(*stages)
    live.finish(120)
    live.calls(row, live.compare(row, load.written + pushed))
    row.note = f"longest {longest:.1f} s"


def push(port: int, pushed: Any) -> bool:
    """One push over HTTP; what was accepted is remembered."""
    now = clock.now()
    rows = [{"site": f"gauge-{n}", "indicator": "level", "time": clock.iso(now + n), "value": 21.0 + n} for n in range(12, 24)]
    try:
        answer = httpx2.post(f"http://127.0.0.1:{port}/readings", json=rows, timeout=10)
    except httpx2.TransportError:
        return False
    if answer.status_code == 202:
        pushed.update((f"level@gauge-{n}", now + n) for n in range(12, 24))
    return bool(answer.status_code == 202)


def acknowledged(live: Any) -> dict[str, tuple[int, int]]:
    """Where the group's committed offset is not what the snapshot says: place -> (saved, committed)."""
    from kafka import KafkaConsumer, TopicPartition

    found = {}
    for stage, topic in (("judge", "readings"), ("combine", "levels")):
        consumer = KafkaConsumer(bootstrap_servers=live.bench.settings.broker, group_id=live.bench.settings.prefix + stage,
                                 enable_auto_commit=False)
        try:
            for (name, p), applied in live.applied().items():
                if name == topic:
                    at = consumer.committed(TopicPartition(live.bench.settings.topic(topic), p))
                    if at != applied + 1:
                        found[f"{name}/{p}"] = (applied + 1, at)
        finally:
            consumer.close()
    return found
