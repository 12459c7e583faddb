"""The loops that every kind shares: arrive, three step loops, mark, settle, remember, silence. Compiled by `kernel`.

Times are float64 microseconds (exact: integers below 2**53), so a hold of any length is met to the microsecond;
a step itself sees seconds. NaN in a time means "not". Nothing here knows any kind, pack or indicator.
"""
from __future__ import annotations

from math import inf, nan
from typing import Any

from detectors.step import floats

SERIES = floats(seen=1, past=1, lag=1, contact=1, fresh=1, value=1, flag=1, tainted=1, fired=1, source=1,
                overdue=1)
"""Of a series: newest event time accepted and settled, arrival minus event time of the newest, last contact,
0 never 1 fresh 2 stale, last value and flag, newest doubtful time, newest due moment fired, source number, when the next
published figure is overdue (NaN: none is expected, contact counts)."""

HEAD = floats(said=1, on=2, side=1, doubt=1, conf=1, value=1, score=1, onset=1, due=1, error=1, announced=1, seq=1,
              up=8, down=8, until=1)
"""Of a detector at a series: level announced, levels held (high, low), side, whether the last reading was doubtful,
whether a doubtful one decided, last value and score, since when above normal, next due moment, quarantined,
onset of the open alert, its last sequence number, since when at each limit, since when clear of it, until when it
judges (inf: always). Slots are only ever added at the end: what was saved before begins with the others."""

RULE = floats(limit=8, clear=8, hold=8, keep=8, cap=1, above=1, below=1)
"""What a detector is told at a series: four limits above, then four below with their sign turned; and the scores between which
no limit is reached."""

EVENT = floats(what=1, row=1, detector=1, index=1, before=1, level=1, side=1, t=1, onset=1, since=1, value=1, score=1,
               limit=1, doubt=1, cap=1)
"""What a loop has to say. `what`: 0 level, 1 fresh, 2 error, 3 sensor."""

NEW, DUPLICATE, LATE, TOO_LATE, FUTURE, OLD = range(6)
MOST = 17                   # events of one detector on one reading: eight holds, eight keeps, the reading itself


def step(p: Any, s: Any, t: float, x: float) -> float:
    """Stands for the step of a kind; each compiled copy of a loop has its own."""
    raise NotImplementedError


def loop(slot: Any, t: Any, x: Any, flag: Any, accept: float, P: Any, S: Any, out: Any) -> None:
    """Let one step see a batch in order. NaN where the reading is not accepted, inf where the step failed."""
    for i in range(len(slot)):
        out[i] = nan
        if flag[i] <= accept:
            y = step(P[slot[i]], S[slot[i]], t[i] / 1e6, x[i])
            out[i] = y if y - y == 0.0 else inf


def warming(slot: Any, t: Any, x: Any, flag: Any, accept: float, P: Any, S: Any, out: Any) -> None:
    """The same for kinds that must first have seen `warm` readings: until then nothing is judged."""
    for i in range(len(slot)):
        out[i] = nan
        if flag[i] <= accept:
            s = S[slot[i]]
            y = step(P[slot[i]], s, t[i] / 1e6, x[i])
            young = s.n < P[slot[i]].warm                # after the step: `n` falls again where a gap empties a window
            out[i] = nan if young and y - y == 0.0 else y if y - y == 0.0 else inf


def derive(slot: Any, t: Any, x: Any, flag: Any, accept: float, P: Any, S: Any, out: Any) -> None:
    """The same for derive operators of one input; NaN = nothing to say yet."""
    for i in range(len(slot)):
        out[i] = nan
        if flag[i] <= accept:
            y = step(P[slot[i]], S[slot[i]], t[i] / 1e6, 0.0, x[i])  # type: ignore[call-arg]
            out[i] = y if y - y == 0.0 else nan


def arrive(slot: Any, t: Any, x: Any, came: Any, future: float, oldest: float, lateness: float,
           series: Any, status: Any) -> None:
    """Whether each reading is new, a duplicate, late (rewind), too late, of the future or too old; contact is kept."""
    for i in range(len(slot)):
        s = series[slot[i]]
        arrived = came[i]
        s.contact = arrived
        if t[i] > arrived + future:
            status[i] = 4
        elif t[i] < arrived - oldest:
            status[i] = 5
        elif not t[i] <= s.seen:                         # newer than all, or the first
            status[i] = 2 if lateness > 0.0 and t[i] <= s.fired else 0
            s.seen, s.value, s.lag = t[i], x[i], max(0.0, arrived - t[i])
        elif lateness > 0.0 and t[i] > s.seen - lateness:
            status[i] = 2                                # or a repeat: the ring knows
        elif t[i] == s.seen and (x[i] == s.value or (x[i] != x[i] and s.value != s.value)):
            status[i] = 1
        else:
            status[i] = 3


