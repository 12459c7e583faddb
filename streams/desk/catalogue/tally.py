"""What detectors and rules did: warnings of the last thirty days by how they were closed, and the last one."""
from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.level import Scope
from streams.desk.exercise.mark import HIDDEN
from streams.desk.tables import Alert

DAYS = 30
DAY = 86_400_000_000
FEW = 5
"""Fewer judged warnings than this say little."""


@dataclass
class Tally:
    """Of one detector or rule. `last` = when its newest warning was opened (µs UTC), of any time; drills are not counted."""

    fired: int = 0
    true: int = 0
    false: int = 0
    other: int = 0
    shadow: int = 0
    last: int | None = None

    @property
    def precision(self) -> float | None:
        """True of those that were true or false; None where nobody said so of any."""
        return self.true / (self.true + self.false) if self.true + self.false else None

    @property
    def few(self) -> bool:
        """Whether that stands on little."""
        return self.true + self.false < FEW


def tallies(s: Session, now: int) -> dict[str, Tally]:
    """By path of the detector or rule."""
    found: dict[str, Tally] = {}
    path = func.coalesce(func.nullif(Alert.rule, ""), Alert.detector)
    seen = (Scope.REAL.value, Scope.SHADOW.value)
    counted = select(path, Alert.scope, Alert.disposition, func.count()).where(
        Alert.opened >= now - DAYS * DAY, Alert.scope.in_(seen), ~HIDDEN).group_by(path, Alert.scope, Alert.disposition)
    for name, scope, outcome, n in s.execute(counted):
        tally = found.setdefault(name, Tally())
        if scope == Scope.SHADOW.value:
            tally.shadow += n
            continue
        tally.fired += n
        tally.true += n * (outcome == "true")
        tally.false += n * (outcome == "false")
        tally.other += n * (outcome not in ("true", "false", ""))
    for name, last in s.execute(select(path, func.max(Alert.opened)).where(Alert.scope.in_(seen), ~HIDDEN).group_by(path)):
        found.setdefault(name, Tally()).last = last
    return found
