"""Whether a condition holds at one moment, and what it sees of its members then: the words of detectors/rules/.

Three-valued after Kleene 1952 (Introduction to Metamathematics, §64): a member that cannot be heard and is not up may be
either, so what depends on it is None, unknown.
"""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple


class Held(NamedTuple):
    """A condition at one moment. Times in µs; `chain` is how far a sequence has come."""

    truth: bool | None = False
    since: int = 0                      # since when it holds
    start: int = 0                      # the first rise that counts
    value: float = 0.0                  # how many, which share, which score
    firm: float = 0.0                   # the same without doubtful members
    good: bool = True                   # it would hold without doubtful members
    level: int = 0                      # the worst level among those that hold
    due: int | None = None              # when what is upstream is expected here
    chain: tuple[int | None, ...] = ()


@dataclass(slots=True)
class Seen:
    """What a condition looks at: members of one place, or other conditions (`parts`)."""

    up: Mapping[str, tuple[int, bool]]  # those that hold: since when (µs), and whether on a doubtful reading
    total: int
    silent: int = 0                     # neither up nor fresh
    unknown: str = "worst"              # what is done about these: worst, ignore, quorum
    quorum: float = 0.0
    tops: list[int] = field(default_factory=lambda: [0] * 5)        # how many have this as their worst level
    firm: list[int] = field(default_factory=lambda: [0] * 5)        # the same without doubtful readings
    travel: Mapping[str, int] = field(default_factory=dict)         # upstream: how far away (µs)
    domain: Callable[[str], Iterable[str]] = lambda name: (name,)   # the packs in which a member is up
    parts: tuple[Held, ...] = ()
    weights: tuple[float, ...] = ()

    def unsure(self, could: bool) -> bool:
        """Whether what does not hold may not be called so; `could`: it would hold if all silent ones did.

        >>> Seen({}, 6, 2, "quorum", 0.7).unsure(False), Seen({}, 6, 2, "worst").unsure(False)
        (True, False)
        """
        if self.unknown == "quorum":
            return self.total - self.silent < self.quorum * self.total
        return self.unknown == "worst" and self.silent > 0 and could

    @property
    def level(self) -> int:
        """The worst level of all."""
        return worst(self.tops)

    @property
    def due(self) -> int | None:
        """When the first of those upstream is expected here, or what a part expects."""
        soon = [rise + self.travel[name] for name, (rise, _) in self.up.items() if name in self.travel]
        return min([*soon, *(p.due for p in self.parts if p.truth and p.due is not None)], default=None)


def worst(tops: list[int]) -> int:
    """The highest level that any has; `tops` counts by level.

    >>> worst([9, 0, 2, 1, 0])
    3
    """
    return max((level for level, count in enumerate(tops) if count and level), default=0)


class Together:
    """So many must hold together. `need`: to begin, having come within a time of each other; `stay`: to go on."""

    follows: ClassVar[bool] = True      # a change of its members is an event of its own
    shows: ClassVar[bool] = True        # its members are evidence
    over: ClassVar[tuple[str, ...]] = ("members",)      # what it may stand over: members, parts (conditions)
    timed: ClassVar[bool] = True        # whether `within` means something to it

    @abstractmethod
    def need(self, total: int) -> int:
        """How many of so many."""

    def stay(self, total: int) -> int:
        """How many are enough to go on."""
        return self.need(total)

    def rises(self, seen: Seen) -> Mapping[str, tuple[int, bool]]:
        """What is counted."""
        return seen.up

    def bound(self, total: int) -> float:
        """The number that an event gives as its limit."""
        return float(self.need(total))

    def step(self, was: Held, seen: Seen, time: int, within: float) -> Held:
        """The condition at `time`, after `was`; `within` in µs."""
        rises, total = self.rises(seen), seen.total
        if was.truth:
            start, since, enough = was.start, was.since, self.stay(total)
        else:
            began, enough = begins((rise for rise, _ in rises.values()), within, self.need(total)), self.need(total)
            if began is None:
                could = len(rises) + seen.silent >= enough
                return was._replace(truth=None if seen.unsure(could) else False, value=float(len(rises)), level=0, due=None)
            start, since = began, time
        counted = [doubt for rise, doubt in rises.values() if rise >= start]
        value, firm = len(counted), counted.count(False)
        if value < enough:
            could = len(rises) + seen.silent >= self.need(total)
            return Held(None if seen.unsure(could) else False, since, start, float(value))
        return Held(True, since, start, float(value), float(firm), firm >= self.stay(total), seen.level or 1, seen.due)


def begins(rises: Iterable[int], within: float, need: int) -> int | None:
    """The first of the rises (µs, of members that are up) which the newest of them completes, or None.

    >>> begins([0, 50, 90], 60, 2), begins([0, 90], 60, 2)
    (50, None)
    """
    times = sorted(rises)
    if len(times) < need or not times:
        return None
    together = [t for t in times if times[-1] - t <= within]
    return together[0] if len(together) >= need else None


class Measured:
    """A number of its members that has levels of its own."""

    follows: ClassVar[bool] = False
    shows: ClassVar[bool] = True
    over: ClassVar[tuple[str, ...]] = ("members",)
    timed: ClassVar[bool] = False
    n: float

    @abstractmethod
    def measure(self, seen: Seen, sure: bool) -> float:
        """The number; `sure`: without those that are up on a doubtful reading."""

    @abstractmethod
    def most(self, seen: Seen) -> float:
        """The number if all silent ones were up."""

    def bound(self, total: int) -> float:
        """The number that an event gives as its limit."""
        return self.n

    def step(self, was: Held, seen: Seen, time: int, within: float) -> Held:
        """The condition at `time`, after `was`."""
        value = self.measure(seen, False)
        if value < self.n or not value:
            truth = None if seen.unsure(self.most(seen) >= self.n) else False
            return Held(truth, was.since, was.start, value)
        since = was.since if was.truth else time
        firm = self.measure(seen, True)
        return Held(True, since, min(since, was.start) if was.truth else FIRST, value, firm, firm >= self.n, seen.level or 1,
                    seen.due)


FIRST = -(1 << 62)
"""Before all times: every member that is up counts."""
