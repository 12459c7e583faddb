"""4 → 8 partitions under load: a pause, no loss. The command that grows is killed half-way and run again."""
from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from detectors.reading import Block, Fence, Tick
from streams.codec import Changes, Record, decode, encode
from streams.shards import partition
from streams.sql import engine
from streams.topics import check_topics, lengths
from streams.worker.combining import Combining
from streams.worker.generations import Generations, current
from streams.worker.ledger import Place, Taken

tools: Any = __import__("sys").modules["wanglou_drills_tools"]
POINTS = ("grow_fence:2", "grow_closed", "grow_judged", "grow_topics", "grow_fences", "grow_begun")
"""Where the command is killed, in the order of growths."""


def drill(ground: Any, short: bool, row: Any) -> None:
    """Two judges, a feed over HTTP; history is away meanwhile and reads both topics after. Long: 4 → 8 → 16, killed three times each."""
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk(silent=20.0), partitions=4)
    web = live.run.ports["http"]
    live.start("judge", "judge2", "combine", "history")
    live.run.start("http", "feed", "http")
    tools.until(lambda: healthy(ground, web), "the feed has its broker")
    live.working("judge", 4)
    live.working("history", 8)
    live.sharing("judge", "judge2")
    source = tools.here("d05_broker_away").Source(web)
    source.thread.start()
    tools.until(lambda: source.accepted.total() > 24 * 20, "readings flow")
    for n, partitions in enumerate((8,) if short else (8, 16)):
        live.end("history")
        for point in POINTS[3 * n:3 * n + 1 if short else 3 * n + 3]:
            died = grown(live, partitions, FAULT=point)
            row.must(died.returncode == -9, f"{point}: {died.returncode} {died.stderr[-500:]}")
        done = grown(live, partitions)
        row.must(done.returncode == 0 and "is open" in done.stdout, f"{done.stdout}{done.stderr[-1500:]}")
        taken = live.said("history").count("partition taken")
        live.start("history")                   # what it missed lies in both topics
        live.bench.settings = current(live.bench.settings)
        row.must(live.bench.settings.partitions == partitions, f"{live.bench.settings.partitions} partitions are in force")
        before = source.accepted.total()
        tools.until(lambda n=before: source.accepted.total() > n + 24 * 20 and healthy(ground, web), "readings flow on",
                    180)
        live.working("history", taken + 1)
        row.must(not (faults := check_topics(live.bench.settings)), f"topics: {faults}")
    row.must(grown(live, partitions).returncode == 0, "run again, it is not content")
    fewer = grown(live, 2)
    row.must(fewer.returncode == 2 and "fewer" in fewer.stderr, f"shrinking: {fewer.returncode} {fewer.stderr[-300:]}")
    source.ended.set()
    source.thread.join()
    live.end("http")
    ends = {place: end for place, (_, end) in lengths(live.bench.settings).items()}    # the judges' ticks go on
    tools.until(lambda: kept(live, ends), "history has all", 90)
    live.finish(120)
    row.runs += 1
    compared(row, live, source.accepted)
    row.note = f"{source.buffered} pushes went over the disk"


def healthy(ground: Any, web: int) -> bool:
    """Whether the feed writes to Kafka and nothing waits on its disk."""
    state = ground.chain.http(f"http://127.0.0.1:{web}/healthz") or {}
    return bool(state.get("kafka")) and not state["buffer_bytes"]


def grown(live: Any, partitions: int, **env: str) -> subprocess.CompletedProcess[str]:
    """`wanglou topics grow`, to its end or its death."""
    given = live.bench.environment(DATA=str(live.bench.settings.data), **env)
    return subprocess.run([*live.ground.chain.WANGLOU, "topics", "grow", "--partitions", str(partitions)], env=given,
                          capture_output=True, text=True, check=False, timeout=120)


