"""The rows of one indicator: a float matrix, and what each step sees of it."""
from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, nan
from typing import Any, NamedTuple

import numpy as np

from detectors import beside
from detectors.event import Change
from detectors.kernel import compiles, kernel, shared
from detectors.loops import EVENT, HEAD, MOST
from detectors.pack import Indicator
from detectors.plan import Group, Piece, told_plainly
from detectors.reading import Fit, Floats, Rows
from detectors.sums import summed

ACCEPT = 3.0            # the worst flag that is still judged: fail (4) and missing (9) are no value
_NOT = ("seen", "past", "contact", "value", "tainted", "fired", "overdue")
ROOM = 1 << 20          # numbers that it is no matter to ask for
_ALWAYS: Floats = np.zeros((0, 0))


class Outcome(NamedTuple):
    """What one batch did: flags, the check that decided (0 = none, else its number from 1), scores, events, derived values."""

    flag: Floats
    check: Rows
    scores: Floats
    events: list[Any]
    made: list[Floats]
    tainted: Floats


@dataclass(slots=True)
class Said:
    """A change that was emitted and may still be revised by a rewind: of which detector, under which announced onset."""

    detector: int
    announced: float
    change: Change


class Side:
    """One half of the rows (live, or the base of rewinds), as the loops see it."""

    def __init__(self, table: Table, first: int) -> None:
        group = table.group
        part = table.matrix[:, first:first + group.width]
        self.group, self.part = group, part
        self.series = self.view(group.pieces[0])
        self.fresh, self.flag, self.source = (self.series[name] for name in ("fresh", "flag", "source"))
        heads = [group.at[f"head:{d.path}"] for d in group.detectors]
        at = slice(heads[0].start, heads[-1].stop) if heads else slice(0, 0)
        self.heads = part[:, at].view(HEAD) if heads else np.zeros((len(part), 0), HEAD)
        self.checks, self.kinds, self.ops = ([self.view(p) for p in pieces] for pieces in (group.checks, group.kinds, group.ops))

    def view(self, piece: Piece) -> Any:
        """One piece of the rows, as a column of records."""
        return self.part[:, self.group.at[piece.name]].view(piece.dtype)[:, 0]

    def clean(self, rows: Any = slice(None)) -> None:
        """Never heard of: all zero, times not set."""
        self.part[rows] = 0.0
        for name in _NOT:
            self.series[name][rows] = nan
        for name in ("onset", "announced", "up", "down"):
            self.heads[name][rows] = nan
        self.heads["due"][rows] = self.heads["until"][rows] = inf


