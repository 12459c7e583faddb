"""Rate limits of one desk, in memory: requests, sign-ins, wrong passwords. Seconds of a monotonic clock, an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

MOST = 20_000
"""Keys that are remembered; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` at once, then one in every `every` seconds."""

    burst: int
    every: float


READ, WRITE = Rate(200, 0.1), Rate(60, 0.5)
"""Of one session, or of one address that did not sign in."""
CALL_BACK = Rate(600, 0.02)
"""Answer links of one address: many phones may stand behind one exit of a mobile network."""
SIGN_IN = Rate(10, 6.0)
"""Sign-ins from one address."""
WRONG = Rate(6, 10.0)
"""Wrong passwords of one account: beyond it each sign-in to it is answered later, by SLOWEST seconds at most, never refused."""
SLOWEST = 5.0


@dataclass
class Limits:
    """A generic cell rate algorithm (ITU-T I.371): one number a key, the time at which it will be whole again."""

    _full: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, kind: str, key: str, rate: Rate, now: float) -> float:
        """One more; the seconds to wait where that is too many (and then it does not count)."""
        with self._lock:
            whole = max(self._full.get((kind, key), now), now)
            wait = self._wait(whole, rate, now)
            if wait <= 0:
                self._full[kind, key] = whole + rate.every
                self._full.move_to_end((kind, key))
                if len(self._full) > MOST:
                    self._full.popitem(last=False)
            return max(wait, 0.0)

    def wait(self, kind: str, key: str, rate: Rate, now: float) -> float:
        """The seconds to wait, nothing taken."""
        with self._lock:
            return max(0.0, self._wait(max(self._full.get((kind, key), now), now), rate, now))

    @staticmethod
    def _wait(whole: float, rate: Rate, now: float) -> float:
        return round(whole + rate.every - now - rate.burst * rate.every, 6)
