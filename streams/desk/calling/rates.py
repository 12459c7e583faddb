"""How fast a channel may be used: a bucket of tokens for each channel and address. Time is an argument; nothing is stored.

A token that was spent comes back exactly `per` seconds later, so in no stretch of `per` seconds more than `most` are spent:
a bucket that refills steadily would allow nearly twice the vendor's limit in its first minute.
"""
from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

MICRO = 1_000_000
SPARE = 5
"""One token in so many is left for red, where there are that many."""


class Bucket:
    """Limits `(most, seconds)` of one address. Times are µs UTC and do not go back."""

    def __init__(self, limits: tuple[tuple[int, float], ...], spent: Iterable[int] = ()) -> None:
        self.limits = tuple((most, round(per * MICRO)) for most, per in limits)
        self.spent = deque(sorted(spent), maxlen=max((most for most, _ in limits), default=1))
        self.shut = 0

    def take(self, now: int, urgent: bool = False) -> int:
        """Spend a token: `now`. None left: the time at which there will be one, and nothing is spent."""
        free = max([self.shut, now, *(self._free(most if urgent else most - most // SPARE, per) for most, per in self.limits)])
        if free <= now:
            self.spent.append(now)
        return free

    def shut_until(self, then: int) -> None:
        """The other side said "later": nobody asks before."""
        self.shut = max(self.shut, then)

    def _free(self, most: int, per: int) -> int:
        """When fewer than `most` were spent within `per`."""
        return self.spent[-most] + per if len(self.spent) >= most else 0


class Rates:
    """All buckets. `since(channel, address, per)` gives the times spent before this process began to count."""

    def __init__(self, since: Callable[[str, str, float], Iterable[int]] = lambda *_: ()) -> None:
        self.since = since
        self.buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, channel: str, address: str, limits: tuple[tuple[int, float], ...]) -> Bucket:
        """The bucket of an address; made anew, with what it had spent, when the limits are others."""
        bucket = self.buckets.get((channel, address))
        wanted = Bucket(limits).limits
        if bucket is None or bucket.limits != wanted:
            spent = bucket.spent if bucket else self.since(channel, address, max((per for _, per in limits), default=0.0))
            made = Bucket(limits, spent)
            made.shut_until(bucket.shut if bucket else 0)
            bucket = self.buckets[channel, address] = made
        return bucket
