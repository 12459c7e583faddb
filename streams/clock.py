"""The only place that looks at the clock. Everything else is given its time."""
from __future__ import annotations

import time
from datetime import UTC, datetime

MICRO = 1_000_000


def now() -> int:
    """Wall clock, int64 microseconds UTC."""
    return time.time_ns() // 1000


def iso(t: int) -> str:
    """`2026-06-19T01:05:00Z`; microseconds only where there are any. Works before 1970.

    >>> iso(0), iso(-1_500_000)
    ('1970-01-01T00:00:00Z', '1969-12-31T23:59:58.500000Z')
    """
    seconds, micro = divmod(t, MICRO)
    when = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return when.isoformat() + (f".{micro:06d}" if micro else "") + "Z"


def micros(text: str) -> int:
    """ISO 8601 with a zone -> microseconds UTC. ValueError without a zone or when it is not a time.

    >>> micros("2026-06-19T09:05:00+08:00") == micros("2026-06-19T01:05:00Z")
    True
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no zone: write 2026-06-19T09:05:00+08:00 or …Z")
    delta = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * MICRO + delta.microseconds


def monotonic() -> float:
    """Seconds that never go back, for time limits and cadences inside one process."""
    return time.monotonic()


def cpu() -> float:
    """CPU seconds that this process has used, all threads: for benchmarks on a busy machine."""
    return time.process_time()
