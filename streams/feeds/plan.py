"""The plan as a feed sees it: the newest row of the SQL table, looked at every few seconds."""
from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from detectors.pack import City, FeedSource
from streams.errors import Unavailable, UsageError
from streams.feeds.rules import Rules, meant

log = logging.getLogger(__name__)
Newest = Callable[[], tuple[str, City] | None]


class PlanWatch:
    """`rules(source)` of the plan in force. `newest` asks the database (in a thread); without it the last plan stays."""

    def __init__(self, newest: Newest, feed: str = "", every: float = 3.0) -> None:
        self.newest, self.feed, self.every = newest, feed, every
        self.hash = ""
        self.lost = False                           # the database did not answer when last asked
        self.city: City | None = None
        self._rules: dict[str, Rules] = {}
        self.listeners: list[Callable[[City], object]] = []     # told of every other plan

    async def look(self) -> bool:
        """Ask once; whether there is another plan than before."""
        try:
            found = await asyncio.to_thread(self.newest)
        except (SQLAlchemyError, ValueError, Unavailable) as error:     # the last plan still holds
            if not self.lost:
                log.warning("the plan cannot be read: %s", error)
            self.lost = True
            return False
        self.lost = False
        if found is None or found[0] == self.hash:
            return False
        self.hash, self.city = found
        self._rules = {}
        for tell in self.listeners:
            tell(self.city)
        log.info("plan %s", self.hash)
        return True

    async def run(self, changed: Callable[[], object] = lambda: None) -> None:
        """Look for ever."""
        while True:
            if await self.look():
                changed()
            await asyncio.sleep(self.every)

    async def wait(self, say: Callable[[str], object]) -> City:
        """The plan, once there is one; says that it waits, at once and then every 30 s."""
        tries = 0
        while self.city is None and not await self.look():
            if not self.lost and tries % max(1, round(30 / self.every)) == 0:
                say("waiting for a plan: run `wanglou topics create` or `wanglou apply`")
            tries += 1
            await asyncio.sleep(self.every)
        city: City | None = self.city
        assert city is not None
        return city

    def sources(self, transport: str) -> list[FeedSource]:
        """The sources of the plan that come by this transport."""
        return [s for s in self.city.feeds if s.transport == transport] if self.city else []

    def source(self, name: str) -> FeedSource:
        """A source by its id: of the plan, or a plain one where the plan names none of this id and transport."""
        return next((s for s in (self.city.feeds if self.city else ()) if s.id == name), FeedSource(name))

    def known(self, name: str, transport: str) -> FeedSource:
        """A source of the plan; UsageError with a suggestion if it has none of that id for this transport."""
        names = {s.id: s for s in self.sources(transport)}
        if name not in names:
            raise UsageError(f"unknown source {name!r}{meant(name, set(names))}")
        return names[name]

    def rules(self, source: FeedSource) -> Rules:
        """What rows from this source must be. Needs a plan."""
        assert self.city is not None
        if source.id not in self._rules or self._rules[source.id].source != source:
            self._rules[source.id] = Rules(self.city, source)
        return self._rules[source.id]