class Table:
    """All series of one indicator that this state holds."""

    def __init__(self, group: Group, sites: list[str], compiled: bool) -> None:
        self.group, self.sites = group, sites
        self.row = {site: n for n, site in enumerate(sites)}
        self.matrix = np.zeros((len(sites), group.width * (2 if group.ring else 1) + 4 * group.ring + 2))
        self.loops = shared(compiled)
        self.parameters = [group.told(p, sites) for p in (*group.checks, *group.kinds, *group.ops)]
        self.rules = group.rules(sites)
        self.looks = compiles(compiled)         # compiled loops put what lies beside into the state by themselves
        self.kernels = ([kernel(p.algorithm, compiled, looks=p.use is not None and bool(p.use.beside))
                         for p in (*group.checks, *group.kinds)]
                        + [kernel(p.algorithm, compiled, derive=True) for p in group.ops])
        self.check_names = ["", *(p.name.split(":")[2] for p in group.checks)]
        self.lifted = [np.isin(self.check_names, lifts) if (lifts := getattr(p.algorithm, "lifts", ())) else None
                       for p in group.checks]
        self.silent = group.indicator.silent * 1e6
        self.watches = group.watches()
        self.live = Side(self, 0)
        self.live.clean()
        self.base = Side(self, group.width) if group.ring else None
        if self.base is not None:
            self.base.clean()
            self.ring = self.matrix[:, 2 * group.width:2 * group.width + 4 * group.ring + 1]
        self.log: dict[int, list[Said]] = {}
        self.waiting: dict[int, dict[float, Waiting]] = {}
        self.kept_beside = {p.name.removeprefix("beside:"): self.live.view(p) for p in group.beside}
        self.sums = [summed(group.plan.indicators[p.name.removeprefix("area:")], self.row, self.live.view(p))
                     for p in group.sums]       # area series that this one adds to
        self.askers: list[Table] = []           # those whose steps look at this series (beside.py)
        self.several: list[Indicator] = []      # derived indicators of several inputs that this one feeds
        self.windows: list[float] = []          # of each derive operator, µs
        self._several: dict[int, Any] = {}
        self.dirty = np.zeros(len(sites), bool)     # touched since the last copy
        self.known = np.zeros(len(sites), bool)     # copied or loaded at any time; a row that is neither was never heard of
        self.out = np.zeros(max(1024, 3 * MOST * (len(group.detectors) + 1)), EVENT)

    def name(self, row: int) -> str:
        """The series of a row."""
        return f"{self.group.indicator.id}@{self.sites[row]}"

    def told_several(self, row: int) -> Any:
        """What the operator that makes this series of several inputs is told at its site."""
        if row not in self._several:
            self._several[row] = told_plainly(self.group.indicator, self.sites[row])
        return self._several[row]

    def run(self, side: Side, slot: Rows, t: Floats, x: Floats, flag: Floats, due: Floats) -> Outcome:
        """One batch through checks, kinds, settle and derive operators, in that order."""
        n, group = len(slot), self.group
        told, said, given = np.empty(n), np.zeros(n, np.int64), flag
        checks, kinds = len(group.checks), len(group.kinds)
        for c in range(checks):
            self._step(c, group.checks[c], slot, t, x, flag, side.checks[c], told)
            if (told > flag).any():                      # a check that failed (inf) knows nothing: 2
                told[told == inf] = 2.0
                worse = told > flag
                said[worse] = c + 1
                flag = np.where(worse, told, flag)
            lifted = self.lifted[c]
            if lifted is not None:                       # a doubt of those checks that it knows a reason for
                known = (told == 0.0) & (flag == 3.0) & lifted[said]
                flag, said = np.where(known, np.minimum(given, flag), flag), np.where(known, 0, said)
        tainted = np.empty(n)
        self.loops.mark(slot, t, flag, side.series, tainted)
        scores = np.empty((kinds, n))
        for d in range(kinds):
            self._step(checks + d, group.kinds[d], slot, t, x, flag, side.kinds[d], scores[d])
        events: list[Any] = []
        if kinds or group.ring:
            events = self.settle(side, slot, t, x, flag, scores, due)
        made = []
        for o in range(len(group.ops)):
            values = np.empty(n)
            self.kernels[checks + kinds + o](slot, t, x, flag, ACCEPT, self.parameters[checks + kinds + o], side.ops[o], values)
            made.append(values)
        return Outcome(flag, said, scores, events, made, tainted)

    def _step(self, k: int, piece: Piece, slot: Rows, t: Floats, x: Floats, flag: Floats, s: Any, out: Floats) -> None:
        """One batch through one check or kind."""
        if piece.use is not None and piece.use.beside:
            others = [self.group.plan.indicators[name] for name in piece.use.beside]
            seen = beside.look(self.loops.look, others, self.kept_beside, slot, t)
            if self.looks:
                self.kernels[k](slot, t, x, flag, ACCEPT, seen, beside.slots(s), self.parameters[k], s, out)
            else:
                beside.step(seen, self.kernels[k], slot, t, x, flag, ACCEPT, self.parameters[k], s, out)
        else:
            self.kernels[k](slot, t, x, flag, ACCEPT, self.parameters[k], s, out)

    def settle(self, side: Side, slot: Rows, t: Floats, x: Floats, flag: Floats, scores: Floats, due: Floats) -> list[Any]:
        """Scores into events, however many there are."""
        events: list[Any] = []
        start, n = 0, 0
        until = self.active(t) if self.watches else _ALWAYS
        while start < len(slot):
            start, n = self.loops.settle(start, slot, t, x, flag, scores, until, len(scores), self.rules, side.heads,
                                         side.series, self.silent, self.out, due)
            if n:
                events.extend(self.out[:n].copy())
        return events

    def active(self, t: Floats) -> Floats:
        """Until when each detector judges, at each reading: NaN = not now, inf = always."""
        until = np.full((len(self.group.detectors), len(t)), inf)
        for d, watch in self.watches.items():
            until[d] = watch.until(t)
        return until

    def expect(self, slot: Rows) -> float:
        """Published figures came: when the next ones are overdue; the first of these moments, µs."""
        published = self.group.published
        if published is None:
            return inf
        ends = np.array(published.overdue(self.live.series["seen"][slot].tolist()))
        self.live.series["overdue"][slot] = ends
        return float(np.nanmin(ends, initial=inf))

    def fit(self, row: int, record: Fit) -> bool:
        """Put what was fitted or warmed into the state of its kind; slots that are NaN stay. False: for another layout."""
        names = f"kind:{record.detector}", f"made:{record.detector}", f"op:{record.detector}"
        piece = next((p for p in self.group.pieces if p.name in names), None)
        if piece is None or piece.width != len(record.row) or record.hash not in ("", piece.stamp(self.sites[row])):
            return False
        values = np.array(record.row)
        for side in (self.live, *([self.base] if self.base else [])):
            part = side.part[row, self.group.at[piece.name]]
            part[:] = np.where(np.isnan(values), part, values)
        self.dirty[row] = True
        return True

    def silence(self, now: float, due: Floats, rows: slice = slice(None)) -> list[Any]:
        """What time alone changes in these rows."""
        events: list[Any] = []
        start, count = 0, len(self.live.series[rows])
        while start < count:
            start, n = self.loops.silence(start, now, self.silent, len(self.group.detectors), self.rules[rows],
                                          self.live.heads[rows], self.live.series[rows], self.out, due)
            if n:
                events.extend(self.out[:n].copy())
        return events

    # ---- the ring of a row: count, then t, x, flag, arrived, oldest first -------------------------------

    def kept(self, row: int) -> tuple[Floats, Floats, Floats, Floats]:
        """The readings that a rewind would step again: t, x, flag, arrived."""
        n, size = int(self.ring[row, 0]), self.group.ring
        t, x, flag, arrived = (self.ring[row, 1 + size * c:1 + size * c + n].copy() for c in range(4))
        return t, x, flag, arrived

    def keep(self, row: int, columns: tuple[Floats, ...]) -> None:
        """Put them back."""
        size = self.group.ring
        self.ring[row, 0] = len(columns[0])
        for c, column in enumerate(columns):
            self.ring[row, 1 + size * c:1 + size * c + len(column)] = column

    def remember(self, slot: Rows, t: Floats, x: Floats, flag: Floats, came: Floats) -> None:
        """New readings into the rings; what leaves them steps the base."""
        rows = len(slot) if len(slot) * self.group.ring < ROOM else len(np.unique(slot))
        size = len(slot) + self.group.ring * rows       # so many may leave
        left = np.empty(size), np.empty((3, size))
        n = self.loops.remember(slot, t, x, flag, came, self.group.ring, self.group.lateness, self.ring, *left)
        if n:
            self.advance(left[0][:n].astype(np.int64), *(np.ascontiguousarray(c[:n]) for c in left[1]))

    def advance(self, slot: Rows, t: Floats, x: Floats, flag: Floats) -> None:
        """Step the base over readings that can no longer be rewound; their changes become final."""
        assert self.base is not None
        self.base.series["seen"][slot] = t
        for event in self.run(self.base, slot, t, x, flag, np.array([inf])).events:
            if event["what"] == 0.0:
                self._final(int(event["row"]), int(event["detector"]))

    def _final(self, row: int, detector: int) -> None:
        """The oldest change of this detector can no longer be revised; the base takes its announced onset over."""
        assert self.base is not None
        log = self.log.get(row, [])
        for n, said in enumerate(log):
            if said.detector == detector:
                if said.change.withdrawn:
                    continue
                del log[n]
                head = self.base.heads[row, detector]
                head["announced"] = nan if said.change.to == 0 else said.announced
                head["seq"] = said.change.seq
                return

    def note(self, row: int, said: Said) -> None:
        """Remember what was emitted since the base; a rewind compares it one by one, so none may be missing."""
        log = self.log.setdefault(row, [])
        log.append(said)
        mine = [s for s in log if s.detector == said.detector]
        if len(mine) > 4 * self.group.ring:
            log.remove(mine[0])


@dataclass
class Waiting:
    """Inputs of one t of a derived series that has several: values (NaN = not in), flags, when first in, whether told."""

    values: list[float]
    flags: list[float]
    first: float
    told: bool = False
    known: list[bool] = field(default_factory=list)
