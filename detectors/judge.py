"""The only two doors: `judge` for readings, `tick` for the passing of time. Worker, tests, replay and backtest use them."""
from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from detectors.announce import Checked, announce, freshness, sensors
from detectors.calm import calm, stretch
from detectors.event import Change
from detectors.guests import arrivals
from detectors.loops import DUPLICATE, FUTURE, LATE, NEW, OLD, TOO_LATE
from detectors.plan import Plan
from detectors.reading import GUEST, Block, Flag, Floats, Rows
from detectors.rewind import rewind, tell
from detectors.several import expire, gather
from detectors.state import State
from detectors.sums import add
from detectors.table import Table

__all__ = ["State", "judge", "tick"]

_FAIL, _MISSING = float(Flag.FAIL), float(Flag.MISSING)      # as plain numbers: to ask an enum costs as much as a step
_WORD = {DUPLICATE: "duplicate", LATE: "", TOO_LATE: "late", FUTURE: "future", OLD: "old"}


def judge(plan: Plan, state: State, block: Block) -> list[Change]:
    """Judge the readings of a block in the order of their arrival; the due moments before each arrival come first.

    Afterwards `state.flags`, `state.named`, `state.derived` (and `state.trace`) tell what became of each reading.
    """
    n = len(block)
    state.begin(n)
    table_of, row_of = (column[block.index] for column in state.places(block.series))
    if block.flag.any():
        table_of[(block.flag & GUEST) != 0] = -1
    if calm(state, block, table_of, row_of):
        return _in_stretches(plan, state, block, table_of, row_of)
    changes: list[Change] = []
    for first, last in _runs(block.arrived, None if state.trace is None else block.index):
        arrived = int(block.arrived[first])
        changes += tick(plan, state, arrived)
        changes += _stretch(state, block, table_of, row_of, first, last, arrived)
    return changes


def _in_stretches(plan: Plan, state: State, block: Block, table_of: Rows, row_of: Rows) -> list[Change]:
    """The same for readings that each arrive at their own time (calm.py)."""
    changes: list[Change] = []
    first = 0
    while first < len(block):
        changes += tick(plan, state, int(block.arrived[first]))
        last = max(stretch(state, block.arrived, first), first + 1)
        made = _stretch(state, block, table_of, row_of, first, last, None)
        made += tick(plan, state, int(block.arrived[last - 1]))      # what came due inside it at series that said no more
        changes += sorted(made, key=lambda change: change.arrived)
        first = last
    return changes


def _stretch(state: State, block: Block, table_of: Rows, row_of: Rows, first: int, last: int,
             arrived: int | None) -> list[Change]:
    """Readings [first, last) of a block, table by table; `arrived` None = each at its own time."""
    changes: list[Change] = []
    for made in arrivals(state, block, first, last, arrived) if state.guests else ():       # first: who looks at them sees them
        changes += process(state, made.table, made.slot, made.t, made.x, made.flag, arrived, None)
    here = table_of[first:last]
    alike = last - first == 1 or bool((here == here[0]).all())
    for number in (here[:1] if alike else np.unique(here)).tolist():
        where = np.arange(first, last) if alike else np.flatnonzero(here == number) + first
        if number < 0:
            for i in where:
                state.named[i] = "guest" if block.flag[i] & GUEST else "unknown"
            continue
        flag = np.maximum(block.flag[where].astype(float), 1.0)
        if block.sources != ("",):
            state.heard(number, row_of[where], block.sources, block.source[where])
        changes += process(state, state.tables[number], row_of[where], block.t[where].astype(float),
                           block.x[where].astype(float), flag, arrived, where)
    return changes


def tick(plan: Plan, state: State, now: int) -> list[Change]:
    """Fire each due moment before `now` (µs UTC), stamped with its own due time, so the grid of ticks does not matter."""
    state.now = max(state.now, now)
    changes: list[Change] = []
    while state.due[0] < state.now:
        state.due[0] = inf
        for table in state.tables:
            for event in table.silence(float(state.now), state.due):
                table.dirty[int(event["row"])] = True
                if event["what"] == 1.0:
                    changes.append(freshness(state, table, int(event["row"]), "stale", int(event["t"]), int(event["t"])))
                else:
                    lag = table.live.series["lag"][int(event["row"])]
                    changes += announce(state, table, [event], [""], min(state.now, int(event["t"] + lag)))
        for made in expire(state):
            changes += process(state, made.table, made.slot, made.t, made.x, made.flag, state.now, None)
    return changes


