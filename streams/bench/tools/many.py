"""Many sites: a configs folder of them, and the life of four partitions of a judge and of a board over them, without Kafka."""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np

from detectors.combine import Board
from detectors.event import Change
from detectors.judge import judge, tick
from detectors.plan import Plan
from detectors.reading import Block, PlanRecord
from streams import clock
from streams.bench.tools.cities import Readings
from streams.codec import encode
from streams.metrics import Metrics
from streams.packs import load_city
from streams.plans import Library, Plans, city_of, plan_bytes
from streams.settings import settings
from streams.shards import partition
from streams.sql import engine
from streams.worker.combining import Combining
from streams.worker.judging import Judging
from streams.worker.ledger import Place, Taken
from streams.worker.snapshots import Snapshots, StateStore

PARTITIONS = 4
BEATS = 20
_DETECTORS = (("stage", "threshold", "yellow: {above: warning}, red: {above: record}"),
              ("rising", "rate\n    over: 1h", "yellow: {above: 100 m/h}"), ("unusual", "ewma", "yellow: {above: 1000}"))
_PACK = """wanglou: 1
pack: bench
title: {zh: 测, en: Bench}
indicators:
  level:
    title: {zh: 水位, en: Level}
    unit: m
    every: 5min
    silent: 15min
    checks:
      - range: {fail: [-100, 1000], suspect: [-50, 500]}
      - rate: {suspect: 100 m/h, fail: 500 m/h}
detectors:
""" + "".join(f"""  - id: {name}
    indicator: level
    kind: {kind}
    levels: {{{levels}}}
    why: {{zh: 测, en: bench}}
    source: guess
""" for name, kind, levels in _DETECTORS)


def write_configs(folder: Path, sites: int) -> None:
    """One pack, `sites` rows with limits of their own, eighty areas."""
    pack, city = folder / "packs" / "bench", folder / "city"
    pack.mkdir(parents=True)
    city.mkdir()
    (pack / "pack.yaml").write_text(_PACK, encoding="utf-8")
    rows = (f"s{n:06},站{n},Station {n},{29 + n % 100 / 100:.2f},{119 + n // 100 % 100 / 100:.2f},a{n % 9},r{n % 80},"
            f"{125 + n % 70 / 10:.1f},{135 + n % 50 / 10:.1f}\n" for n in range(sites))
    (pack / "sites.csv").write_text("site,zh,en,lat,lon,agency,admin,warning,record\n" + "".join(rows), encoding="utf-8")
    areas = "".join(f"admin,r{n},区{n},Area {n},,county\n" for n in range(80))
    (city / "areas.csv").write_text("tree,area,zh,en,parent,depth\n" + areas, encoding="utf-8")


