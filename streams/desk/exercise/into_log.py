"""Changes into the log `levels`, as a judge writes them."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.event import Change
from streams import clock
from streams.codec import Changes
from streams.settings import Settings
from streams.shards import partition
from streams.topics import send_all


class Levels:
    """Writes into `levels` of one installation; Unavailable when the broker does not take it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __call__(self, changes: Sequence[Change]) -> None:
        """One record a partition of the readings, as if their judges had said it."""
        by: dict[int, list[Change]] = {}
        for change in changes:
            by.setdefault(partition(change.site, self.settings.partitions), []).append(change)
        now = clock.now()
        send_all(self.settings, [("levels", 0, Changes(tuple(found), p, -1, now)) for p, found in sorted(by.items())])
