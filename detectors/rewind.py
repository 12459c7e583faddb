"""What came late: the row as it was before is stepped again, and what was said is confirmed, revised or withdrawn."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import SequenceMatcher
from math import nan
from typing import Any

import numpy as np

from detectors.announce import event_of, numbered
from detectors.beside import reach
from detectors.event import Change, event_id
from detectors.pairs import put
from detectors.reading import Floats, Rows
from detectors.state import State
from detectors.table import Outcome, Said, Table

_LIVE_ONLY = ("contact", "fresh", "source", "lag", "overdue")
HandOn = Callable[[State, Table, Rows, Floats, Floats, Outcome, int], list[Change]]


def rewind(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int, where: Any,
           hand_on: HandOn) -> list[Change]:
    """Late readings of one indicator. What reaches behind the base is too late and only named so."""
    changes: list[Change] = []
    for row in dict.fromkeys(slot.tolist()):
        mine = np.flatnonzero(slot == row)
        added = [i for i in mine if _insert(state, table, int(row), t[i], x[i], flag[i], arrived,
                                            None if where is None else where[i])]
        if added:
            changes += again(state, table, int(row), arrived, hand_on,
                              {float(t[i]): None if where is None else int(where[i]) for i in added})
    return changes


def tell(state: State, table: Table, slot: Rows, t: Floats, x: Floats, flag: Floats, arrived: int,
         hand_on: HandOn) -> list[Change]:
    """Readings of a series that others look at (beside.py): of those, the rows that this concerns are stepped again."""
    changes: list[Change] = []
    name, far = table.group.indicator.id, reach(table.group.indicator)
    for asker in table.askers:
        concerned = dict[int, None]()
        for i, row in enumerate(state.across(table, asker)[slot].tolist()):
            if row < 0:
                continue
            asker.dirty[row] = True
            if put(asker.kept_beside[name], row, float(t[i]), float(x[i]) if flag[i] <= 3.0 else nan):
                times = asker.ring[row, 1:1 + int(asker.ring[row, 0])]
                if ((times >= t[i]) & (times < t[i] + far)).any():      # some of its readings see this value
                    concerned[row] = None
        for row in concerned:
            changes += again(state, asker, row, arrived, hand_on, {})
    return changes


def _insert(state: State, table: Table, row: int, t: float, x: float, flag: float, arrived: int, where: Any) -> bool:
    """Into the ring, in order of event time; False if it is a duplicate or too late."""
    assert table.base is not None
    seen = table.base.series["seen"][row]
    if seen == seen and t <= seen:
        state.name_one(where, "late", flag)
        return False
    kt, kx, kf, ka = table.kept(row)
    at = int(np.searchsorted(kt, t))
    if at < len(kt) and kt[at] == t:
        if kf[at] == flag and (kx[at] == x or (kx[at] != kx[at] and x != x)):
            state.name_one(where, "duplicate", flag)
            return False
        kx[at], kf[at], ka[at] = x, flag, float(arrived)
        table.keep(row, (kt, kx, kf, ka))
        return True
    columns = tuple(np.insert(c, at, v) for c, v in zip((kt, kx, kf, ka), (t, x, flag, float(arrived)), strict=True))
    if len(columns[0]) > table.group.ring:
        oldest = tuple(np.array([c[0]]) for c in columns)
        columns = tuple(c[1:] for c in columns)
        table.advance(np.array([row], np.int64), oldest[0], oldest[1], oldest[2])
        if at == 0:
            state.name_one(where, "late", flag)
    table.keep(row, columns)
    return True


def again(state: State, table: Table, row: int, arrived: int, hand_on: HandOn, asked: dict[float, int | None]) -> list[Change]:
    """Restore the base, step the ring again, then what the clock has brought since."""
    assert table.base is not None
    series = table.live.series
    kept = {name: float(series[name][row]) for name in _LIVE_ONLY}
    before = table.live.heads[row].copy()
    kept_beside = (*table.group.beside, *table.group.sums)      # not of its own steps
    beside = [table.live.part[row, table.group.at[p.name]].copy() for p in kept_beside]
    table.live.part[row] = table.base.part[row]
    for piece, values in zip(kept_beside, beside, strict=True):
        table.live.part[row, table.group.at[piece.name]] = values
    t, x, flag, _ = table.kept(row)
    for name, value in kept.items():
        series[name][row] = value
    series["seen"][row], series["value"][row] = t[-1], x[-1]
    slot = np.full(len(t), row, np.int64)
    outcome = table.run(table.live, slot, t, x, flag, state.due)
    for at, place in asked.items():
        i = int(np.searchsorted(t, at))
        if i < len(t) and t[i] == at:
            if place is None:
                state.made(table, slot, t, x, outcome, arrived, np.array([i]))
            else:
                state.told(table, np.array([place]), outcome, slot, np.array([i]))
    events = outcome.events
    if series["fresh"][row] == 2.0:
        series["fresh"][row] = 1.0                      # what ran out before it fell silent runs out again, then it is silent
    for event in table.silence(float(state.now), state.due, slice(row, row + 1)):
        event["row"] = row
        events.append(event)
    names = [table.check_names[c] for c in outcome.check]
    fresh = [(int(e["detector"]), event_of(state, table, e, names, arrived)) for e in events if e["what"] == 0.0]
    changes = _reconcile(table, row, before, fresh, arrived)
    usable = Outcome(outcome.flag, outcome.check, outcome.scores, [], outcome.made, outcome.tainted)
    return changes + hand_on(state, table, slot, t, x, usable, arrived)


def _reconcile(table: Table, row: int, before: Any, fresh: list[tuple[int, Change]], arrived: int) -> list[Change]:
    """Compare what holds now with what was said, detector by detector, in order."""
    said = table.log.pop(row, [])
    out: list[Change] = []
    kept: list[Said] = []
    for d in range(len(table.group.detectors)):
        mine = [s for s in said if s.detector == d]
        kept += _align(table, row, d, mine, [c for n, c in fresh if n == d], before[d], arrived, out)
    base = table.base.series["seen"][row] if table.base is not None else nan
    log = [s for s in kept if not s.change.withdrawn or not s.change.time <= base - table.group.lateness]
    if log:
        table.log[row] = sorted(log, key=lambda s: s.change.time)
    return sorted(out, key=lambda c: (not c.withdrawn, c.time))


def _align(table: Table, row: int, d: int, said: list[Said], fresh: list[Change], before: Any, arrived: int,
           out: list[Change]) -> list[Said]:
    """Same level in the same order: kept or revised. Only said: withdrawn. Only now: new."""
    standing = [s for s in said if not s.change.withdrawn]
    matcher = SequenceMatcher(None, [_shape(s.change) for s in standing], [_shape(c) for c in fresh], autojunk=False)
    partner = {b + k: standing[a + k] for a, b, size in matcher.get_matching_blocks() for k in range(size)}
    matched = {id(s) for s in partner.values()}
    kept = [s for s in said if s.change.withdrawn]
    for old in standing:
        if id(old) not in matched:
            gone = Said(d, old.announced, replace(old.change, withdrawn=True, revision=old.change.revision + 1, arrived=arrived))
            out.append(gone.change)
            kept.append(gone)
    head = table.live.heads[row, d]
    announced, seq = float(head["announced"]), int(head["seq"])
    for n, change in enumerate(fresh):
        if n in partner:
            old = partner[n]
            announced, seq = old.announced, max(seq, old.change.seq) if announced == old.announced else old.change.seq
            revised = replace(change, alert=old.change.alert, seq=old.change.seq, id=event_id(old.change.alert, old.change.seq),
                              revision=old.change.revision)
            if _differs(revised, old.change):
                revised = replace(revised, revision=old.change.revision + 1)
                out.append(revised)
            else:
                revised = old.change
            kept.append(Said(d, announced, revised))
        else:
            if change.before == 0 or announced != announced:
                announced, seq = float(change.onset if change.onset is not None else change.time), 0
            seq = _newest(announced, seq, said + kept, before) + 1
            new = Said(d, announced, numbered(table, change, row, d, announced, seq))
            out.append(new.change)
            kept.append(new)
    head["announced"] = nan if head["said"] == 0.0 else announced
    head["seq"] = _newest(announced, seq, kept, before)
    return kept


def _newest(announced: float, seq: int, said: list[Said], before: Any) -> int:
    """The last number that was given in an alert, by whatever is remembered of it."""
    numbers = [s.change.seq for s in said if s.announced == announced]
    return max([seq, int(before["seq"]) if before["announced"] == announced else 0, *numbers])


def _shape(change: Change) -> tuple[int, str]:
    return change.to, change.direction


def _differs(a: Change, b: Change) -> bool:
    return any(getattr(a, n) != getattr(b, n) for n in ("time", "value", "limit", "before", "onset", "confidence"))


