"""The words of this folder: a reading that was accepted, an input that was refused."""
from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

REASONS = ("json", "field", "site", "indicator", "number", "nan", "time", "zone", "future", "size", "encoding", "torn")
"""Why an input may be refused: one word each, the label of `wanglou_rejects_total`."""


class Reading(NamedTuple):
    """One accepted value, in the indicator's own unit.

    `t` and `arrived` are microseconds UTC; `arrived` is what the input itself said of it (None = nothing),
    and only a played history believes it. `flag` is a QARTOD flag given by the source, 0 = none.
    """

    series: str
    site: str
    pack: str
    t: int
    x: float
    flag: int = 0
    arrived: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """One input that was not accepted: `reason` of REASONS, where (`[3].value`, `line 7, time`), what is wrong, the bytes."""

    reason: str
    place: str
    what: str
    raw: bytes = b""


class Known(NamedTuple):
    """What the plan knows of one measured series: `scale` to its unit, `ahead` = µs it may lie after its arrival."""

    series: str
    pack: str
    scale: float
    ahead: int