def mark(slot: Any, t: Any, flag: Any, series: Any, tainted: Any) -> None:
    """Keep the flag of each series; `tainted` = the newest doubtful time up to each reading."""
    for i in range(len(slot)):
        s = series[slot[i]]
        s.flag = flag[i]
        if flag[i] == 3.0:
            s.tainted = t[i]
        tainted[i] = s.tainted


def settle(start: int, slot: Any, t: Any, x: Any, flag: Any, scores: Any, until: Any, detectors: int, R: Any, H: Any,
           series: Any, silent: float, out: Any, due: Any) -> tuple[int, int]:
    """Scores become levels: limits, hysteresis, hold and keep; a change becomes an event. Stops early if `out` is full.

    `until` (empty where every detector always judges): the end of the time that each reading lies in, NaN outside it.
    """
    n = 0
    for i in range(start, len(slot)):
        if n + MOST * detectors > len(out):
            return i, n
        k = slot[i]
        s = series[k]
        for d in range(detectors):
            h, r, y = H[k, d], R[k, d], scores[d][i]
            if h.error == 0.0:
                if h.due < t[i]:
                    n = run_out(k, d, t[i], s.past + silent, r, h, s, out, n)
                if len(until) > 0:
                    h.until = until[d, i]
                if y == inf:
                    h.error = 1.0
                    n = say(2.0, k, d, i, t[i], x[i], y, out, n)
                elif len(until) > 0 and until[d, i] != until[d, i]:
                    rest(h)
                elif y == y:
                    n = judge_one(k, d, i, t[i], x[i], y, flag[i] == 3.0, r, h, out, n)
                if h.due + s.lag < due[0]:
                    due[0] = h.due + s.lag
        s.past = t[i]
    return len(slot), n


