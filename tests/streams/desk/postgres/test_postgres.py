"""The same desk on a real PostgreSQL: tables, races, one leader."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from streams import clock
from streams.desk.alert import Refused
from streams.desk.engine import Leader
from streams.desk.folding.consume import position
from streams.desk.store import Store, broken
from streams.desk.tables import Base
from streams.sql import engine


def test_two_desks_that_start_at_once_make_one_set_of_tables(desk: Any, url: str) -> None:
    """Migrations run one after the other; models and tables agree here too."""
    with ThreadPoolExecutor(3) as pool:
        for store in list(pool.map(lambda _: Store(url), range(3))):
            store.close()
    with desk.store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_whole_story_with_a_race(desk: Any, change: Callable[..., Any], rule: Callable[..., Any]) -> None:
    """Fold, cover, call, deliver, answer at once from many: one wins, the chain is whole, the offset moved with the rows."""
    desk.put(low := change("rain", "houzhai", 2), red := change("river_level", "lanxi", 4))
    desk.put(rule(3))
    desk.put(red)
    desk.pass_time(301)
    assert desk.alert(low.alert).covered_by == rule().alert and desk.deliver() >= 2

    def answer(post: str) -> bool:
        try:
            desk.do(red.alert, "answer_for", post, "电话联系上了值班员")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(answer, ["duty", "leader", "wucheng"] * 4)) == 1
    with desk.store.read() as s:
        assert broken(s) == 0
    assert position(desk.store, "events") == 3


def test_one_desk_leads_and_the_other_takes_over(desk: Any, url: str) -> None:
    """The lock is held by one connection; when that is gone the other desk has it."""
    one, two = Leader(desk.store.engine), Leader(other := engine(url))
    assert one.hold() and not two.hold() and one.hold()
    one.release()
    end = clock.monotonic() + 10
    while not two.hold():       # the server has to see that the other is gone
        assert clock.monotonic() < end
        sleep(0.05)
    assert not one.hold()
    two.release()
    one.release()
    other.dispose()


def test_a_storm_is_folded_by_two_desks_at_once(desk: Any, change: Callable[..., Any]) -> None:
    """Each call is in exactly one message, whoever of the two gathers it; all rows end as sent."""
    from dataclasses import replace

    from sqlalchemy import select

    from streams.desk.channels import Outcome, Result
    from streams.desk.tables import Delivery

    class Phone:
        took: list[Any] = []  # noqa: RUF012 - one for both desks

        def send(self, message: Any, address: str) -> Outcome:
            self.took.append(message)
            return Outcome(Result.SENT)

    desk.put(*(replace(change("river_level", "lanxi", 2, detector=f"basin/d{n}"), group=f"basin/g{n}") for n in range(40)))
    phone = Phone()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: desk.deliver(log=phone), range(2)))
    for _ in range(3):
        desk.now += 31_000_000
        desk.deliver(log=phone)

    with desk.store.read() as s:
        rows = s.scalars(select(Delivery)).all()
        assert len(rows) == 40 and {d.state for d in rows} == {"sent"} and broken(s) == 0
    told = [m.key for m in phone.took]
    assert len(told) == len(set(told)) <= 3 and set(told) == {d.folded or d.key for d in rows}
