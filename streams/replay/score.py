"""One detector over a history: its score at every input row, in the input's order."""
from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.judge import State, judge
from detectors.level import Level
from detectors.pack import City, Pack
from detectors.plan import Plan

if TYPE_CHECKING:
    from streams.replay.history import History


@dataclass(frozen=True, eq=False)
class Scores:
    """Parallel to the history's input rows: the score (NaN = not scored), the final flag (0 = not judged), the level (-1)."""

    score: NDArray[np.float64]
    flag: NDArray[np.uint8]
    level: NDArray[np.int8]


def score(city: City, history: History, path: str, compiled: bool = True) -> Scores:
    """Run the one detector; readings that it does not look at keep an empty score."""
    rows = len(history.frame)
    out = Scores(np.full(rows, np.nan), np.zeros(rows, np.uint8), np.full(rows, -1, np.int8))
    plan = Plan(only(city, path))
    state = State(plan, compiled=compiled, trace=True)
    start = 0
    for block in history.blocks():
        judge(plan, state, block)
        place = history.row[start:start + len(block)]
        out.flag[place] = state.flags
        for row, name, value, level in state.trace or ():
            if name == path and 0 <= row < len(block):
                out.score[place[row]], out.level[place[row]] = value, level
        start += len(block)
    return out


def only(city: City, path: str) -> City:
    """The city with one detector and no rules; indicators and derived ones stay, so that flags and inputs are the same."""
    def cut(pack: Pack) -> Pack:
        return replace(pack, detectors=tuple(d for d in pack.detectors if d.path == path), rules=())

    return replace(city, packs=tuple(cut(pack) for pack in city.packs))


def write(history: History, scores: Scores, out: Path) -> None:
    """`time,site,indicator,value,score,flag,level`, times and values as they were given."""
    table = history.frame[["time", "site", "indicator", "value"]].copy()
    words = np.array([level.word for level in Level] + [""], object)
    table["score"] = scores.score
    flags = np.array([""] + [str(n) for n in range(1, 10)], object)
    table["flag"] = flags[scores.flag]
    table["level"] = words[scores.level]
    table.to_csv(out, index=False, lineterminator="\n")
