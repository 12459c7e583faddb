"""Who would be called, when, over what, for a warning that begins at a given moment: `routes explain` and tests of packs ask."""
from __future__ import annotations

from dataclasses import dataclass

from detectors.event import Change
from detectors.pack import City, Ladder
from streams.desk.calling import ladder as ladders
from streams.desk.calling import routes
from streams.desk.messages import wording
from streams.desk.names import Names
from streams.desk.tables import Alert


@dataclass(frozen=True)
class Called:
    """The row of routes.yaml that counts (from 1; 0 = none) and the ladder with the due times of its steps."""

    row: int
    ladder: Ladder | None
    steps: tuple[ladders.Step, ...] = ()


def called(city: City, pack: str, level: int, site: str = "", area: str = "", at: int = 0, as_of: bool = False) -> Called:
    """What the desk would do at `at` (µs UTC), if nobody answered."""
    row = routes.row_of(city, pack, level, site, area, as_of, at)
    found = routes.ladder_of(city, pack, level, site, area, as_of, at)
    return Called(row + 1, found, ladders.begin(found, at) if found else ())


def text_of(change: Change, city: City, step: ladders.Step | None) -> str:
    """The text of the first call for an event of a detector or rule; where nobody is called, what would have been said."""
    alert = Alert(pack=change.pack, indicator=change.indicator, detector=change.detector, rule=change.rule, site=change.site,
                  area=change.area, scope=change.scope, level=change.to, shown=change.to, value=change.value, bound=change.limit,
                  confidence=change.confidence, arrived=change.arrived, time=change.time, as_of=None,
                  direction=change.direction, opened=change.time, raised=change.time, onset=change.time)
    until = step.due_at + round(step.within * ladders.MICRO) if step else change.time
    return wording.call(alert, Names(city), until, step.post if step else "", step.channels[0] if step else "")
