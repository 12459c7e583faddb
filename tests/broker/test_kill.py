"""kill -9 anywhere: what stands in the log is what an uninterrupted run over the same log says, ids too."""
from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import sin
from threading import Event, Thread
from typing import Any

import pytest

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City
from detectors.plan import Plan
from detectors.reading import Block, Tick
from streams.codec import Changes
from streams.faults import POINTS
from streams.plans import plan_bytes, plan_hash
from streams.settings import Settings
from streams.shards import partition

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
Key = tuple[Any, ...]


def key(change: Change) -> Key:
    """All that a reader may rely on; the wall clock and the place in the log are left out."""
    return (change.id, change.kind, change.revision, change.withdrawn, change.detector, change.rule, change.site, change.area,
            change.time, change.arrived, change.before, change.to, change.value, change.limit, change.onset, change.fresh)


def uninterrupted_judge(city: City, records: list[tuple[int, int, Any]], partitions: int) -> set[Key]:
    """The changes of one State a partition over its log, from the first record to the last."""
    plan = Plan(city, plan_hash(plan_bytes(city)))
    said: set[Key] = set()
    for p in range(partitions):
        state = State(plan, [s for s in plan.sites if partition(s, partitions) == p])
        for q, _, record in records:
            if q == p and isinstance(record, Block):
                said |= set(map(key, judge(plan, state, record)))
            elif q == p and isinstance(record, Tick):
                said |= set(map(key, tick(plan, state, record.now)))
    return said


def uninterrupted_combine(city: City, records: list[tuple[int, int, Any]], partitions: int) -> list[Change]:
    """The events of one Board over `levels`."""
    board = Board(Plan(city, plan_hash(plan_bytes(city))), lambda site: partition(site, partitions))
    events: list[Change] = []
    for _, _, record in records:
        if isinstance(record, Changes):
            for change in record.changes:
                events += board.change(replace(change, partition=record.partition, offset=record.offset))
        elif isinstance(record, Tick):
            events += board.tick(record.partition, record.now)
    return events


class Storm:
    """Readings of all gauges every 40 ms: they rise and fall across the limits, some are doubtful, some impossible."""

    def __init__(self, writer: Any, sites: list[str]) -> None:
        self.writer, self.sites, self.ended, self.written = writer, sites, Event(), 0
        self.thread = Thread(target=self._blow)

    def _blow(self) -> None:
        for n in count():
            rows = [(site, 24 + 7 * sin(n / 9 + k) + (20 if (n + k) % 97 == 0 else 0) + (99 if (n + k) % 151 == 0 else 0))
                    for k, site in enumerate(self.sites) if k or n < 60]            # gauge-0 falls silent
            self.writer.write(rows)
            self.written += len(rows)
            if self.ended.wait(0.04):
                break
        self.writer.producer.flush()

    def __enter__(self) -> Storm:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


def applied(bench: Any) -> dict[tuple[str, int], int]:
    """Up to which offset judge and combine have applied their logs, by SQL: (topic without prefix, partition) -> offset."""
    from sqlalchemy import text

    from streams.sql import engine

    made = engine(bench.settings.state_url)
    with made.connect() as connection:
        rows = connection.execute(text("SELECT topic, partition, applied FROM position WHERE stage <> 'history'")).all()
    made.dispose()
    return {(row[0].removeprefix(bench.settings.prefix), row[1]): row[2] for row in rows}


def settled(bench: Any, wait: Callable[..., None], *topics: str) -> None:
    """The stages that read these topics have saved all that is in them now (ticks go on)."""
    from streams.topics import lengths

    ends = {place: end for place, (_, end) in lengths(bench.settings).items() if place[0] in topics}
    wait(lambda: all(applied(bench).get(place, -1) >= end - 1 for place, end in ends.items()), f"snapshots up to {ends}")


def stop(*processes: subprocess.Popen[bytes]) -> None:
    """SIGTERM; each must end by itself, cleanly."""
    for process in processes:
        process.terminate()
    assert [process.wait(10) for process in processes] == [0] * len(processes)


def compare(bench: Any, city: City, storm: Storm) -> None:
    """The log against uninterrupted runs over it, as far as it was applied: the judge's last tick may come after its end."""
    done = applied(bench)
    readings, levels = ([r for r in bench.records(t) if r[1] <= done[t, r[0]]] for t in ("readings", "levels"))
    partitions = bench.settings.partitions
    assert sum(len(r) for _, _, r in readings if isinstance(r, Block)) == storm.written, "not all readings are in the log"
    said = {key(c) for _, _, r in levels if isinstance(r, Changes) for c in r.changes}
    wanted = uninterrupted_judge(city, readings, partitions)
    assert said == wanted, f"{len(wanted - said)} changes are missing, {len(said - wanted)} are extra"
    events = [c for _, _, r in bench.records("events") for c in r.changes]
    wanted_events = uninterrupted_combine(city, levels, partitions)
    assert {key(e) for e in events} == {key(e) for e in wanted_events}
    assert {True} == {any(e.rule for e in wanted_events), any(e.fresh == "stale" for e in wanted_events),
                      any(e.to == 4 for e in wanted_events)}, "the storm was too quiet to prove anything"
    first = dict.fromkeys(key(e) for e in events)       # repeats are allowed, another order of the first sayings is not
    assert list(first) == list(dict.fromkeys(key(e) for e in wanted_events))


def test_kill_at_every_point(bench: Any, writer: Any, city: Callable[..., City], wait: Callable[..., None]) -> None:
    """The judge is killed at each of the five points of a record's way, combine at two, under a storm: nothing is lost or new."""
    of = city()
    bench.plan(of)
    combine = [bench.start("combine", FAULT="after_produce:2")]
    with Storm(writer, [s for s in of.sites]) as storm:
        for point in POINTS:
            judge_ = bench.start("judge", FAULT=f"{point}:{30 if point in ('after_consume', 'after_judge') else 3}")
            assert judge_.wait(40) == -9, f"{point}: {bench.said('judge')[-2000:]}"
        judge_ = bench.start("judge")
        for point in ("after_snapshot:2", ""):
            assert combine[-1].wait(20) == -9, bench.said("combine")[-2000:]
            combine.append(bench.start("combine", FAULT=point))
    settled(bench, wait, "readings")
    stop(judge_)
    settled(bench, wait, "levels")
    stop(combine[-1])
    compare(bench, of, storm)


def test_kill_on_postgresql(bench: Any, writer: Any, city: Callable[..., City], wait: Callable[..., None],
                            postgresql: str) -> None:
    """The same with snapshots and history in PostgreSQL, two judges, one of them killed; history has each reading once."""
    from sqlalchemy import text

    from streams.sql import engine

    bench.settings = Settings(**(bench.settings.model_dump() | {"state_url": postgresql, "history_url": postgresql}))
    of = city()
    bench.plan(of)
    others = [bench.start("combine"), bench.start("history")]
    with Storm(writer, [s for s in of.sites]) as storm:
        stays = bench.start("judge")
        wait(lambda: "partition taken" in bench.said("judge"), "the first judge works")
        dies = bench.start("judge", FAULT="after_produce:4")
        assert dies.wait(40) == -9, bench.said("judge")[-2000:]
    settled(bench, wait, "readings")

    database = engine(postgresql)

    def kept() -> int:
        with database.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM reading")).scalar() or 0)

    wait(lambda: kept() == storm.written, f"{storm.written} readings in history")
    database.dispose()
    stop(stays)
    settled(bench, wait, "levels")
    stop(*others)
    compare(bench, of, storm)