def process(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int | None,
            where: Any) -> list[Change]:
    """Readings of one indicator that arrived together, measured (`where` = their places in the block) or derived (None).

    `arrived` None: each arrives at its own time, in order (calm.py).
    """
    came = t if arrived is None else np.full(len(t), float(arrived))
    group = table.group
    if where is not None and group.indicator.complete:
        x = group.completed(t, x, came)
    changes = _speak_again(state, table, slot, t, came)
    finite = np.isfinite(x)
    if not finite.all():
        flag = np.where(finite, flag, _MISSING)
    status = np.empty(len(slot), np.int64)
    oldest = group.indicator.oldest * 1e6
    table.loops.arrive(slot, t, x, came, group.future, oldest, group.lateness, table.live.series, status)
    table.dirty[slot] = True
    new = status == NEW
    state.due[0] = min(state.due[0], float(came[0]) + table.silent, table.expect(slot))
    if new.all():
        changes += _judged(state, table, slot, t, x, flag, arrived, where)
    elif new.any():
        changes += _judged(state, table, slot[new], t[new], x[new], flag[new], arrived, None if where is None else where[new])
    if not new.all():
        for word in (DUPLICATE, TOO_LATE, FUTURE, OLD):
            state.name(where, status == word, _WORD[word], flag)
        late = status == LATE
        if late.any():
            assert arrived is not None                   # nothing is late that arrives at its own time
            changes += rewind(state, table, slot[late], t[late], x[late], flag[late], arrived,
                              None if where is None else where[late], hand_on)
    return changes


def _judged(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int | None,
            where: Any) -> list[Change]:
    """Newer than all before: judged at once, also when old by the clock."""
    was = table.live.flag[slot]
    outcome = table.run(table.live, slot, t, x, flag, state.due)
    state.told(table, where, outcome, slot)
    if where is None:
        state.made(table, slot, t, x, outcome, arrived)
    changes: list[Change] = []
    if (outcome.flag.max() >= _FAIL or was.max() >= _FAIL) and not table.group.guest:       # a guest's sensor is told at home
        changes += sensors(state, table, slot, t, x, was, outcome, arrived)
    if outcome.events:
        changes += announce(state, table, outcome.events, Checked(table, outcome.check), arrived)
    if table.group.ring:
        table.remember(slot, t, x, flag, t if arrived is None else np.full(len(t), float(arrived)))
    return changes + hand_on(state, table, slot, t, x, outcome, arrived)


def hand_on(state: State, table: Table, slot: Rows, t: Floats, x: Floats, outcome: Any, arrived: int | None) -> list[Change]:
    """What derive operators made of these readings goes through the same judging, as series of their own."""
    changes: list[Change] = []
    for target, values, over in zip(table.group.feeds, outcome.made, table.windows, strict=True):
        said = np.isfinite(values)
        if said.any():
            below = state.table_of[target.id]
            rows = state.across(table, below)[slot[said]]
            flag = np.where(t[said] - outcome.tainted[said] <= over, np.maximum(outcome.flag[said], 3.0),
                            np.maximum(outcome.flag[said], 1.0))
            there = rows >= 0
            changes += process(state, below, rows[there], t[said][there], values[said][there], flag[there], arrived, None)
    for part in add(table.sums, slot, t, x, outcome.flag) if table.sums else ():
        assert arrived is not None                       # calm.py passes such plans by
        state.parts[part.series, part.t, arrived] = part
    if table.askers:
        assert arrived is not None                       # calm.py passes such plans by
        changes += tell(state, table, slot, t, x, outcome.flag, arrived, hand_on)
    if table.several and arrived is not None:
        for made in gather(state, table, slot, t, x, outcome.flag, arrived):
            changes += process(state, made.table, made.slot, made.t, made.x, made.flag, arrived, None)
    return changes


def _speak_again(state: State, table: Table, slot: Rows, t: Floats, came: Floats) -> list[Change]:
    """A silent or never heard series that speaks; a figure of long ago does not end that the newest is overdue."""
    fresh = table.live.fresh
    changes: list[Change] = []
    quiet = fresh[slot] != 1.0
    if table.group.published is not None and quiet.any():
        newest = np.fmax(table.live.series["seen"][slot], np.fmin(t, came))
        quiet &= np.array(table.group.published.overdue(newest.tolist())) >= came
    if quiet.any():
        for row, moment in zip(slot[quiet].tolist(), came[quiet].tolist(), strict=True):
            if fresh[row] != 1.0:
                fresh[row] = 1.0
                changes.append(freshness(state, table, row, "fresh", int(moment), int(moment)))
    return changes


def _runs(arrived: Any, index: Any = None) -> list[tuple[int, int]]:
    """Stretches of the block that arrived at the same moment; with `index` (traced) no series stands twice in one."""
    n = len(arrived)
    if n == 1:
        return [(0, 1)]
    ends = [*(np.flatnonzero(np.diff(arrived)) + 1).tolist(), n] if n else []
    if index is not None:
        ends = _once(ends, index.tolist())
    return list(zip([0, *ends[:-1]], ends, strict=True))


def _once(ends: list[int], series: list[int]) -> list[int]:
    """The same stretches, cut also before a series comes again, so that the level after each reading can be told."""
    stops, seen, out = set(ends), set[int](), []
    for place, name in enumerate(series):
        if place in stops or name in seen:
            out.append(place)
            seen.clear()
        seen.add(name)
    return [*out, len(series)] if series else []
