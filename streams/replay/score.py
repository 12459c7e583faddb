"""One detector over a history: its score at every input row, in the input's order."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.judge import State, judge, tick
from detectors.level import Level
from detectors.pack import City, Pack
from detectors.plan import Plan
from detectors.reading import Block, Fit
from streams.replay.refit import records

if TYPE_CHECKING:
    from streams.replay.history import History

LONG = 400 * 86_400_000_000
"""Longer than anything waits for its other inputs (µs)."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Parallel to the history's input rows: the score (NaN = not scored), the final flag (0 = not judged), the level (-1)."""

    score: NDArray[np.float64]
    flag: NDArray[np.uint8]
    level: NDArray[np.int8]


def score(city: City, history: History, path: str, compiled: bool = True) -> Scores:
    """Run the one detector; readings that it does not look at keep an empty score.

    The score of a derived series (a sum, an index) stands at the reading that completed it: the last to arrive of the
    same site and time.
    """
    rows = len(history.frame)
    out = Scores(np.full(rows, np.nan), np.zeros(rows, np.uint8), np.full(rows, -1, np.int8))
    cut = only(city, path)
    indicators = {i.id: i for p in cut.packs for i in p.indicators}
    judged = next(d.indicator for p in cut.packs for d in p.detectors)
    derived = indicators[judged].derive is not None
    plan = Plan(cut)
    state = State(plan, compiled=compiled, trace=not derived)
    state.kept.add(judged)
    made: list[Made] = []
    for block, place in _blocks(history, cut, state):
        judge(plan, state, block)
        out.flag[place] = state.flags
        _fill(out, state, place)
        made += [Made(name, t, x, flag, came) for name, t, x, flag, _, came in state.derived if name.startswith(f"{judged}@")]
    if derived:
        made += _at_the_end(plan, state, judged)
        _derived(out, history, cut, judged, _revised(made), compiled)
    return out


class Made(NamedTuple):
    """One reading of a derived series."""

    series: str
    t: int
    x: float
    flag: int
    arrived: int


def _blocks(history: History, city: City, state: State) -> Iterator[tuple[Block, NDArray[np.int64]]]:
    """Blocks, each with the input rows of its readings; what was fitted in between goes to the state."""
    start = 0
    for block in records(city, history):
        if isinstance(block, Fit):
            state.control(block)
            continue
        yield block, history.row[start:start + len(block)]
        start += len(block)


def _fill(out: Scores, state: State, place: NDArray[np.int64]) -> None:
    """Scores and levels of the trace to their input rows (below 0: there is none)."""
    for row, _, value, level in state.trace or ():
        if place[row] >= 0:
            out.score[place[row]], out.level[place[row]] = value, level


def _at_the_end(plan: Plan, state: State, judged: str) -> list[Made]:
    """What is still waited for is made of what there is, as time would do it."""
    state.begin(0)
    tick(plan, state, state.now + LONG)
    return [Made(name, t, x, flag, came) for name, t, x, flag, _, came in state.derived if name.startswith(f"{judged}@")]


def _revised(made: list[Made]) -> list[Made]:
    """Each moment of a series once, as it was told last, where it was told first: so a rewind judges it in the end."""
    last: dict[tuple[str, int], Made] = {}
    for one in sorted(made, key=lambda one: one.arrived):
        key = one.series, one.t
        last[key] = one._replace(arrived=last[key].arrived) if key in last else one
    return sorted(last.values(), key=lambda one: one.arrived)


def _derived(out: Scores, history: History, city: City, judged: str, made: list[Made], compiled: bool) -> None:
    """The derived series judged as if it had been measured: the same values, flags and times of arrival."""
    rows = _completing(history, city, judged)
    names = tuple(dict.fromkeys(one.series for one in made))
    number = {name: n for n, name in enumerate(names)}
    packs = tuple(replace(p, indicators=tuple(replace(i, derive=None) if i.id == judged else i for i in p.indicators))
                  for p in city.packs)
    plan = Plan(replace(city, packs=packs))
    state = State(plan, compiled=compiled, trace=True)
    column = [np.array([one[k] for one in made]) for k in range(1, 5)]
    block = Block(names, np.array([number[one.series] for one in made], np.int32), column[0].astype(np.int64),
                  column[1].astype(np.float64), column[2].astype(np.uint8), column[3].astype(np.int64), ("",),
                  np.zeros(len(made), np.uint8))
    judge(plan, state, block)
    _fill(out, state, np.array([rows.get((one.series.partition("@")[2], one.t), -1) for one in made], np.int64))


def _completing(history: History, city: City, judged: str) -> dict[tuple[str, int], int]:
    """(site, t) -> the input row that arrived last among the inputs of the derived indicator."""
    indicators = {i.id: i for p in city.packs for i in p.indicators}
    fed: dict[str, list[str]] = {}                      # series -> the sites that it is an input of
    for site in indicators[judged].sites:
        seen, left = set[str](), [f"{judged}@{site}"]
        while left:
            name, _, where = left.pop().partition("@")
            made = indicators[name].derive
            left += [one for one in (made.sources(where) if made else ()) if one not in seen]
            seen |= set(left)
        own = [one for one in seen if one.endswith(f"@{site}") and one in history.series]
        for one in own or seen:                         # neighbours complete nothing: that row is their own
            fed.setdefault(one, []).append(site)
    pairs = zip(history.index.tolist(), history.t.tolist(), history.row.tolist(), strict=True)
    return {(site, t): row for i, t, row in pairs for site in fed.get(history.series[i], ())}


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
