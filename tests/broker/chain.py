"""The whole product as processes on a real Kafka, for the tests of this folder; and the same log judged again in this process.

A module by path (fixture `chain`), as tests have no packages.
"""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from signal import SIGTERM
from time import sleep
from typing import Any

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.plan import Plan
from detectors.reading import Block, Part, PlanRecord, Source, Tick
from streams import clock
from streams.broker import free_port
from streams.codec import Changes, Record
from streams.plans import plan_bytes, plan_hash
from streams.shards import partition
from streams.sql import engine
from streams.topics import lengths

READS = {"judge": ("readings",), "combine": ("levels",), "history": ("readings", "judged"), "desk": ("events",)}
WANGLOU = [sys.executable, "-c", "from streams.cli import main; main()"]


@dataclass
class Chain:
    """Stages by name over one test's topics and databases; a played history is their clock unless `ticks` says otherwise."""

    bench: Any
    ticks: str = "log"
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    more: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Ports that stay the same over a restart."""
        self.ports = {name: free_port() for name in (*READS, "play", "http")}

    def start(self, name: str, *words: str, **env: str) -> subprocess.Popen[bytes]:
        """`wanglou NAME`, or the words given, as a process; started again it has the same words."""
        self.words[name] = words or self.words.get(name) or (name,)
        metrics = {} if name in ("desk", "http") else {"METRICS_PORT": str(self.ports[name])}
        given = {"DATA": str(self.bench.settings.data), "TICKS": self.ticks, "DESK_PORT": str(self.ports["desk"]),
                 "FEED_PORT": str(self.ports["http"])} | self.more | metrics | env
        self.running[name] = self.bench.start(*self.words[name], **given)
        return self.running[name]

    def kill(self, name: str) -> None:
        """As kill -9 does; it must have been alive until now, or nothing was interrupted."""
        process = self.running[name]
        assert process.poll() is None, f"{name} had ended by itself: {self.bench.said(self.words[name][0])[-2000:]}"
        process.kill()
        process.wait()

    def stop(self, *names: str) -> None:
        """SIGTERM; each must end by itself, cleanly."""
        processes = {name: self.running[name] for name in names or self.running}
        for process in processes.values():
            while process.poll() is None and not catches(process.pid):       # one that is still importing dies of it, as it may
                sleep(0.05)
            process.terminate()
        ended = {name: process.wait(20) for name, process in processes.items()}
        assert set(ended.values()) == {0}, ended

    def play(self, path: Path, *words: str) -> dict[str, Any]:
        """Play a file as fast as it goes, to its end; what the command tells."""
        env = self.bench.environment(TICKS=self.ticks, DATA=str(self.bench.settings.data))
        done = subprocess.run([*WANGLOU, "feed", "play", str(path), "--speed", "max", "--json", *words], env=env,
                              capture_output=True, text=True, check=False, timeout=180)
        assert done.returncode == 0, done.stderr[-2000:]
        return dict(json.loads(done.stdout))

    def left(self) -> dict[str, tuple[int, int]]:
        """What is still to be read: topic of a running stage -> (applied and saved, end), where these differ.

        Places first, ends after: when none differs, all that was said because of what is in the log is in the log too.
        """
        applied: dict[tuple[str, str, int], int] = {}
        settings = self.bench.settings
        for url in {settings.state_url, settings.history_url}:
            for stage, topic, p, at in rows(url, "SELECT stage, topic, partition, applied FROM position"):
                applied[stage, topic, p] = at + 1
        if "desk" in self.running:
            for topic, p, at in rows(settings.desk_url, 'SELECT topic, "partition", "offset" FROM position'):
                applied["desk", topic, p] = at
        ends = lengths(settings)
        wanted = [(stage, t, p) for stage in self.running for t in READS.get(stage, ()) for topic, p in ends if topic == t]
        found = {f"{s} {t}/{p}": (applied.get((s, settings.topic(t), p), 0), ends[t, p][1]) for s, t, p in wanted}
        return {name: (at, end) for name, (at, end) in found.items() if at < end}

    def settled(self, seconds: float = 60.0) -> None:
        """Wait until every stage has worked on all that there is, and has saved it."""
        end = clock.monotonic() + seconds
        while left := self.left():
            for name, process in self.running.items():
                assert process.poll() in (None, 0) or name in ("play", "http"), self.bench.said(self.words[name][0])[-2000:]
            assert clock.monotonic() < end, f"not within {seconds} s: {left}"
            sleep(0.2)

    def events(self) -> list[Change]:
        """All of `events`, in the order of the log."""
        return [replace(c, sent=0) for _, _, r in self.bench.records("events") if isinstance(r, Changes) for c in r.changes]

    def rejects(self) -> list[dict[str, Any]]:
        """All of `rejects`."""
        return [json.loads(value) for _, _, value in self.bench.read("rejects")]

    def alerts(self) -> dict[str, tuple[str, int]]:
        """What the desk has: key of each 预警单 -> its id and level."""
        return {key: (id_, level) for key, id_, level in rows(self.bench.settings.desk_url, "SELECT key, id, level FROM alert")}


def catches(pid: int) -> bool:
    """Whether a process has something to do at SIGTERM."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines() if x.startswith("SigCgt:"))
    return bool(int(line.split()[1], 16) >> (SIGTERM - 1) & 1)


