"""How an algorithm declares its parameters: the schema of configs, the lint and the documents come from here."""
from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Param:
    """What is known of one parameter. `unit`: "" (pure), "value", "time", "value/time", "count", "code",
    "date" (seconds UTC of a local midnight); `words`: what a pack may write instead of numbers.
    """

    name: str
    default: Any
    unit: str = ""
    size: int = 1
    reset: bool = True              # changing it makes the state meaningless
    low: float = -np.inf
    high: float = np.inf
    doc: str = ""
    integer: bool = False
    words: tuple[tuple[str, float], ...] = ()
    least: int = 0                  # so few numbers are enough of a row (0: all); the rest is 0

    @property
    def required(self) -> bool:
        """Whether a pack must give it."""
        return self.default is None


def param(default: Any = None, *, unit: str = "", size: int = 1, reset: bool = True, low: float = -np.inf,
          high: float = np.inf, integer: bool = False, words: tuple[tuple[str, float], ...] = (), least: int = 0,
          doc: str = "") -> Any:
    """A field of a check, derive operator or kind. `default=None`: a pack must give it; NaN: off."""
    return field(default=default, metadata=dict(unit=unit, size=size, reset=reset, low=low, high=high,
                                                integer=integer, words=words, least=least, doc=doc))


def params(kind: Any) -> tuple[Param, ...]:
    """The parameters that an algorithm declares, in its own order."""
    return tuple(Param(f.name, default, **f.metadata) for f in fields(kind) if (default := f.default) is not MISSING)


def floats(**sizes: int) -> np.dtype[Any]:
    """A record of float64 fields: one number each, or a fixed row of them."""
    return np.dtype([(n, "f8") if k == 1 else (n, "f8", (k,)) for n, k in sizes.items()])
