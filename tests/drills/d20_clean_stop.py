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
STAGES = ("judge", "judge2", "combine", "history", "desk")


SLOW = 2.5
"""Times that a second of work may take for a stop to say anything of time: the product leaves after four, flushed or not."""


def drill(ground: Any, short: bool, row: Any) -> None:
    """All stages and a feed are told to end at once while pushes and blocks still come; then they start again and finish."""
    lives = tools.here("live")
    live, port, pushed = lives.Live(ground, lives.brisk()), free_port(), lives.Counter()
    live.run.ports["http"] = port
    clean: list[float] = []
    tries = 0
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(12)]) as load:
        while len(clean) < (1 if short else 8) and tries < (3 if short else 16):
            tries += 1
            begin(live, port, pushed, tries)
            slow, took = stop(live)
            longest, behind = max(took.values()) / slow, acknowledged(live)
            if longest < LIMIT and not behind:
                clean.append(longest)
            elif slow < SLOW:
                row.faults.append(f"took {took}; saved but not acknowledged, or the other way round: {behind}")
                break
    live.start(*STAGES)
    live.finish()
    live.calls(row, live.compare(row, load.written + pushed))
    row.note = f"longest {max(clean):.1f} s" if clean else f"a machine {slow:.0f} times too slow says nothing of time"


def begin(live: Any, port: int, pushed: Any, n: int) -> None:
    """Everything runs, and has taken in something."""
    live.start(*STAGES)
    live.run.start("http", "feed", "http")
    live.working("desk", n)
    tools.until(lambda: push(port, pushed), "the feed takes a push", 120)
    live.sharing("judge", "judge2")
    for _ in range(20):
        push(port, pushed)
    sleep(0.5)


def stop(live: Any) -> tuple[float, dict[str, float]]:
    """How much slower than its own the machine was meanwhile, and the seconds that each process took."""
    before = tools.slowness()
    took = live.end(*STAGES, "http")
    return max(before, tools.slowness()), took


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
