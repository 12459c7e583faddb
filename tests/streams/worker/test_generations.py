"""Generations of the wide topics: begun once, opened once with the plan and the clock of what each place comes from; who owned the
old places can write no more; a reader knows what it has still to read, and in which order.
"""
from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import UsageError
from streams.settings import Settings, plain
from streams.sql import engine
from streams.worker.generations import Generations, current, unfinished
from streams.worker.grow import refuse
from streams.worker.ledger import Place
from streams.worker.snapshots import Page, Snapshots


@pytest.fixture
def old(tmp_path: Path) -> Settings:
    """An installation with two partitions."""
    return Settings(data=tmp_path, partitions=2)


@pytest.fixture
def generations(old: Settings) -> Generations:
    """Its state.db."""
    return Generations(engine(old.state_url))


def test_names_follow_the_generation(old: Settings) -> None:
    """Only wide topics have one, and a name without it is the plain one."""
    new = old.of(2, 4)
    assert [s.topic(n) for s in (old, new) for n in ("readings", "levels")] == [
        "wanglou.readings", "wanglou.levels", "wanglou.readings.2", "wanglou.levels"]
    assert (new.partitions, new.generation, old.partitions, old.generation) == (4, 2, 2, 1)
    assert [plain(n) for n in ("wanglou.judged.12", "a.2", "t1.readings")] == ["wanglou.judged", "a.2", "t1.readings"]


def test_in_force_only_once_opened(old: Settings, generations: Generations) -> None:
    """A growth that was begun twice is one; until it is opened everybody stays."""
    assert current(old) == old
    assert generations.begin(old, 8) == generations.begin(old, 8)
    assert current(old).generation == 1
    assert generations.unopened() is not None
    new = old.of(2, 8)
    generations.open(old, new)
    assert (current(old).generation, current(old).partitions, generations.unopened()) == (2, 8, None)
    assert generations.begin(new, 16).number == 3
    assert [r.partitions for r in generations.all()] == [2, 8, 16]


def test_opened_from_the_snapshots(old: Settings, generations: Generations) -> None:
    """New places have plan, clock and pages of their shards; the owner of an old place is refused; a second opening changes nothing."""
    before, after = Snapshots(generations.engine, "judge", 2), Snapshots(generations.engine, "judge", 4)
    places = [Place(old.topic("readings"), p) for p in range(2)]
    epochs = [before.take(place).epoch for place in places]
    for p, place in enumerate(places):
        pages = {p: b"a%d" % p, p + 2: b"b%d" % p}
        assert before.write(place, epochs[p], 10 + p, Page(pages, f"plan{p}", 100 + p))
    new = old.of(generations.begin(old, 4).number, 4)
    generations.open(old, new)
    assert not before.write(places[0], epochs[0], 12, Page({0: b"zombie"}, "x", 1))
    taken = [after.take(Place(new.topic("readings"), q)) for q in range(4)]
    assert [(t.applied, t.plan, t.now, t.pages) for t in taken] == [
        (-1, "plan0", 100, (b"a0",)), (-1, "plan1", 101, (b"a1",)), (-1, "plan0", 100, (b"b0",)), (-1, "plan1", 101, (b"b1",))]
    assert after.write(Place(new.topic("readings"), 3), taken[3].epoch, 5, Page({3: b"c"}, "plan1", 200))
    generations.open(old, new)
    assert after.take(Place(new.topic("readings"), 3)).applied == 5


def test_older_topics_first(old: Settings, generations: Generations) -> None:
    """Who has not read an old topic to its end reads it, and what goes on from one of its partitions waits for that one."""
    new = old.of(generations.begin(old, 4).number, 4)
    generations.ended([(Place(old.topic(name), p), 9) for name in ("readings", "judged") for p in range(2)])
    generations.ended([(Place(old.topic("readings"), 0), 99)])          # said once
    generations.open(old, new)
    applied = {Place(old.topic(name), p): 9 for name in ("readings", "judged") for p in range(2)}
    assert unfinished(new, generations, applied).topics == ()
    assert unfinished(old, generations, {}).topics == ()
    applied[Place(old.topic("judged"), 1)] = 8
    found = unfinished(new, generations, applied)
    assert found.topics == (old.topic("judged"),)
    assert found.waits(Place(new.topic("judged"), 3)) == (Place(old.topic("judged"), 1), 9)
    assert found.waits(Place(old.topic("judged"), 1)) is None


@pytest.mark.parametrize(("partitions", "why"), [(1, "fewer"), (2, "fewer"), (6, "power of two"), (512, "power of two")])
def test_what_is_no_growth(old: Settings, generations: Generations, partitions: int, why: str) -> None:
    """Refused with its reason."""
    with pytest.raises(UsageError, match=why):
        refuse(old, partitions, generations)


def test_one_growth_at_a_time(old: Settings, generations: Generations) -> None:
    """While one is under way only the same may be asked for."""
    generations.begin(old, 8)
    refuse(old, 8, generations)
    with pytest.raises(UsageError, match="growth to 8"):
        refuse(old, 16, generations)
