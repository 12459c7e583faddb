"""Lanes: each channel sends in threads of its own, so a gateway that is slow or hangs delays no other, nor does one address
all of its channel. A few places are left for red.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

WIDE = 8
"""Messages of one channel under way at once; a channel's own time limit is 8 s at most."""
EACH = 4
"""And of these to one address."""
SPARE = 2
"""More for red, to a channel and to an address."""


def room(held: Counter[str], red: bool) -> int:
    """How many more may begin on a lane.

    >>> room(Counter({"a": 3, "b": 4}), False), room(Counter(a=8), True), full(Counter({"a": 3, "b": 4}), False)
    (1, 2, ['b'])
    """
    return max(0, WIDE + SPARE * red - held.total())


def full(held: Counter[str], red: bool) -> list[str]:
    """Addresses to which no more may begin."""
    return [address for address, n in held.items() if n >= EACH + SPARE * red]


class Lane:
    """What one channel has under way. Threads are made as they are needed."""

    def __init__(self, name: str) -> None:
        self.pool = ThreadPoolExecutor(WIDE + SPARE, f"deliver-{name}")
        self.busy: Counter[str] = Counter()
        self.lock = Lock()

    def held(self) -> Counter[str]:
        """Messages under way, by address."""
        with self.lock:
            return Counter(self.busy)

    def begin(self, address: str, work: Callable[[], Any]) -> Future[Any]:
        """Do it in a thread of this lane."""
        with self.lock:
            self.busy[address] += 1
        return self.pool.submit(self._do, address, work)

    def _do(self, address: str, work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            with self.lock:
                self.busy[address] -= 1
                if not self.busy[address]:
                    del self.busy[address]


class Lanes:
    """All of them, by channel."""

    def __init__(self) -> None:
        self.lanes: dict[str, Lane] = {}

    def __getitem__(self, channel: str) -> Lane:
        if channel not in self.lanes:
            self.lanes[channel] = Lane(channel)
        return self.lanes[channel]

    def close(self) -> None:
        """Begin nothing more, wait for nothing."""
        for lane in self.lanes.values():
            lane.pool.shutdown(wait=False, cancel_futures=True)