def rows(url: str, query: str) -> list[Any]:
    """A query's rows; none while the database or the table is not there yet."""
    from sqlalchemy import text
    from sqlalchemy.exc import DBAPIError

    database = engine(url)
    try:
        with database.connect() as connection:
            return list(connection.execute(text(query)))
    except DBAPIError:
        return []
    finally:
        database.dispose()


Records = list[tuple[int, int, Record]]


def judged_again(city: Any, readings: Records, partitions: int) -> set[str]:
    """The changes of one State a partition over its log (plan, blocks, ticks, sources), as text without the wall clock."""
    plan = Plan(city, plan_hash(plan_bytes(city)))
    said: set[str] = set()
    for p in range(partitions):
        log = [record for q, _, record in readings if q == p]
        assert isinstance(log[0], PlanRecord) and log[0].hash == plan.hash, "the log does not begin with this plan"
        state = State(plan, [s for s in plan.sites if partition(s, partitions) == p])
        for record in log[1:]:
            if isinstance(record, Block):
                said |= set(map(told, judge(plan, state, record)))
            elif isinstance(record, Tick):
                said |= set(map(told, tick(plan, state, record.now)))
            else:
                said |= set(map(told, state.control(record)))
    return said


def combined_again(city: Any, levels: Records, partitions: int) -> list[Change]:
    """The events of one Board over `levels`, in its order."""
    board = Board(Plan(city, plan_hash(plan_bytes(city))), lambda site: partition(site, partitions))
    events: list[Change] = []
    for _, _, record in levels:
        if isinstance(record, Changes):
            for change in record.changes:
                events += board.change(replace(change, partition=record.partition, offset=record.offset))
        elif isinstance(record, Tick):
            events += board.tick(record.partition, record.now)
        elif isinstance(record, Part):
            events += board.summed(record)
        elif isinstance(record, Source):
            events += board.source(record)
    return [replace(e, sent=0) for e in events]


def told(change: Change) -> str:
    """All of a change but the wall clock."""
    return str(replace(change, sent=0))


def groups(events: Iterable[Change]) -> dict[str, int]:
    """The 预警单 that events imply when nobody closes any: key (design 9.19) -> level = max of its members."""
    chains: dict[str, dict[int, Change]] = {}
    for e in (e for e in events if e.kind == "level"):
        chain = chains.setdefault(e.alert, {})
        if e.seq not in chain or (e.revision, e.withdrawn) > (chain[e.seq].revision, chain[e.seq].withdrawn):
            chain[e.seq] = e
    found: dict[str, int] = {}
    for chain in chains.values():
        one = next(iter(chain.values()))
        standing = [e.to for e in sorted(chain.values(), key=lambda e: (e.time, e.seq)) if not e.withdrawn]
        key = "|".join((one.group or one.rule or f"{one.pack}/{one.indicator}", one.site or one.area, one.scope))
        found[key] = max(found.get(key, 0), standing[-1] if standing else 0)
    return found


def http(url: str) -> Any:
    """JSON of a page on this machine, or None while it is not there."""
    import httpx2

    try:
        return httpx2.get(url, timeout=2).json()
    except (httpx2.HTTPError, ValueError):
        return None


def until(holds: Callable[[], Any], what: str, seconds: float = 45.0, every: float = 0.2) -> Any:
    """What `holds` gives once it is true; a failure says what did not come."""
    end = clock.monotonic() + seconds
    while not (found := holds()):
        assert clock.monotonic() < end, f"not within {seconds} s: {what}"
        sleep(every)
    return found


