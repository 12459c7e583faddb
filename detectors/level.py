"""How bad, how fresh, for whom: the closed words of a series' state."""
from __future__ import annotations

from enum import IntEnum, StrEnum


class Level(IntEnum):
    """How bad it is. People read Ⅰ (red) to Ⅳ (blue); these integers never appear on a screen."""

    NORMAL, BLUE, YELLOW, ORANGE, RED = range(5)

    @property
    def word(self) -> str:
        """The word that configs, files and labels use: `red`."""
        return self.name.lower()


LEVELS = {level.word: level for level in Level}


class Fresh(StrEnum):
    """How far the level may be believed to be of now. Silence is never green."""

    FRESH, STALE, NEVER, WARMING, ERROR = "fresh", "stale", "never", "warming", "error"


class Confidence(StrEnum):
    """Whether a doubtful (suspect) reading decided."""

    GOOD, SUSPECT = "good", "suspect"


class Direction(StrEnum):
    """Which side of the limits."""

    HIGH, LOW = "high", "low"


class Scope(StrEnum):
    """For whom it counts: real, exercise 演练 or shadow 试运行."""

    REAL, EXERCISE, SHADOW = "real", "exercise", "shadow"