def kept(live: Any, ends: dict[tuple[str, int], int]) -> bool:
    """Whether history has read both topics to these ends."""
    settings = live.bench.settings
    rows = live.ground.chain.rows(settings.history_url, "SELECT topic, partition, applied FROM position")
    applied = {(topic, p): at for topic, p, at in rows}
    return all(applied.get((settings.topic(topic), p), -1) >= end - 1 for (topic, p), end in ends.items()
               if topic in ("readings", "judged"))


def generations(live: Any) -> list[Any]:
    """A bench for each generation, oldest first."""
    database, settings = engine(live.bench.settings.state_url), live.bench.settings
    rows = Generations(database).all()
    database.dispose()
    return [replace(live.bench, settings=settings.of(r.number, r.partitions)) for r in rows]


def heirs(record: Record, p: int, before: int, partitions: int) -> list[tuple[int, Record]]:
    """What a record would have been with more partitions from the beginning."""
    every = range(p, partitions, before)
    if isinstance(record, Tick):
        return [(q, replace(record, partition=q)) for q in every]
    if not isinstance(record, Block) or before == partitions:
        return [(q, record) for q in every]
    home = np.array([partition(record.series[i].partition("@")[2], partitions) for i in record.index])
    parts = [(q, np.flatnonzero(home == q)) for q in every]
    return [(q, Block(record.series, record.index[rows], record.t[rows], record.x[rows], record.flag[rows], record.arrived[rows],
                      record.sources, record.source[rows], record.sent)) for q, rows in parts if len(rows)]


def compared(row: Any, live: Any, accepted: Counter[tuple[str, int]]) -> None:
    """All generations as one log of the newest's partitions, judged without an interruption. The desk sees nothing of a growth."""
    benches, settings = generations(live), live.bench.settings
    machine = tools.here("machine").Machine(live.city, settings.partitions, plain=True)
    machine.know(live.city)
    in_log, order, wanted = Counter[tuple[str, int]](), dict[str, list[int]](), set[str]()
    for bench in benches:
        records = bench.records("readings")
        fences = {p: offset for p, offset, r in records if isinstance(r, Fence)}
        last = {p: offset for p, offset, _ in records}
        row.must(bench is benches[-1] or fences == last, f"{bench.settings.topic('readings')}: fences {fences}, ends {last}")
        for p, _, record in records:
            if isinstance(record, Block):
                for i, t in zip(record.index, record.t.tolist(), strict=True):
                    in_log[record.series[i], t] += 1
                    order.setdefault(record.series[i], []).append(t)
            for q, heir in heirs(record, p, bench.settings.partitions, settings.partitions):
                wanted |= {tools.told(c) for c in machine.said(q, encode(heir))}
    row.readings += in_log.total()
    row.lost += (accepted - in_log).total()
    judged = [r for bench in benches for _, _, r in bench.records("judged") if isinstance(r, Block)]
    known = sum(r.sources[i] in ("duplicate", "late") for r in judged for i in r.source)
    row.doubled += max(0, in_log.total() - len(in_log) - known)
    for times in order.values():
        first = list(dict.fromkeys(times))
        row.must(first == sorted(first), "order is lost")
    rows = live.ground.chain.rows(settings.history_url, "SELECT series, t FROM reading")
    row.must({(s, t) for s, t in rows} == set(in_log), f"history: {len(set(in_log) ^ {(s, t) for s, t in rows})} readings differ")
    levels = live.bench.read("levels")
    got = {tools.told(c) for _, _, value in levels if isinstance(record := decode(value), Changes) for c in record.changes}
    row.events += len(wanted ^ got)
    if wanted ^ got:
        row.faults.append(f"levels: {len(wanted - got)} missing, {len(got - wanted)} extra, as {sorted(wanted ^ got)[:2]}")
    board = Combining(Place(settings.topic("levels"), 0), Taken(1), machine.library, settings, machine.metrics)
    theirs = [c for _, offset, value in levels for out in board.apply(offset, value) if out.topic.endswith("events")
              for c in decode(out.value).changes]
    row.events += tools.wrong([c for _, _, r in live.bench.records("events") for c in r.changes], theirs)
    row.must(any(e.to == 4 for e in theirs), "the load was too quiet to prove anything")
