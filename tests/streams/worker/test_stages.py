"""Judge and combine as work of the ledger, without Kafka: records in, records out, pages that go on where they stopped."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.event import Change
from detectors.pack import Area, City, Derive, Detector, Indicator, Limit, Pack, Rule, Site, Text, Use
from detectors.reading import Block, Flag, PlanRecord, Source, Tick
from streams import rejects
from streams.codec import Changes, Record, decode, encode
from streams.metrics import Metrics
from streams.plans import Library, Plans, city_of, plan_bytes, plan_hash
from streams.settings import Settings
from streams.shards import partition
from streams.sql import engine
from streams.worker.combining import Combining
from streams.worker.judging import Judging
from streams.worker.ledger import Out, Place
from streams.worker.snapshots import Page, Snapshots, StateStore

SITES = tuple(f"s{n}" for n in range(8))
SECOND = 1_000_000
HERE, LEVELS = Place("wanglou.readings", 0), Place("wanglou.levels", 0)


def city(red: float = 30.0) -> City:
    level = Indicator("level", "river", Text("水位"), "m", SITES, every=1.0, silent=4.0,
                      wall=True, checks=(Use("range", {"fail": (0.0, 60.0), "suspect": (5.0, 45.0)}),))
    limits = (Limit(2, 25.0, clear=24.0), Limit(3, 27.0, hold=2.0), Limit(4, red))
    stage = Detector("stage", "river", "level", Use("threshold"), limits)
    rule = Rule("wide", "river", "at_least", ("river/stage",), 2, {"n": 2.0}, 3, "basin", "reach", within=600.0)
    sites = {s: Site(s, Text(s), areas={"basin": "r"}) for s in SITES}
    pack = Pack("river", Text("江河"), (level,), (stage,), (rule,))
    return City((pack,), sites, (Area("basin", "r", Text("r"), depth="reach"),))


class Shop:
    """state.db and what the stages share."""

    def __init__(self, url: str, partitions: int = 1) -> None:
        self.engine, self.settings, self.metrics = engine(url), Settings(partitions=partitions), Metrics()
        self.plans = Plans(self.engine)
        self.library = Library(self.plans)
        self.judge = StateStore(Judging, Snapshots(self.engine, "judge", partitions), self.library, self.settings, self.metrics)
        self.combine = StateStore(Combining, Snapshots(self.engine, "combine", 1), self.library, self.settings, self.metrics)

    def plan(self, of: City) -> PlanRecord:
        """A plan that SQL has, known to this process."""
        name = self.plans.put(plan_bytes(of))
        self.library.fetch(name)
        return PlanRecord(name)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(f"sqlite:///{tmp_path}/state.db")
    yield made
    made.engine.dispose()


def said(outs: list[Out]) -> list[Record]:
    return [decode(out.value) for out in outs]


def changes(outs: list[Out]) -> list[Any]:
    return [c for r in said(outs) if isinstance(r, Changes) for c in r.changes]


def block(t: int, **values: float) -> bytes:
    return encode(Block.of([(f"level@{site}", t * SECOND, x) for site, x in values.items()], sent=5))


def test_plan_bytes_are_canonical() -> None:
    """The same city gives the same bytes and hash, another one another hash; bytes that are none say so."""
    data = plan_bytes(city())
    assert city_of(data) == city() and plan_bytes(city_of(data)) == data
    assert plan_hash(data) == plan_hash(plan_bytes(city())) != plan_hash(plan_bytes(city(31.0)))
    with pytest.raises(ValueError, match="not a plan"):
        city_of(b"\x80")


def test_plans_in_sql(shop: Shop) -> None:
    """A plan put again is there once and is the newest again."""
    old, new = shop.plans.put(plan_bytes(city())), shop.plans.put(plan_bytes(city(31.0)))
    assert shop.plans.newest() == (new, plan_bytes(city(31.0)))
    assert shop.plans.put(plan_bytes(city())) == old
    assert shop.plans.newest() == (old, plan_bytes(city()))
    assert shop.plans.get("0" * 16) is None


def test_a_block_becomes_changes_and_judged(shop: Shop) -> None:
    """One record of changes with its place and `sent`; the doubtful reading goes to `judged` with its check, no other."""
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(city())))
    outs = work.apply(7, block(10, s0=26.0, s1=50.0))
    assert [out.topic for out in outs] == ["wanglou.levels", "wanglou.judged"]
    levels, judged = said(outs)
    assert isinstance(levels, Changes) and isinstance(judged, Block)
    assert (levels.partition, levels.offset, {c.sent for c in levels.changes}) == (0, 7, {5})
    moved = [(c.site, c.to, c.confidence) for c in levels.changes if c.kind == "level"]
    assert moved == [("s0", 2, "good"), ("s1", 2, "suspect")]
    assert (judged.series, judged.flag.tolist(), judged.sources) == (("level@s1",), [Flag.SUSPECT], ("range",))
    assert 'wanglou_flags_total{check="range",flag="suspect",pack="river"} 1.0' in exposed(shop)


def exposed(shop: Shop) -> str:
    from prometheus_client import generate_latest

    return generate_latest(shop.metrics.registry).decode()


def test_without_a_plan_nothing_is_judged(shop: Shop) -> None:
    """Readings before the first plan are passed over, and the snapshot says so."""
    _, work = shop.judge.open(HERE)
    assert work.apply(0, block(1, s0=40.0)) == []
    assert shop.judge.write(HERE, 1, 0, work.take())
    taken, again = shop.judge.open(HERE)
    assert (taken.applied, again.plan) == (0, None)


def test_an_unknown_plan_keeps_the_old_one(shop: Shop) -> None:
    """A hash that SQL does not have changes nothing and is counted; what follows is judged as before."""
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(city())))
    before = work.plan
    assert work.apply(1, encode(PlanRecord("f" * 16))) == []
    assert work.plan is before
    assert 'reason="unknown_plan"' in exposed(shop)
    assert [c.to for c in changes(work.apply(2, block(1, s0=26.0))) if c.kind == "level"] == [2]


async def test_a_plan_is_fetched_before_its_turn(shop: Shop) -> None:
    """`ready` brings a plan that another process put into SQL; a database that is away is no unknown plan: it raises."""
    _, work = shop.judge.open(HERE)
    name = Plans(shop.engine).put(plan_bytes(city()))
    await work.ready(encode(PlanRecord(name)))
    work.apply(0, encode(PlanRecord(name)))
    assert work.plan is not None and work.plan.hash == name

    def away(_: str) -> bytes:
        raise OSError("away")

    shop.plans.get = away                       # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="away"):
        await work.ready(encode(PlanRecord("e" * 16)))


def test_rubbish_goes_to_rejects(shop: Shop) -> None:
    """Bytes that are no record are told to `rejects` with their place, by judge and combine, and change nothing."""
    for store, place in ((shop.judge, HERE), (shop.combine, LEVELS)):
        _, work = store.open(place)
        (out,) = work.apply(9, b"\xffrubbish")
        row = rejects.decode(out.value)
        assert (out.topic, row.reason, row.place, row.bytes()) == ("wanglou.rejects", "undecodable", "offset 9", b"\xffrubbish")


def test_ticks_and_sources_go_on(shop: Shop) -> None:
    """Ticks go on to levels at most once a second of their own clock; a source only from partition 0."""
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(city())))
    forwarded = [bool(work.apply(n, encode(Tick(n * SECOND // 2, 0)))) for n in range(1, 8)]
    assert forwarded == [True, False, True, False, True, False, True]
    source = Source("s", False, 1, 2)
    assert said(work.apply(9, encode(source))) == [source]
    _, other = shop.judge.open(Place("wanglou.readings", 1))
    other.apply(0, encode(shop.plan(city())))
    assert other.apply(1, encode(source)) == []


def test_a_storm_of_changes_is_cut(shop: Shop) -> None:
    """However many series change in one block, no record comes near the megabyte that Kafka takes, and none is lost."""
    sites = [f"x{n}" for n in range(4000)]
    level = Indicator("level", "river", Text(""), "m", tuple(sites), every=1.0)
    stage = Detector("stage", "river", "level", Use("threshold"), (Limit(4, 30.0),))
    many = City((Pack("river", Text(""), (level,), (stage,)),), {s: Site(s, Text(s)) for s in sites})
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(many)))
    outs = work.apply(1, encode(Block.of([(f"level@{s}", SECOND, 99.0) for s in sites])))
    assert len([c for c in changes(outs) if c.kind == "level"]) == 4000
    assert max(len(out.value) for out in outs) < 300_000


VALUES = st.sampled_from([20.0, 26.0, 28.0, 35.0, 50.0, 99.0])
STEP = st.one_of(st.tuples(st.just("block"), st.dictionaries(st.sampled_from(SITES), VALUES, min_size=1)),
                 st.tuples(st.just("tick"), st.integers(1, 9)), st.tuples(st.just("plan"), st.sampled_from([30.0, 33.0])))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, min_size=3, max_size=14), st.sets(st.integers(0, 13)), st.sets(st.integers(0, 13)))
def test_a_snapshot_goes_on_where_it_stopped(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]],
                                              saves: set[int], fails: set[int]) -> None:
    """Saved and loaded at any step both stages say the same as ones that never stopped, ids too; a failed save loses nothing."""
    shop = Shop(f"sqlite:///{tmp_path_factory.mktemp('p')}/state.db")
    shop.plan(city(33.0))
    _, whole = shop.judge.open(Place("whole", 0))
    _, board = shop.combine.open(Place("whole-levels", 0))
    taken, parts = shop.judge.open(HERE)
    taken2, pieces = shop.combine.open(LEVELS)
    log = [encode(shop.plan(city()))]
    now = 1
    for name, how in steps:
        now += how if name == "tick" else 1
        log.append(block(now, **how) if name == "block" else encode(Tick(now * SECOND, 0)) if name == "tick"
                   else encode(shop.plan(city(how))))
    for offset, value in enumerate(log):
        a, b = whole.apply(offset, value), parts.apply(offset, value)
        assert a == b
        levels = [encode(PlanRecord(decode(value).hash))] if value[1:2] == b"p" else []     # type: ignore[union-attr]
        for one in [*levels, *(out.value for out in a if out.topic.endswith("levels"))]:
            assert board.apply(offset, one) == pieces.apply(offset, one)
        if offset in fails:
            parts.give_back(parts.take())
            pieces.give_back(pieces.take())
        if offset in saves:
            assert shop.judge.write(HERE, taken.epoch, offset, parts.take())
            assert shop.combine.write(LEVELS, taken2.epoch, offset, pieces.take())
            taken, parts = shop.judge.open(HERE)
            taken2, pieces = shop.combine.open(LEVELS)
            parts.forwarded = whole.forwarded       # only how often ticks go on; no state
    shop.engine.dispose()


def test_pages_are_found_again_under_another_partition_count(tmp_path: Path) -> None:
    """Saved with one partition and loaded with four, every level is where its site now is, and stays announced."""
    one = Shop(f"sqlite:///{tmp_path}/state.db")
    _, work = one.judge.open(HERE)
    work.apply(0, encode(one.plan(city())))
    work.apply(1, block(10, **dict.fromkeys(SITES, 35.0)))
    assert one.judge.write(HERE, 1, 1, work.take())
    with one.engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO position SELECT stage, topic, n, 0, applied, plan, now, saved FROM position, "
                                   "(SELECT 1 AS n UNION SELECT 2 UNION SELECT 3)")
    four = Shop(f"sqlite:///{tmp_path}/state.db", partitions=4)
    for p in range(4):
        _, part = four.judge.open(Place(HERE.topic, p))
        mine = [s for s in SITES if partition(s, 4) == p]
        assert [row[2] for row in part.state.levels()] == [4] * len(mine)
    one.engine.dispose()
    four.engine.dispose()


def test_metrics_of_both_stages(shop: Shop) -> None:
    """Counts by area and level, key series with limits, area levels: what a wall shows of a partition that is owned."""
    _, work = shop.judge.open(HERE)
    _, board = shop.combine.open(LEVELS)
    plan = encode(shop.plan(city()))
    work.apply(0, plan)
    board.apply(0, plan)
    for out in work.apply(1, block(10, s0=35.0, s1=26.0)):
        board.apply(1, out.value)
    work.report()
    board.report()
    text = exposed(shop)
    for line in ('wanglou_series_level{area="basin:r",level="red",pack="river"} 1.0',
                 'wanglou_series{area="basin:r",fresh="never",pack="river"} 6.0',
                 'wanglou_key_value{series="level@s0"} 35.0', 'wanglou_key_limit{level="red",series="level@s0"} 30.0',
                 'wanglou_area_level{area="basin:r",pack="river"} 4.0', 'wanglou_judge_seconds_count 1.0'):
        assert line in text, text
    shop.metrics.leave(HERE)
    assert "wanglou_key_value{" not in exposed(shop)


def test_kept_derived_series_are_in_judged(shop: Shop) -> None:
    """A derived series whose pack keeps it is told to `judged`, good or not; one that is not kept is left out."""
    rain = Indicator("rain", "river", Text(""), "mm", ("s0",), every=60.0)
    hour = Derive(Use("sum", {"over": 3600.0}), ("rain",), coverage=0.0)
    sums = [Indicator(f"rain_{n}", "river", Text(""), "mm", ("s0",), every=60.0, keep=keep, derive=hour)
            for n, keep in (("a", {"raw": 1e6}), ("b", {}))]
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(City((Pack("river", Text(""), (rain, *sums)),), {"s0": Site("s0", Text(""))}))))
    told = said(work.apply(1, encode(Block.of([("rain@s0", 60 * SECOND, 2.0), ("rain@s0", 120 * SECOND, 3.0)]))))
    (kept,) = [r for r in told if isinstance(r, Block)]
    assert set(kept.series) == {"rain_a@s0"} and np.isfinite(kept.x).all()


def test_how_late_readings_come_and_how_long_they_take(shop: Shop) -> None:
    """Event time to arrival of each reading by its own clock; from the feed on by wall clocks, where `sent` says one."""
    _, work = shop.judge.open(HERE)
    work.apply(0, encode(shop.plan(city())))
    arrived = np.full(2, 100 * SECOND)
    late = Block(("level@s0", "level@s1"), np.arange(2, dtype=np.int32), np.array([40, 99]) * SECOND, np.array([20.0, 20.0]),
                 np.zeros(2, np.uint8), arrived, ("",), np.zeros(2, np.uint8), 0)
    work.apply(1, encode(late))
    found = exposed(shop)
    assert 'wanglou_arrival_seconds_bucket{le="1.0",pack="river"} 1.0' in found
    assert 'wanglou_arrival_seconds_sum{pack="river"} 61.0' in found and "wanglou_judged_seconds_count" not in found
    work.apply(2, block(101, s0=20.0))
    assert "wanglou_judged_seconds_count 1.0" in exposed(shop)
    assert 'wanglou_arrival_seconds_count{pack="river"} 3.0' in exposed(shop)


def test_combine_writes_what_was_told_of(shop: Shop) -> None:
    """One page for all and those of the series that were told of since; a page of all, as it once was, is read as well."""
    _, judged = shop.judge.open(HERE)
    taken, work = shop.combine.open(LEVELS)
    plan = encode(shop.plan(city()))
    judged.apply(0, plan)
    work.apply(0, plan)

    def tell(t: int, **values: float) -> None:
        for out in judged.apply(t, block(t, **values)):
            work.apply(t, out.value)

    tell(1, **dict.fromkeys(SITES, 35.0))
    every = work.take().pages
    assert len(every) > 5 and sum(page.count(b"river/stage") for page in every.values()) >= len(SITES)
    assert list(work.take().pages) == [0]
    tell(2, s3=20.0)
    page = work.take()
    told = {n: one for n, one in (page.pages | page.added).items() if n}
    assert 0 < len(told) <= 2 and all(b"level@s3" in one for one in told.values())
    work.give_back(page)
    assert work.take().pages.keys() == page.pages.keys() | page.added.keys()
    whole = msgspec.msgpack.encode(work.board.dump())
    assert shop.combine.write(LEVELS, taken.epoch, 2, Page({0: whole}, work.plan, 2))
    _, again = shop.combine.open(LEVELS)
    assert again.board.histories.keys() == work.board.histories.keys() and list(again.board.areas()) == list(work.board.areas())
    assert again.take().pages.keys() == every.keys()


def test_combine_goes_on_from_parts(shop: Shop) -> None:
    """Saved a few series at a time, pages and what lies beside them give back a board that says what one never stopped says."""
    many = tuple(f"s{n}" for n in range(900))
    of = city()
    level = replace(of.packs[0].indicators[0], sites=many)
    of = City((replace(of.packs[0], indicators=(level,)),), {s: Site(s, Text(s), areas={"basin": "r"}) for s in many}, of.areas)
    taken, work = shop.combine.open(LEVELS)
    _, whole = shop.combine.open(Place("whole", 0))
    plan, chance, parts = encode(shop.plan(of)), Random(5), 0
    work.apply(0, plan)
    whole.apply(0, plan)
    for offset in range(1, 60):
        told = Changes(tuple(
            Change(time=offset, arrived=offset, pack="river", site=site, indicator="level", detector="river/stage", seq=offset,
                   id=f"{site}-{offset}", alert=site, to=offset % 5, value=1.0, score=1.0, limit=1.0, since=offset)
            for site in chance.sample(many, 900 if offset == 1 else chance.choice((1, 30)))))
        assert work.apply(offset, encode(told)) == whole.apply(offset, encode(told))
        page = work.take()
        parts += len(page.added)
        assert shop.combine.write(LEVELS, taken.epoch, offset, page)
        if chance.random() < 0.3:
            taken, work = shop.combine.open(LEVELS)
    assert parts > 30 and list(work.board.areas()) == list(whole.board.areas())
    assert {key: h.dump() for key, h in work.board.histories.items()} == {key: h.dump() for key, h in whole.board.histories.items()}
