"""叫应: the next step of a ladder and when it is due. Pure; a ladder under way is a tuple of rungs.

One rung calls at a time. It must give its receipt before `until`; then it is expired and the next one is called.
Times are µs UTC of the wall clock, which is an argument.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from detectors.pack import Ladder

MICRO = 1_000_000
RECEIPTS = ("failed", "sent", "received", "read", "answered")
"""From least to most: a rung is satisfied by its receipt or a better one."""


class Rung(StrEnum):
    """What became of a step."""

    WAITING = "waiting"        # due_at says when it is called
    CALLED = "called"          # told; must answer before `until`
    EXPIRED = "expired"        # did not answer in time
    PASSED = "passed"          # said: not me
    ANSWERED = "answered"
    SUSPENDED = "suspended"    # a covering alert speaks for it
    STOPPED = "stopped"        # no longer needed


LIVE = (Rung.WAITING, Rung.CALLED, Rung.SUSPENDED)
"""States of a rung that may still call somebody."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: `n` of `of`, who is told over what, and when."""

    n: int
    of: int
    post: str
    channels: tuple[str, ...]
    within: float
    receipt: str = "answered"
    state: Rung = Rung.WAITING
    due_at: int = 0
    until: int = 0
    calls: int = 0             # how often it was called: again after a suspension


def begin(ladder: Ladder, now: int) -> tuple[Step, ...]:
    """All rungs of a ladder (`repeat` times), the first due at once."""
    rungs = ladder.steps * max(ladder.repeat, 1)
    steps = tuple(Step(n, len(rungs), r.post, r.channels, r.within, r.receipt) for n, r in enumerate(rungs, 1))
    return _plan(steps, now)


def walk(steps: tuple[Step, ...], now: int) -> tuple[Step, ...]:
    """What is true at `now`: expired rungs, and the next one called. Late or not, a called rung has its full time."""
    steps = tuple(replace(s, state=Rung.EXPIRED) if s.state is Rung.CALLED and s.until <= now else s for s in steps)
    if current(steps) is None:
        ready = next((s for s in steps if s.state is Rung.WAITING), None)
        if ready is not None and ready.due_at <= now:
            called = replace(ready, state=Rung.CALLED, until=now + round(ready.within * MICRO), calls=ready.calls + 1)
            steps = _plan(_put(steps, called), called.until)
    return steps


def current(steps: tuple[Step, ...]) -> Step | None:
    """The rung that is called now."""
    return next((s for s in steps if s.state is Rung.CALLED), None)


def following(steps: tuple[Step, ...]) -> Step | None:
    """The rung that comes next."""
    return next((s for s in steps if s.state is Rung.WAITING), None)


def exhausted(steps: tuple[Step, ...]) -> bool:
    """All rungs were called and nobody answered."""
    return bool(steps) and all(s.state in (Rung.EXPIRED, Rung.PASSED) for s in steps)


def handed_on(steps: tuple[Step, ...], now: int) -> tuple[Step, ...]:
    """The called rung said "not me": the next one is due at once."""
    on = tuple(replace(s, state=Rung.PASSED) if s.state is Rung.CALLED else s for s in steps)
    return _plan(on, now)


def ended(steps: tuple[Step, ...], answered: bool) -> tuple[Step, ...]:
    """No further call: the called rung is answered (or stopped), the others are stopped."""
    return tuple(replace(s, state=Rung.ANSWERED if answered and s.state is Rung.CALLED else Rung.STOPPED)
                 if s.state in LIVE else s for s in steps)


def suspended(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A covering alert speaks for these: nothing is due until `resumed`."""
    return tuple(replace(s, state=Rung.SUSPENDED) if s.state in (Rung.WAITING, Rung.CALLED) else s for s in steps)


def resumed(steps: tuple[Step, ...], now: int) -> tuple[Step, ...]:
    """Goes on at the rung where it was suspended, with fresh time."""
    return _plan(tuple(replace(s, state=Rung.WAITING) if s.state is Rung.SUSPENDED else s for s in steps), now)


def satisfied(step: Step, receipt: str) -> bool:
    """Whether a receipt is the one that the rung demands, or better."""
    return RECEIPTS.index(receipt) >= RECEIPTS.index(step.receipt)


def _plan(steps: tuple[Step, ...], start: int) -> tuple[Step, ...]:
    """Due times of the waiting rungs, one after the other from `start`."""
    out = []
    for step in steps:
        waits = step.state is Rung.WAITING
        out.append(replace(step, due_at=start) if waits else step)
        start += round(step.within * MICRO) if waits else 0
    return tuple(out)


def _put(steps: tuple[Step, ...], new: Step) -> tuple[Step, ...]:
    return tuple(new if s.n == new.n else s for s in steps)
