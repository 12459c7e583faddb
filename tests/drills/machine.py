"""Judge and combine as they run in service, over logs and snapshots in memory: killed wherever chance says, started again.

Only Kafka and SQL are left out: the records are bytes, the state goes through the pages of a snapshot, what was not
in the snapshot is read again, and what it says a second time stands twice in `levels`, as after a real kill.
"""
from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from detectors.event import Change
from detectors.pack import City
from detectors.reading import Block, PlanRecord, Source, Tick
from streams.codec import Changes, Record, decode, encode
from streams.metrics import Metrics
from streams.plans import Library, plan_bytes, plan_hash
from streams.settings import Settings
from streams.shards import partition
from streams.worker.combining import Combining
from streams.worker.judging import Judging
from streams.worker.ledger import Out, Place, Taken


class Shelf:
    """The table `plan`."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)


class Stage:
    """One partition of one stage: its log, its work, its last snapshot."""

    def __init__(self, machine: Machine, make: Any, name: str, number: int) -> None:
        self.machine, self.make, self.place = machine, make, Place(name, number)
        self.log: list[bytes] = []
        self.pages: dict[int, list[bytes]] = {}         # the page of a shard, and what was written beside it
        self.saved = Taken(1)
        self.work = self.open()

    def open(self) -> Any:
        """As a new owner begins."""
        given = Taken(self.saved.epoch + 1, self.saved.applied, self.saved.plan, self.saved.now,
                      tuple(one for n in sorted(self.pages) for one in self.pages[n]))
        return self.make(self.place, given, self.machine.library, self.machine.settings, self.machine.metrics)

    def append(self, value: bytes) -> list[Out]:
        """One record more, applied; by chance a snapshot, or a kill and everything since the last one again."""
        self.log.append(value)
        outs = list(self.work.apply(len(self.log) - 1, value))
        chance = self.machine.chance
        if chance and chance.random() < self.machine.often:
            self.save()
        if chance and chance.random() < self.machine.often:
            outs += self.killed()
        return outs

    def save(self) -> None:
        """A snapshot."""
        page = self.work.take()
        self.pages |= {n: [one] for n, one in page.pages.items()}
        for n, one in page.added.items():
            self.pages[n].append(one)
        self.saved = Taken(1, len(self.log) - 1, page.plan, page.now)

    def killed(self) -> list[Out]:
        """kill -9, a new owner, and what it says again."""
        self.machine.kills += 1
        self.work = self.open()
        first = self.saved.applied + 1
        return [out for offset in range(first, len(self.log)) for out in self.work.apply(offset, self.log[offset])]


class Machine:
    """P judges and one combine. With `chance` they are killed with the probability `often` at each record."""

    def __init__(self, city: City, partitions: int = 4, chance: Random | None = None, often: float = 0.03,
                 plain: bool = False) -> None:
        self.settings = Settings(partitions=partitions, data=Path("/nonexistent"), prefix="")
        self.metrics, self.shelf, self.chance, self.often, self.kills = Metrics(), Shelf(), chance, often, 0
        self.library = Library(self.shelf)
        self.rejects: list[bytes] = []
        self.judged: list[Block] = []
        self.events: list[Change] = []
        self.readings = 0
        self.judges = [Stage(self, Judging, "readings", p) for p in range(partitions)]
        self.combine = Stage(self, Combining, "levels", 0)
        if not plain:                   # plain = to be told a log that was read from somewhere, plans included
            self.plan(city)

    def know(self, city: City) -> str:
        """The bytes of a plan, as SQL keeps them."""
        data = plan_bytes(city)
        name = plan_hash(data)
        self.shelf.kept[name] = data
        self.library.fetch(name)
        return name

    def said(self, p: int, value: bytes) -> list[Change]:
        """One record of a log that was read from somewhere: the changes it brings, and nothing else."""
        outs = self.judges[p].append(value)
        return [c for out in outs if out.topic == "levels" and isinstance(r := decode(out.value), Changes) for c in r.changes]

    def plan(self, city: City) -> str:
        """A plan, and its record in every log."""
        name = self.know(city)
        for p in range(len(self.judges)):
            self.write(p, PlanRecord(name))
        self._levels(encode(PlanRecord(name)))
        return name

    def write(self, p: int, record: Record) -> None:
        """One record into a partition of `readings`, with all that follows from it."""
        self.bytes(p, encode(record))

    def bytes(self, p: int, value: bytes) -> None:
        """Anything into a partition of `readings`."""
        for out in self.judges[p].append(value):
            if out.topic == "levels":
                self._levels(out.value)
            elif out.topic == "judged":
                self.judged.append(decode(out.value))       # type: ignore[arg-type]
            else:
                self.rejects.append(out.value)

    def _levels(self, value: bytes) -> None:
        for out in self.combine.append(value):
            if out.topic == "events":
                found = decode(out.value)
                assert isinstance(found, Changes)
                self.events += found.changes
            else:
                self.rejects.append(out.value)

    def take(self, rows: list[tuple[str, int, float]], arrived: int, source: str = "feed") -> None:
        """Readings (series, t, x) that arrive together, each in the partition of its site."""
        for p in range(len(self.judges)):
            mine = [row for row in rows if partition(row[0].partition("@")[2], len(self.judges)) == p]
            if mine:
                self.write(p, Block.of(mine, arrived=arrived, source=source))
        self.readings += len(rows)

    def tick(self, now: int, only: Iterable[int] | None = None) -> None:
        """The clock, as each judge (or some) writes it."""
        for p in range(len(self.judges)) if only is None else only:
            self.write(p, Tick(now, p))

    def source(self, name: str, now: int, up: bool = True, seen: int | None = None) -> None:
        """A feed's word on its source, to all partitions."""
        for p in range(len(self.judges)):
            self.write(p, Source(name, up, now if seen is None else seen, now))

    def where(self, series: str) -> int:
        """The partition of a series."""
        return partition(series.partition("@")[2], len(self.judges))

    def levels(self) -> dict[tuple[str, str], tuple[int, str]]:
        """(series, detector) -> (level, fresh), of all judges."""
        return {(series, path): (level, fresh) for judge in self.judges
                for series, path, level, fresh, *_ in judge.work.state.levels()}

    def words(self) -> dict[str, int]:
        """How often readings were named so by the judge: late, future, old, duplicate …"""
        found: dict[str, int] = {}
        for block in self.judged:
            for n in block.source.tolist():
                found[block.sources[n]] = found.get(block.sources[n], 0) + 1
        return found
