"""What must happen while the storm is played, told from what the log, the desk and the metrics say. Pure."""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detectors.event import Change
from detectors.level import Level

SITE = "lanxi"


@dataclass(frozen=True)
class Called:
    """One rung of a ladder as the desk has it."""

    alert: str
    run: int
    n: int
    post: str
    state: str                  # waiting, called, expired, answered …


@dataclass(frozen=True)
class Card:
    """One 预警单 as the desk has it."""

    id: str
    site: str
    indicator: str
    level: int
    open: bool
    silent: bool
    answered_by: str


@dataclass(frozen=True)
class Seen:
    """Everything seen so far."""

    rain: Sequence[float] = ()
    events: Sequence[Change] = ()
    cards: Sequence[Card] = ()
    steps: Sequence[Called] = ()
    open_by_metrics: dict[str, int] | None = None

    def told(self) -> dict[str, bool]:
        """Which parts of the story have happened."""
        stage = [c.to for c in self._levels("basin/stage", SITE) if not c.withdrawn]
        first = next((c.time for c in self._levels("basin/stage", SITE) if c.to >= Level.YELLOW), None)
        forecast = next((c.time for c in self.events if c.kind == "level" and c.site == SITE and c.forecast and c.to), None)
        silent = {c.site for c in self.events if c.kind == "fresh" and c.fresh == "stale"}
        red = [c for c in self.cards if c.level == Level.RED]
        return {
            "rain_rises": len(self.rain) > 1 and max(self.rain) > self.rain[0],
            "forecast_before_the_stage": forecast is not None and (first is None or forecast < first),
            "yellow_orange_red": _in_order([Level.YELLOW, Level.ORANGE, Level.RED], stage),
            "silent_gauge_stays_red": any(c.silent and c.open and c.site in silent for c in red),
            "first_post_does_not_answer": any(self._second(s) for s in self.steps),
            "someone_answers": any(c.answered_by for c in red),
            "metrics_agree": self.open_by_metrics is not None and self.open_by_metrics == self.open_by_desk(),
        }

    def open_by_desk(self) -> dict[str, int]:
        """Open alerts by level word, levels above normal."""
        words = [Level(c.level).word for c in self.cards if c.open and c.level]
        return {word: words.count(word) for word in words}

    def _second(self, step: Called) -> bool:
        """The second post of a run was called because the first let its time pass."""
        return step.n == 2 and step.state != "waiting" and any(
            s.alert == step.alert and s.run == step.run and s.n == 1 and s.state == "expired" for s in self.steps)

    def _levels(self, detector: str, site: str) -> list[Change]:
        return [c for c in self.events if c.kind == "level" and c.detector == detector and c.site == site]


def _in_order(wanted: Iterable[int], got: Iterable[int]) -> bool:
    rest = iter(got)
    return all(any(g == w for g in rest) for w in wanted)
