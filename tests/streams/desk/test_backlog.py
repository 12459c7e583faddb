"""What comes late, after an outage, calls nobody who would be called for something that is over."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from detectors.event import Change
from streams.codec import Changes, encode
from streams.desk.calling import backlog
from streams.desk.folding import consume
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.store import Store
from streams.desk.tables import Delivery

SECOND, NOW = 1_000_000, 1_900_000_000_000_000
Make = Callable[..., Change]


class Late:
    """A consumer that has read the log up to its end, on clocks that the test moves."""

    def __init__(self, folder: Path, city: Any, patch: pytest.MonkeyPatch, played: bool = False) -> None:
        self.store, self.names, self.played = Store(f"sqlite:///{folder}/desk.db"), Names(city), played
        self.now, self.offset = NOW, 0
        self.consumer = consume.Consumer(self.store, "127.0.0.1:1", "events", self.moment)
        self.consumer.live = True
        patch.setattr(backlog.clock, "monotonic", lambda: self.now / 1e6)

    def moment(self) -> Moment:
        return Moment(self.now, self.names, self.played)

    def take(self, *changes: Change, age: float = 0.0) -> None:
        """A record of changes whose readings arrived `age` seconds ago."""
        told = tuple(replace(c, time=self.now - round(age * 1e6), arrived=self.now - round(age * 1e6)) for c in changes)
        self.consumer._take_all([(self.offset, encode(Changes(told)))])
        self.offset += 1

    def after(self, seconds: float) -> set[str]:
        """Time passes; the alerts that have been called for by then."""
        self.now += round(seconds * 1e6)
        self.consumer.backlog.settle(self.moment())
        with self.store.read() as s:
            return set(s.scalars(select(Delivery.alert).where(Delivery.state != "dropped")))


@pytest.fixture
def desk(tmp_path: Path, city: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One, live."""
    made = Late(tmp_path, city, monkeypatch)
    yield made
    made.store.close()


def test_what_came_and_went_during_an_outage_calls_nobody(desk: Any, change: Make) -> None:
    """A judge works off a quarter of an hour: one gauge is over, one still stands; only the second is called for, soon after."""
    over, stands = change("river_level", "sanhe", 4), change("river_level", "lanxi", 4)
    desk.take(over, stands, age=900)
    desk.after(0.5)
    desk.take(change("river_level", "sanhe", 0, 4, 1), age=400)

    assert desk.after(1) == set()
    assert desk.after(backlog.QUIET) == {stands.alert}
    assert desk.after(60) == {stands.alert}


def test_what_is_fresh_is_called_at_once(desk: Any, change: Make) -> None:
    """In the middle of late news, without waiting for their end."""
    desk.take(change("river_level", "sanhe", 4), age=900)
    desk.take(fresh := change("river_level", "lanxi", 4))

    assert desk.after(0) == {fresh.alert}


def test_a_stream_of_late_news_does_not_hide_a_red(desk: Any, change: Make) -> None:
    """However long it goes on, an alert waits ten seconds at most."""
    desk.take(red := change("river_level", "sanhe", 4), age=900)
    for _ in range(9):
        assert desk.after(1) == set()
        desk.take(change("rain", "houzhai", 0, 2, 1), age=600)
    assert desk.after(1.5) == {red.alert}


def test_after_a_start_what_is_open_waits_for_late_news(desk: Any, change: Make) -> None:
    """Read up to the log's end: what is fresh is called at once, what is old once nothing contradicts it."""
    desk.consumer.live = False
    desk.take(over := change("river_level", "sanhe", 4), old := change("reservoir", "hengjin", 3), age=900)
    desk.take(fresh := change("river_level", "lanxi", 4))
    desk.consumer._caught_up(True)

    assert desk.after(0) == {fresh.alert}
    desk.take(change("river_level", "sanhe", 0, 4, 1), age=400)
    assert desk.after(backlog.QUIET) == {fresh.alert, old.alert} and over.alert not in desk.after(60)


def test_nothing_is_late_in_a_played_history(tmp_path: Path, city: Any, change: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its readings arrive when the story says."""
    desk = Late(tmp_path, city, monkeypatch, played=True)
    desk.take(red := change("river_level", "sanhe", 4), age=10**9)
    assert desk.after(0) == {red.alert}
    desk.store.close()
