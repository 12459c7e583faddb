"""The work of `combine`: a record of `levels` in, events out. Its board is a page for all, and 256 for what is kept a series."""
from __future__ import annotations

from dataclasses import replace
from typing import Any
from zlib import crc32

import msgspec
import structlog

from detectors.combine import Board
from detectors.event import Change
from detectors.plan import Plan
from detectors.reading import Part, PlanRecord, Source, Tick
from detectors.ruling import Key
from streams.codec import BadRecord, Changes, Record, decode
from streams.metrics import Metrics
from streams.plans import Library
from streams.settings import Settings
from streams.shards import partition
from streams.worker.ledger import Out, Place, Taken
from streams.worker.outs import changed, rejected
from streams.worker.pages import MOST, share
from streams.worker.snapshots import Page

log = structlog.get_logger("wanglou.combine")
PAGES = 256
_pack = msgspec.msgpack.Encoder().encode


class Combining:
    """The board over all of `levels`."""

    def __init__(self, place: Place, taken: Taken, library: Library, settings: Settings, metrics: Metrics) -> None:
        self.place, self.library, self.settings, self.metrics = place, library, settings, metrics
        self.events, self.rejects = settings.topic("events"), settings.topic("rejects")
        self.board: Board | None = None
        self.plan = ""
        if taken.plan:
            plan = library.fetch(taken.plan)
            if plan is None:
                raise LookupError(f"the plan {taken.plan} of the snapshot is not in SQL")
            self._begin(plan)
            for page in taken.pages:
                self._load(msgspec.msgpack.decode(page, strict=False))

    def _begin(self, plan: Plan) -> None:
        self.plan = plan.hash
        self.board = Board(plan, lambda site: partition(site, self.settings.partitions))
        self.keys: dict[int, dict[Key, None]] = {}      # by page: the series it holds
        self.due: set[int] = set()                      # pages to be written whole, whatever was touched
        self.more: dict[int, int] = {}                  # by page: how much was written beside it

    def _load(self, body: dict[str, Any]) -> None:
        self._loaded().load(body)
        for detector, series, *_ in body.get("seen", ()):
            self._put((detector, series))
        if "contact" in body and body.get("seen"):      # a page of all, as it was once
            self.due |= self.keys.keys()

    def _put(self, key: Key) -> int:
        number = 1 + crc32(key[1].encode()) % PAGES
        self.keys.setdefault(number, {})[key] = None
        return number

    def _loaded(self) -> Board:
        assert self.board is not None
        return self.board

    async def ready(self, value: bytes) -> None:
        """The plan that a record names is fetched before its turn."""
        await self.library.ready(value)

    def apply(self, offset: int, value: bytes) -> list[Out]:
        """One record. What cannot be read is told to `rejects` and changes nothing."""
        try:
            record = decode(value)
        except BadRecord as error:
            return self.refuse(offset, value, str(error))
        sent = max((c.sent for c in record.changes), default=0) if isinstance(record, Changes) else 0
        return list(changed(self.events, self._said(record), sent=sent))

    def refuse(self, offset: int, value: bytes, why: str) -> list[Out]:
        """Applied as nothing."""
        log.error("record refused", place=str(self.place), offset=offset, why=why)
        self.metrics.rejects.labels("combine", "undecodable").inc()
        return [rejected(self.rejects, "combine", self.place, offset, value, why)]

    def _said(self, record: Record) -> list[Change]:
        if isinstance(record, PlanRecord):
            return self._move(record)
        if self.board is None:
            return []
        if isinstance(record, Changes):
            placed = [replace(c, partition=record.partition, offset=record.offset) for c in record.changes]
            return [event for change in placed for event in self._loaded().change(change)]
        if isinstance(record, Tick):
            return self.board.tick(record.partition, record.now)
        if isinstance(record, Part):
            return self.board.summed(record)
        return self.board.source(record) if isinstance(record, Source) else []

    def _move(self, record: PlanRecord) -> list[Change]:
        plan = self.library.known(record.hash)
        if plan is None:
            log.error("unknown plan: the old one stays", hash=record.hash, old=self.plan)
            self.metrics.rejects.labels("combine", "unknown_plan").inc()
            return []
        if self.board is None:
            self._begin(plan)
            return []
        self.board, changes = self.board.move(plan)
        self.plan, self.due, self.keys = plan.hash, set(self.keys), {number: {} for number in self.keys}
        self.due |= {self._put(key) for key in self.board.seen}
        return changes

    def take(self) -> Page:
        """Page 0: what is known of all together; and of the other pages what was told of, or the whole of it (see `pages`)."""
        if self.board is None:
            return Page()
        moved: dict[int, list[Key]] = {number: [] for number in self.due}
        for key in self.board.touched:
            moved.setdefault(self._put(key), []).append(key)
        self.board.touched.clear()
        whole, added = {0: _pack(self.board.rest())}, {}
        for number, keys in moved.items():
            self.more[number] = self.more.get(number, 0) + len(keys) + len(self.keys[number]) // MOST
            if number in self.due or self.more[number] >= share(number) * len(self.keys[number]):
                whole[number], self.more[number] = _pack(self.board.part(self.keys[number])), 0
            else:
                added[number] = _pack(self.board.part(keys))
        self.due = set()
        return Page(whole, self.plan, self.board.now, added)

    def give_back(self, page: Page) -> None:
        """The next snapshot holds these again."""
        self.due |= (page.pages.keys() | page.added.keys()) - {0}

    def report(self) -> None:
        """Area metrics, once a second."""
        if self.board is None:
            return
        rows = list(self.board.areas())
        self.metrics.area_level.put({(area, pack): level for area, pack, level, _ in rows}, owner=self.place)
        self.metrics.area_fresh.put({(area, pack): fresh for area, pack, _, fresh in rows}, owner=self.place)
        self.metrics.plan_info.put({(self.plan, self.board.plan.city.grammar): 1}, owner=self.place)
