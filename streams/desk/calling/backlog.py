"""News that is late: what was worked off after an outage is judged as a whole before anybody is called for it (design 9.22).

A judge that waited for its database reads on from where it stood and says within a second what came and went meanwhile. The desk
cannot know that an event is the last word until the late ones end. So an alert whose evidence is late waits for its ladder: until
nothing late came for QUIET, or until it has waited MOST. What is fresh is called at once; in a played history nothing is late.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select

from detectors.event import Change
from streams import clock
from streams.desk.calling import calls
from streams.desk.folding.fold import Moment
from streams.desk.store import Store
from streams.desk.tables import Alert

LATE = 3.0
"""Seconds between the arrival of a reading and its event in the desk, from which on it is late; usual are 0.1 s."""
QUIET = 3.0
"""Seconds: longer than a judge needs to go back in its log (1.2 s) and read on."""
MOST = 10.0


def late(changes: Iterable[Change], m: Moment) -> bool:
    """Whether this record tells of what came in a while ago."""
    return not m.played and max((c.arrived for c in changes), default=m.now) < m.now - LATE * 1e6


class Backlog:
    """Which alerts wait, and since when nothing late has come."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.last: float | None = None              # when the newest late record came; None = nobody waits

    def came(self) -> None:
        """Something late was read, or the log up to its end."""
        self.last = clock.monotonic()

    def settle(self, m: Moment) -> int:
        """Ladders for those who have waited long enough; how many."""
        if self.last is None:
            return 0
        with self.store.begin() as s:
            if m.played or clock.monotonic() - self.last >= QUIET:
                self.last = None
                return calls.settle_all(s, m)
            due = or_(Alert.arrived >= m.now - round(LATE * 1e6), Alert.raised <= m.now - round(MOST * 1e6))
            rows = list(s.scalars(select(Alert).where(Alert.open, Alert.owed > 0, due)
                                  .order_by(Alert.covers.desc(), Alert.level.desc())))
            for alert in rows:
                calls.settle(s, alert, m)
            return len(rows)
