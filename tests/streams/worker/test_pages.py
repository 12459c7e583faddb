"""Snapshots that write what changed: pages, rows beside them, and a state that is the same after any number of either."""
from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from detectors.judge import State
from detectors.pack import City, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.reading import Block
from streams.codec import encode
from streams.metrics import Metrics
from streams.plans import Library, Plans, plan_bytes
from streams.settings import Settings
from streams.sql import engine
from streams.worker.judging import Judging
from streams.worker.ledger import Place
from streams.worker.pages import MOST
from streams.worker.snapshots import Page, Snapshots, StateStore

SITES = [f"s{n}" for n in range(600)]      # two or three in each shard
HERE = Place("readings", 0)


class Keeper:
    """A judge over one partition, and its snapshots in SQLite."""

    def __init__(self, folder: Path) -> None:
        self.engine = engine(f"sqlite:///{folder}/state.db")
        plans = Plans(self.engine)
        self.library = Library(plans)
        self.store = StateStore(Judging, Snapshots(self.engine, "judge", 1), self.library, Settings(partitions=1), Metrics())
        limits = (Limit(2, 25.0), Limit(4, 30.0))
        level = Indicator("level", "river", Text("水位"), "m", tuple(SITES), every=1.0, lateness=5.0)
        self.plan = plans.put(plan_bytes(City((Pack("river", Text("江河"), (level,), (
            Detector("stage", "river", "level", Use("threshold"), limits), Detector("mean", "river", "level", Use("ewma"), limits))),),
            {s: Site(s, Text(s)) for s in SITES})))
        self.offset, self.t = -1, 0
        self.epoch, self.work = self.opened()
        self.work._begin(self.work._fetched(self.plan))

    def opened(self) -> tuple[int, Judging]:
        taken, work = self.store.open(HERE)
        return taken.epoch, work

    def read(self, sites: list[str], x: float = 26.0) -> None:
        self.t, self.offset = self.t + 1_000_000, self.offset + 1
        self.work.apply(self.offset, encode(Block.of([(f"level@{site}", self.t, x) for site in sites])))

    def save(self) -> Page:
        page = self.work.take()
        assert self.store.write(HERE, self.epoch, self.offset, page)
        return page


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    return Keeper(tmp_path)


def bits(state: State) -> dict[str, tuple[bytes, object]]:
    return {row[0]: (bytes(row[2]), row[3]) for row in state.dump() if row[0] != "#"}


def test_any_mix_of_pages_and_parts_gives_the_same_state(keeper: Keeper) -> None:
    """After random blocks, saves, failed saves and new owners the state is that of the last save, bit for bit."""
    chance, parts = Random(7), 0
    for _ in range(80):
        keeper.read(chance.sample(SITES, chance.choice((1, 3, 40, 400))), chance.choice((20.0, 26.0, 31.0)))
        if chance.random() < 0.2:
            keeper.work.give_back(keeper.work.take())
        if chance.random() < 0.5:
            parts += len(keeper.save().added)
            was = bits(keeper.work.state)
            keeper.epoch, keeper.work = keeper.opened()
            assert bits(keeper.work.state) == was
    assert parts > 50


def test_what_is_silent_is_not_written(keeper: Keeper) -> None:
    """The first readings make pages, a few more only parts of their own rows; series never heard of are in neither."""
    keeper.read(SITES[:300])
    first = keeper.save()
    assert not first.added and sum(page.count(b"level@") for page in first.pages.values()) == 300
    chosen = [site for site in SITES[:300] if site not in SITES[:290]]
    keeper.read(chosen)
    more = keeper.save()
    rows = sum(page.count(b"level@") for page in (*more.pages.values(), *more.added.values()))
    assert len(chosen) <= rows < 40
    assert keeper.work.take().added == keeper.work.take().pages == {}


def test_parts_are_folded_into_their_page(keeper: Keeper) -> None:
    """However often one site is saved, what lies beside its page stays bounded, by weight and by number."""
    keeper.read(SITES)
    keeper.save()
    for _ in range(MOST + 30):
        keeper.read(SITES[:1])
        keeper.save()
        with keeper.engine.connect() as connection:
            page, beside = (connection.exec_driver_sql(f"SELECT coalesce(sum(length(bytes)), 0) FROM {t}").scalar_one()
                            for t in ("page", "beside"))
            assert beside <= page
    assert int(np.max(keeper.work.shelf.parts)) <= MOST
