"""Silencing the sound of a page: at most ten minutes, ended by any new red. Pure; times are µs UTC."""
from __future__ import annotations

LONGEST = 600
"""Seconds."""


def until(now: int, seconds: float) -> int:
    """When a mute that begins now ends."""
    return now + round(max(0.0, min(seconds, LONGEST)) * 1_000_000)


def silent(ends: int, begun: int, newest_red: int, now: int) -> bool:
    """Whether sound is off: before its end, and no red was opened or raised since it began."""
    return now < ends and newest_red <= begun
