"""The judge's work on one partition: a record of `readings` in, records for `levels`, `judged` and `rejects` out."""
from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import structlog

from detectors.judge import State, judge, tick
from detectors.plan import Plan
from detectors.reading import GUEST, Block, Fit, Flag, PlanRecord, Source, Tick
from streams import clock
from streams.codec import BadRecord, Record, decode, encode
from streams.metrics import Metrics
from streams.plans import Library
from streams.settings import Settings
from streams.worker.counts import Counts
from streams.worker.ledger import Out, Place, Taken
from streams.worker.outs import changed, judged, rejected
from streams.worker.pages import Held, Shelf
from streams.worker.snapshots import Page

log = structlog.get_logger("wanglou.judge")
FORWARD = 1_000_000
"""Ticks go on to `levels` at most this often (µs of their own clock)."""


class Judging:
    """Plan and state of one partition. Without a plan readings are passed over: feeds take none before there is one."""

    def __init__(self, place: Place, taken: Taken, library: Library, settings: Settings, metrics: Metrics) -> None:
        self.place, self.library, self.settings, self.metrics = place, library, settings, metrics
        self.levels, self.rejects = settings.topic("levels"), settings.topic("rejects")
        self.plan: Plan | None = None
        self.forwarded = -FORWARD
        self.counts = Counts(metrics, place)
        if taken.plan:
            self._begin(self._fetched(taken.plan))
            for page in taken.pages:
                self.shelf.load(page)
            self.state.now = max(self.state.now, taken.now)

    def _fetched(self, name: str) -> Plan:
        plan = self.library.fetch(name)
        if plan is None:
            raise LookupError(f"the plan {name} of the snapshot is not in SQL")
        return plan

    def _begin(self, plan: Plan) -> None:
        self.plan = plan
        self.shards = self.library.shards(plan, self.place.partition, self.settings.partitions)
        self.state = State(plan, self._sites())
        self.shelf = Shelf(self.state, self.shards)
        self.packs = [table.group.indicator.pack for table in self.state.tables]

    def _sites(self) -> list[str]:
        return [site for sites in self.shards.values() for site in sites]

    async def ready(self, value: bytes) -> None:
        """The plan that a record names is fetched before its turn."""
        await self.library.ready(value)

    def apply(self, offset: int, value: bytes) -> list[Out]:
        """One record. What cannot be read is told to `rejects` and changes nothing."""
        try:
            record = decode(value)
        except BadRecord as error:
            return self.refuse(offset, value, str(error))
        if isinstance(record, PlanRecord):
            return self._move(record, offset)
        if self.plan is None:
            return []
        return self._record(self.plan, record, offset)

    def refuse(self, offset: int, value: bytes, why: str) -> list[Out]:
        """Applied as nothing."""
        log.error("record refused", place=str(self.place), offset=offset, why=why)
        self.metrics.rejects.labels("judge", "undecodable").inc()
        return [rejected(self.rejects, "judge", self.place, offset, value, why)]

    def _record(self, plan: Plan, record: Record, offset: int) -> list[Out]:
        out = partial(changed, self.levels, partition=self.place.partition, offset=offset)
        if isinstance(record, Block):
            with self.metrics.judge_seconds.time():
                changes = judge(plan, self.state, record)
            self._timed(record)
            return [*out(changes, sent=record.sent), *self._parts(offset), *self._judged(plan, record)]
        if isinstance(record, Tick):
            return [*out(tick(plan, self.state, record.now)), *self._parts(offset), *self._forward(record)]
        if isinstance(record, Source):
            told = [Out(self.levels, encode(record))] if self.place.partition == 0 else []
            return [*out(self.state.control(record)), *told]
        return list(out(self.state.control(record))) if isinstance(record, Fit) else []

    def _timed(self, block: Block) -> None:
        """How late readings arrive (their own clock, scenario or not), and how long they took from the feed (wall clocks)."""
        if block.sent:
            self.metrics.judged_seconds.observe(max(0.0, (clock.now() - block.sent) / 1e6))
        tables, late = self.state.places(block.series)[0], self.metrics.arrival_seconds
        if len(block) == 1:
            if tables[block.index[0]] >= 0 and not block.flag[0] & GUEST:
                late.labels(self.packs[tables[block.index[0]]]).observe(max(0.0, float(block.arrived[0] - block.t[0]) / 1e6))
            return
        if not len(block):
            return
        seconds = np.maximum((block.arrived - block.t) / 1e6, 0.0)
        if len(set(self.packs)) == 1 and not block.flag.any() and tables.min() >= 0:
            late.labels(self.packs[0]).take(seconds)
            return
        which = tables[block.index]
        if block.flag.any():
            which = np.where(block.flag & GUEST, -1, which)
        late.take(self.packs, which, seconds)

    def _judged(self, plan: Plan, block: Block) -> list[Out]:
        said = judged(plan, block, self.state.flags, self.state.named, self.state.derived)
        if said is None:
            return []
        for name, check, flag in zip((said.series[i] for i in said.index), said.source, said.flag, strict=True):
            indicator = plan.indicators.get(name.partition("@")[0])
            if flag > Flag.GOOD and indicator is not None:
                self.metrics.flags.labels(indicator.pack, said.sources[check], Flag(flag).name.lower()).inc()
        return [Out(self.settings.topic("judged"), encode(said), self.place.partition)]

    def _parts(self, offset: int) -> list[Out]:
        """What this partition adds to the sums of areas; the newest of each time."""
        parts = {(part.series, part.t): part for _, part in self.state.told_parts()}
        return [Out(self.levels, encode(replace(part, partition=self.place.partition, offset=offset))) for part in parts.values()]

    def _forward(self, record: Tick) -> list[Out]:
        """`combine` learns how far this partition is."""
        if record.now - self.forwarded < FORWARD:
            return []
        self.forwarded = record.now
        return [Out(self.levels, encode(Tick(record.now, self.place.partition)))]

    def _move(self, record: PlanRecord, offset: int) -> list[Out]:
        """From here on this partition is judged by another plan; an unknown one changes nothing, loudly (design 9.7)."""
        plan = self.library.known(record.hash)
        if plan is None:
            log.error("unknown plan: the old one stays", place=str(self.place), hash=record.hash)
            self.metrics.rejects.labels("judge", "unknown_plan").inc()
            return []
        if self.plan is None:
            self._begin(plan)
            return []
        self.plan, self.shards = plan, self.library.shards(plan, self.place.partition, self.settings.partitions)
        self.state, changes = self.state.move(plan, self._sites())
        self.packs = [table.group.indicator.pack for table in self.state.tables]
        self.shelf.moved(self.state, self.shards)       # what was not saved under the old plan must be under the new one
        return list(changed(self.levels, changes, self.place.partition, offset))

    def take(self) -> Page:
        """The rows that changed, copied; they become bytes in the thread that writes them."""
        return Page() if self.plan is None else self.shelf.take(self.plan.hash)

    def give_back(self, page: Page) -> None:
        """Those rows must be written another time."""
        if isinstance(page, Held):
            self.shelf.give_back(page)

    def report(self) -> None:
        """Counts for the metrics, once a second."""
        if self.plan is None:
            return
        self.metrics.plan_info.put({(self.plan.hash, self.plan.city.grammar): 1}, owner=self.place)
        self.counts.report(self.plan, self.state)
