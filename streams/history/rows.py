"""Records of `readings` and `judged` as rows of history. Pure."""
from __future__ import annotations

from dataclasses import dataclass, field

from detectors.reading import GUEST, Block, Flag


@dataclass(frozen=True, slots=True)
class Row:
    """A reading as it arrived at `arrived`; `flag` and `check` are None from the writer that does not know them."""

    series: str
    t: int
    arrived: int
    value: float | None             # None = missing
    flag: int | None = None
    check: str | None = None


@dataclass
class Rows:
    """What waits to be written: raw values from `readings`; flags that are not good, and kept derived series, from `judged`."""

    raw: list[Row] = field(default_factory=list)
    said: list[Row] = field(default_factory=list)
    plan: str = ""
    now: int = 0


def raw_rows(block: Block) -> list[Row]:
    """Values of a block of `readings`, with the flag that the source gave; guests belong to another partition."""
    own = [i for i in range(len(block)) if not block.flag[i] & GUEST]
    return [Row(block.series[block.index[i]], int(block.t[i]), int(block.arrived[i]), _number(block.x[i]),
                int(block.flag[i]) or None) for i in own]


def said_rows(block: Block) -> list[Row]:
    """What the judge said: flag and the check that decided (`sources` of a block of `judged`)."""
    return [Row(block.series[block.index[i]], int(block.t[i]), int(block.arrived[i]), _number(block.x[i]),
                int(block.flag[i]) or int(Flag.GOOD), block.sources[block.source[i]]) for i in range(len(block))]


def _number(x: float) -> float | None:
    return float(x) if x == x else None