def rest(h: Any) -> None:
    """Outside its time a detector neither rises nor clears: what was waiting to hold or to end begins anew afterwards."""
    for j in range(8):
        if h.on[j // 4] > j % 4:
            h.down[j] = nan
        else:
            h.up[j] = nan
    h.due = inf


def judge_one(k: int, d: int, i: int, t: float, x: float, y: float, doubt: bool, r: Any, h: Any, out: Any, n: int) -> int:
    """One score of one detector, against its limits on both sides."""
    h.value, h.score, h.doubt = x, y, 1.0 if doubt else 0.0
    if h.said == 0.0 and h.due == inf and r.below < y < r.above:
        return n                                         # nothing holds, nothing waits, nothing is reached: nearly always
    for j in range(8):
        if r.limit[j] == r.limit[j]:
            z = y if j < 4 else -y
            if h.on[j // 4] > j % 4:
                if z >= r.clear[j]:
                    h.down[j] = nan
                elif h.down[j] != h.down[j]:
                    h.down[j] = t
            elif z < r.limit[j]:
                h.up[j] = nan
            elif h.up[j] != h.up[j]:
                h.up[j] = t
    return refresh(k, d, i, t, r, h, out, n)


def refresh(k: int, d: int, i: int, t: float, r: Any, h: Any, out: Any, n: int) -> int:
    """What holds at `t`: levels whose hold has run rise, levels whose keep has run fall; what is new is announced."""
    for side in range(2):
        new = 0
        for j in range(4 * side, 4 * side + 4):
            if r.limit[j] == r.limit[j]:
                if h.on[side] > j % 4:
                    if not t - h.down[j] >= r.keep[j]:
                        new = j % 4 + 1
                elif t - h.up[j] >= r.hold[j]:
                    new = j % 4 + 1
        for j in range(4 * side + new, 4 * side + 4):
            if h.on[side] > j % 4:
                h.up[j] = nan
                h.down[j] = nan
        h.on[side] = new
    n = announce(k, d, i, t, r, h, out, n)
    h.due = next_due(r, h)
    return n


def announce(k: int, d: int, i: int, t: float, r: Any, h: Any, out: Any, n: int) -> int:
    """What is said of what holds: a doubtful reading raises no further than `cap`; a good one then confirms."""
    raw, said = max(h.on[0], h.on[1]), h.said
    side = h.side if raw == 0.0 else 0.0 if h.on[0] >= h.on[1] else 1.0
    to = max(r.cap, said) if h.doubt == 1.0 and raw > r.cap and raw > said else raw
    confirmed = to == said and to > 0.0 and h.conf == 1.0 and h.doubt == 0.0
    if to != said or confirmed or (to > 0.0 and side != h.side):
        j = nearest(r, int(4.0 * side), int(max(to, said)) - 1)
        since = t - r.keep[j] if to < said else h.up[j] if h.up[j] == h.up[j] else t
        if said == 0.0:
            h.onset = since
            for m in range(int(4.0 * side), int(4.0 * side) + int(raw)):
                if h.up[m] < h.onset:
                    h.onset = h.up[m]
        n = say(0.0, k, d, i, t, h.value, h.score, out, n)
        e = out[n - 1]
        e.before, e.level, e.side, e.onset, e.since, e.doubt = said, to, side, h.onset, since, h.doubt
        e.limit = r.limit[j] if side == 0.0 else -r.limit[j]
        e.cap = r.cap if to < raw else nan
        h.said, h.conf, h.side = to, h.doubt, side
        if to == 0.0:
            h.onset = nan
    return n


def nearest(r: Any, first: int, level: int) -> int:
    """The limit that speaks for a level: its own, else the next one above, else below."""
    for j in range(first + level, first + 4):
        if r.limit[j] == r.limit[j]:
            return j
    for m in range(level + 1):
        if r.limit[first + level - m] == r.limit[first + level - m]:
            return first + level - m
    return first + level


def next_due(r: Any, h: Any) -> float:
    """When a hold or the keep of the highest level runs out if nothing more is heard; inf = never."""
    first = inf
    for j in range(8):
        if r.limit[j] == r.limit[j]:
            end = nan
            if h.on[j // 4] <= j % 4:
                end = h.up[j] + r.hold[j]
            elif h.on[j // 4] == j % 4 + 1:
                end = h.down[j] + r.keep[j]
            if end < first:
                first = end
    return first


def run_out(k: int, d: int, before: float, fresh: float, r: Any, h: Any, s: Any, out: Any, n: int) -> int:
    """Fire each due moment before `before` at which the series was still fresh, stamped with its due time; no reading says it."""
    while h.due < before and h.due <= fresh and not h.due > h.until:
        s.fired = h.due if not s.fired >= h.due else s.fired
        n = refresh(k, d, -1, h.due, r, h, out, n)
    return n


def remember(slot: Any, t: Any, x: Any, flag: Any, came: Any, size: int, lateness: float, ring: Any,
             left: Any, columns: Any) -> int:
    """Put readings at the end of their rings (count, then t, x, flag, arrived); a full ring lets its old half go."""
    out = 0
    for i in range(len(slot)):
        r = slot[i]
        n = int(ring[r, 0])
        if n == size:
            gone = 1
            while gone < n and ring[r, 1 + gone] <= t[i] - lateness:
                gone += 1
            for m in range(gone):
                left[out] = float(r)
                for c in range(3):
                    columns[c, out] = ring[r, 1 + size * c + m]
                out += 1
            n -= gone
            for c in range(4):
                for m in range(n):
                    ring[r, 1 + size * c + m] = ring[r, 1 + size * c + m + gone]
        ring[r, 1 + n] = t[i]
        ring[r, 1 + size + n] = x[i]
        ring[r, 1 + 2 * size + n] = flag[i]
        ring[r, 1 + 3 * size + n] = came[i]
        ring[r, 0] = n + 1.0
    return out


def silence(start: int, now: float, silent: float, detectors: int, R: Any, H: Any, series: Any, out: Any,
            due: Any) -> tuple[int, int]:
    """What the passing of time alone changes: a hold or keep that ran out, a series fallen silent.

    Only moments before `now`: a reading that arrives at the very moment decides itself.
    """
    n = 0
    for k in range(start, len(series)):
        if n + MOST * detectors + 1 > len(out):
            return k, n
        s = series[k]
        if s.fresh == 1.0:
            for d in range(detectors):
                h = H[k, d]
                if h.error == 0.0 and h.due < inf:
                    n = run_out(k, d, now - s.lag, s.past + silent, R[k, d], h, s, out, n)
                    if h.due <= s.past + silent and not h.due > h.until and h.due + s.lag < due[0]:
                        due[0] = h.due + s.lag
            end = s.overdue if s.overdue == s.overdue else s.contact + silent
            if end < now:
                s.fresh = 2.0
                n = say(1.0, k, -1, -1, end, s.value, silent, out, n)
                out[n - 1].level = 2.0
            elif end < due[0]:
                due[0] = end
    return len(series), n


def say(what: float, k: int, d: int, i: int, t: float, x: float, y: float, out: Any, n: int) -> int:
    """A fresh event; where the next one goes."""
    e = out[n]
    e.what, e.row, e.detector, e.index, e.t, e.value, e.score = what, k, d, i, t, x, y
    e.before, e.level, e.side, e.onset, e.since, e.limit, e.doubt, e.cap = 0.0, 0.0, 0.0, nan, nan, nan, 0.0, nan
    return n + 1