class Many:
    """What is measured goes into `found`, ms of CPU unless its name says otherwise."""

    def __init__(self, folder: Path, sites: int, found: dict[str, float]) -> None:
        self.folder, self.sites, self.found = folder, sites, found
        self.settings = settings(partitions=PARTITIONS, data=folder)
        self.engine = engine(self.settings.state_url)
        self.plans = Plans(self.engine)
        self.offset = 0

    def load(self) -> None:
        """From files to a plan in SQL, and back."""
        self.found["check"] = ms(lambda: setattr(self, "city", load_city(self.folder / "configs"))) / 1000
        data = plan_bytes(vars(self).pop("city"))
        self.found["bytes"] = len(data) / 1e6
        self.name = self.plans.put(data, "bench")
        before = resident()
        self.found["decode"] = ms(lambda: setattr(self, "city", city_of(data)))
        self.found["city_mb"] = max(1, resident() - before) / 1e6
        self.found["plan"] = ms(lambda: setattr(self, "plan", Plan(vars(self)["city"], self.name)))
        self.plan: Plan
        self.library = Library(self.plans)
        self.library.fetch(self.name)

    def store(self) -> StateStore[Judging]:
        """As a new process has it."""
        return StateStore(Judging, Snapshots(self.engine, "judge", PARTITIONS), self.library, self.settings, Metrics())

    def open(self) -> None:
        """All four partitions."""
        self.judges = self.store()
        opened = [self.judges.open(Place("readings", p)) for p in range(PARTITIONS)]
        self.epochs, self.work = [taken.epoch for taken, _ in opened], [work for _, work in opened]

    def begin(self) -> None:
        """Four owners, and the plan's record."""
        self.open()
        before = resident()
        self.found["begin"] = ms(lambda: [work.apply(0, encode(PlanRecord(self.name))) for work in self.work])
        self.found["state_mb"] = max(1, resident() - before) / 1e6
        self.found["row"] = self.plan.row_floats["level"]
        self.readings = [Readings([f"level@{s}" for sites in work.shards.values() for s in sites]) for work in self.work]

    def read(self, p: int, blocks: list[Block]) -> int:
        """Blocks into one partition, past the codec; how many changes."""
        return sum(len(judge(self.plan, self.work[p].state, block)) for block in blocks)

    def first_contact(self) -> None:
        """Every series speaks once."""
        blocks = [[r.block(4096) for _ in range(len(r.names) // 4096 + 1)] for r in self.readings]
        records = [(work, encode(block)) for work, some in zip(self.work, blocks, strict=True) for block in some]
        spent = ms(lambda: [work.apply(1, record) for work, record in records])
        self.found["first"] = spent * 1000 / sum(len(b) for some in blocks for b in some)

    def saved(self, p: int) -> tuple[float, float, float]:
        """One snapshot of a partition: how long judging waits, CPU in the thread that writes, MB."""
        page: Any = None

        def take() -> None:
            nonlocal page
            page = self.work[p].take()

        self.offset += 1
        held, spent = ms(take), ms(lambda: self.judges.write(Place("readings", p), self.epochs[p], self.offset, page))
        return held, spent, sum(map(len, (*page.pages.values(), *page.added.values()))) / 1e6

    def snapshots(self) -> None:
        """All, then one in a hundred, then all again beside judging."""
        every = [self.saved(p) for p in range(PARTITIONS)]
        self.found["hold"], self.found["mb"] = max(one[0] for one in every), sum(one[2] for one in every)
        self.found["write"] = sum(one[1] for one in every) / 1000
        for p, r in enumerate(self.readings):
            self.read(p, [r.block(max(1, len(r.names) // 100))])
        every = [self.saved(p) for p in range(PARTITIONS)]
        self.found["hold_1"], self.found["mb_1"] = max(one[0] for one in every), sum(one[2] for one in every)
        self.found["write_1"] = sum(one[1] for one in every)
        self.read(0, [self.readings[0].block(len(self.readings[0].names))])
        page, longest = self.work[0].take(), 0.0
        writer = Thread(target=self.judges.write, args=(Place("readings", 0), self.epochs[0], self.offset, page))
        blocks = [self.readings[0].block(100) for _ in range(2000)][::-1]
        writer.start()
        while writer.is_alive() and blocks:
            begun = clock.monotonic()
            self.read(0, [blocks.pop()])
            longest = max(longest, clock.monotonic() - begun)
        writer.join()
        self.found["stall"] = longest * 1000

    def recover(self) -> None:
        """A new process's four partitions."""
        for p in range(PARTITIONS):
            self.saved(p)
        self.work = []
        self.found["recover"] = ms(self.open) / 1000

    def ticks(self) -> None:
        """Over all partitions: once with every series looked at, once with nothing that could be due."""
        states = [work.state for work in self.work]
        for r, state in zip(self.readings, states, strict=True):
            judge(self.plan, state, r.block(len(r.names)))

        def look(due: float) -> None:
            for state in states:
                state.due[0] = min(state.due[0], due)
                tick(self.plan, state, state.now + 1)

        def idle() -> None:
            for _ in range(100):
                look(np.inf)

        self.found["tick"] = min(ms(lambda: look(-np.inf)) for _ in range(5))
        self.found["idle"] = ms(idle) / 100

    def blocks(self) -> None:
        """One reading, and many."""
        small, large = [self.readings[0].block(1) for _ in range(3000)], [self.readings[0].block(4096) for _ in range(60)]
        self.found["one"] = ms(lambda: self.read(0, small)) * 1000 / len(small)
        self.found["many"] = 4096 * len(large) / ms(lambda: self.read(0, large))

    def beats(self) -> None:
        """The same hundred series speak, whatever there is besides: readings, ticks, metrics, snapshots."""
        of = [Readings(r.names[:100]) for r in self.readings]

        def beat() -> None:
            for p, r in enumerate(of):
                self.read(p, [r.block(50), r.block(50)])
                tick(self.plan, self.work[p].state, self.work[p].state.now + 1)
                self.work[p].report()
                self.saved(p)

        beat()
        self.found["beat"] = min(ms(beat) for _ in range(BEATS))

    def combine(self) -> None:
        """All sites of a board fall silent, and are back."""
        work = Combining(Place("levels", 0), Taken(1), self.library, self.settings, Metrics())
        work.apply(0, encode(PlanRecord(self.name)))
        board = work.board
        assert isinstance(board, Board)
        self._fresh(board, 1_000, "fresh")
        self.found["fall"] = self._fresh(board, 2_000, "stale")
        self.found["rise"] = self._fresh(board, 3_000, "fresh")
        work.report()
        self.found["look"] = max(0.001, ms(work.report))
        self.found["board"] = ms(work.take)
        self._fresh(board, 4_000, "stale", 100)
        self.found["few"] = ms(work.take)

    def _fresh(self, board: Board, second: int, fresh: str, every: int = 1) -> float:
        """µs a change, ticks between them included; of all sites or of every so manyth."""
        sites = self.plan.indicators["level"].sites[::every]
        changes = [Change(kind="fresh", time=second * 1_000_000 + n, arrived=second * 1_000_000 + n, pack="bench", site=site,
                          indicator="level", fresh=fresh, source="bench", partition=partition(site, PARTITIONS))
                   for n, site in enumerate(sites)]

        def say() -> None:
            for n, change in enumerate(changes):
                board.change(change)
                if n % 10_000 == 0:
                    board.tick(n // 10_000 % PARTITIONS, change.time)

        return ms(say) * 1000 / len(sites)


def ms(work: Callable[[], Any]) -> float:
    """CPU milliseconds of a call, all threads."""
    before = clock.cpu()
    work()
    return (clock.cpu() - before) * 1000


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

