"""One desk as its pages see it: the store, the words, the readings, who leads."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from streams import clock
from streams.desk.alert import Actor
from streams.desk.catalogue.versions import Versions
from streams.desk.folding.fold import Moment
from streams.desk.folding.heard import Voices
from streams.desk.names import Names
from streams.desk.pages import ask
from streams.desk.pages.view import View
from streams.desk.people.current import CURRENT
from streams.desk.people.rules import Rules
from streams.desk.series import Readings
from streams.desk.store import Store
from streams.metrics import Metrics

PULSE = 0.25
"""Seconds between two looks at the end of the audit: so at most four updates a second reach a page."""


@dataclass
class Site:
    """What every request needs. `played` = "×120" in a played scenario; `ready` = why not ready, or ""."""

    store: Store
    names: Callable[[], Names]
    readings: Readings
    metrics: Metrics = field(default_factory=Metrics)
    played: str = ""
    now: Callable[[], int] = clock.now
    leading: Callable[[], bool] = lambda: True
    live: Callable[[], bool] = lambda: True
    ready: Callable[[], str] = lambda: ""
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]", "testserver")
    rules: Rules = field(default_factory=Rules)
    versions: Versions = field(default_factory=Versions)
    voices: Voices = field(default_factory=Voices)
    closing: bool = False
    clients: int = 0
    _head: tuple[float, int] = (float("-inf"), 0)

    @property
    def moment(self) -> Moment:
        """Wall clock and words, for a deed."""
        return Moment(self.now(), self.names(), bool(self.played))

    def view(self, s: Session, actor: Actor, lang: str) -> View:
        """How one reader sees it now."""
        now = self.now()
        clock_ = (ask.arrived(s) or now) if self.played else now
        names = self.names()
        return View(lang, actor, now, clock_, names, self.readings, self.played, CURRENT.get().account, self.voices(s, names))

    def head(self) -> int:
        """The newest audit number, asked for at most every quarter of a second for all pages together."""
        if clock.monotonic() - self._head[0] >= PULSE:
            self._head = (clock.monotonic(), self.store.head())
        return self._head[1]
