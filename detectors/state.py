"""The rows that one owner holds: of some sites, under one plan; saved and found again by the names of the series."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.event import Change, alert_id
from detectors.pack import Indicator
from detectors.plan import Plan
from detectors.reading import Fit, Floats, Part, Rows, Source
from detectors.store import cut, dump, load
from detectors.table import Outcome, Table
from detectors.targets import targets

_FRESH = ("never", "fresh", "stale")


class _Places(dict[str, int]):
    """Table << 32 | row by series name; -1 for any other name, which is not kept."""

    def __missing__(self, name: str) -> int:
        return -1


class State:
    """Rows for `sites` (None = all of the plan). Interpreted with `compiled=False` or where Numba is absent; the same bits."""

    def __init__(self, plan: Plan, sites: Iterable[str] | None = None, compiled: bool = True, trace: bool = False) -> None:
        self.plan, self.compiled = plan, compiled
        self.held = None if sites is None else set(sites)
        self.tables: list[Table] = []
        for group in plan.groups.values():
            here = [s for s in group.indicator.sites if self.held is None or s in self.held]
            if group.indicator.derive and group.indicator.derive.tree:
                here = []                               # of areas; judged in combine
            table = Table(group, here, compiled)
            table.several = [i for i in plan.several if i.derive and group.indicator.id in i.derive.inputs]
            table.windows = [_window(i) for i in group.feeds]
            self.tables.append(table)
        self.table_of = {t.group.indicator.id: t for t in self.tables}
        self.number = {t.group.indicator.id: n for n, t in enumerate(self.tables)}
        for table in self.tables:
            for piece in table.group.beside:
                self.table_of[piece.name.partition(":")[2]].askers.append(table)
        self.guests = targets(self.tables)
        self.guested: tuple[tuple[str, ...], NDArray[np.bool_]] = (), np.zeros(0, bool)     # which of a dictionary's series are
        self.parts: dict[tuple[str, int, int], Part] = {}       # of area series, by when they came; since they were last taken
        self.now = -(2**62)
        self.due = np.array([inf])
        self.sources: list[str] = [""]
        self.flags = np.zeros(0, np.uint8)
        self.named: list[str] = []
        self.derived: list[tuple[str, int, float, int, str, int]] = []
        judged = {d.indicator for d in plan.detectors.values()}
        self.kept = {i.id for i in plan.indicators.values() if i.keep or i.id in judged}    # told in `derived`: the evidence
        self.trace: list[tuple[int, str, float, int]] | None = [] if trace else None
        self._last: tuple[tuple[str, ...], Rows, Rows] = (), np.zeros(0, np.int64), np.zeros(0, np.int64)
        self._heard: tuple[tuple[str, ...], Floats] = (), np.zeros(0)
        self._across: dict[tuple[int, int], Rows] = {}
        self._places = _Places({t.name(row): (n << 32) + row for n, t in enumerate(self.tables) if not t.group.indicator.derive
                                for row in range(len(t.sites))})

    # ---- what a block asks -----------------------------------------------------------------------------

    def begin(self, n: int) -> None:
        """A block of `n` readings follows."""
        self.flags, self.named, self.derived = np.zeros(n, np.uint8), [""] * n, []
        if self.trace is not None:
            self.trace = []

    def places(self, names: tuple[str, ...]) -> tuple[Rows, Rows]:
        """Table and row of each series of a block's dictionary; -1 where it is not held here."""
        if names is not self._last[0]:
            codes = np.fromiter(map(self._places.__getitem__, names), np.int64, len(names))
            self._last = names, codes >> 32, codes & 0xFFFFFFFF
        return self._last[1], self._last[2]

    def across(self, upper: Table, lower: Table) -> Rows:
        """Rows of the same sites in another table; -1 where there is none."""
        key = self.number[upper.group.indicator.id], self.number[lower.group.indicator.id]
        if key not in self._across:
            self._across[key] = np.array([lower.row.get(s, -1) for s in upper.sites], np.int64)
        return self._across[key]

    def heard(self, table: int, rows: Rows, names: tuple[str, ...], which: Any) -> None:
        """Each series remembers the source of its last reading: `which` points into `names`."""
        if names is not self._heard[0]:
            for name in names:
                if name not in self.sources:
                    self.sources.append(name)
            self._heard = names, np.array([self.sources.index(name) for name in names], float)
        self.tables[table].live.source[rows] = self._heard[1][which]

    def source(self, table: Table, row: int) -> str:
        """Where the last reading of a series came from."""
        return self.sources[int(table.live.series["source"][row])]

    def told(self, table: Table, where: Any, outcome: Outcome, slot: Rows, rows: Any = slice(None)) -> None:
        """Keep what became of the readings at these places of the block (or of a derived series: where is None)."""
        if where is None:
            return
        self.flags[where] = outcome.flag[rows].astype(np.uint8)
        checks = outcome.check[rows]
        doubted = checks.nonzero()[0]
        if len(doubted):
            for i, c in zip(where[doubted].tolist(), checks[doubted].tolist(), strict=True):
                self.named[i] = table.check_names[c]
        if self.trace is not None:
            for n, i in enumerate(where):
                for d, detector in enumerate(table.group.detectors):
                    score = outcome.scores[d][rows][n]
                    self.trace.append((int(i), detector.path, float(score), int(table.live.heads[slot[rows][n], d]["said"])))

    def made(self, table: Table, slot: Rows, t: Floats, x: Floats, outcome: Outcome, arrived: int | None,
             rows: Any = slice(None)) -> None:
        """Keep readings of a derived series for those who store or show them: these rows of a batch."""
        if table.group.indicator.id in self.kept:
            columns = (slot, t, x, outcome.flag, outcome.check)
            for row, moment, value, flag, check in zip(*(c[rows].tolist() for c in columns), strict=True):
                self.derived.append((table.name(row), int(moment), value, int(flag), table.check_names[check],
                                     int(moment) if arrived is None else arrived))

    def name(self, where: Any, which: Any, word: str, flag: Floats) -> None:
        """Say why readings were not judged."""
        if where is not None and which.any():
            self.flags[where[which]] = flag[which].astype(np.uint8)
            for i in where[which]:
                self.named[int(i)] = word

    def name_one(self, where: Any, word: str, flag: float) -> None:
        """Say why one reading was not judged."""
        if where is not None:
            self.flags[where] = int(flag)
            self.named[int(where)] = word

    def told_parts(self) -> list[tuple[int, Part]]:
        """What changed in the areas since this was last asked, and when it came (µs UTC); of one moment the newest of each."""
        parts, self.parts = [(came, part) for (_, _, came), part in self.parts.items()], {}
        return parts

    # ---- control records -------------------------------------------------------------------------------

    def control(self, record: Source | Fit) -> list[Change]:
        """A source's heartbeat (combine's concern), or a state row made from history."""
        if isinstance(record, Fit):
            indicator, _, site = record.series.partition("@")
            table = self.table_of.get(indicator)
            if table is not None and site in table.row:
                table.fit(table.row[site], record)
        return []

    # ---- saving and moving -----------------------------------------------------------------------------

    def dirty(self) -> set[str]:
        """Sites touched since they were last dumped."""
        return {t.sites[n] for t in self.tables for n in np.flatnonzero(t.dirty)}

    def dump(self, sites: Iterable[str] | None = None) -> list[tuple[Any, ...]]:
        """Rows of these sites (None = all), as plain values that MessagePack takes; they are clean afterwards."""
        return dump(self.tables, None if sites is None else set(sites), self.sources)

    def load(self, rows: Iterable[Any]) -> None:
        """Rows found by name; a part whose kind or window changed starts anew (warming)."""
        load(self.table_of, rows, self.sources)
        self.due[0] = -inf

    def move(self, plan: Plan, sites: Iterable[str] | None = None) -> tuple[State, list[Change]]:
        """The same rows under another plan, for `sites` of it (None = those held now).

        Never a clear: what lost its detector while open is said to be retired.
        """
        moved = State(plan, self.held if sites is None else set(sites), self.compiled, self.trace is not None)
        for table in self.tables:
            moved.load(cut(table, np.flatnonzero(table.known | table.dirty), self.sources).written())
        moved.now = self.now
        was = {d.was and f"{d.pack}/{d.was}": d.path for d in plan.detectors.values()}
        changes = []
        for table in self.tables:
            for d, detector in enumerate(table.group.detectors):
                there = plan.detectors.get(detector.path) or plan.detectors.get(was.get(detector.path, ""))
                below = None if there is None else moved.table_of[there.indicator].row
                changes += [_retired(self, table, row, d) for row in np.flatnonzero(table.live.heads["said"][:, d]).tolist()
                            if below is None or table.sites[row] not in below]
        return moved, changes

    # ---- looking ---------------------------------------------------------------------------------------

    def levels(self) -> list[tuple[str, str, int, str, str, str]]:
        """(series, detector path, level, fresh, confidence, direction) of every series × detector."""
        out = []
        for table in self.tables:
            for d, detector in enumerate(table.group.detectors):
                heads, young = table.live.heads[:, d], _warming(table, d)
                for row in range(len(table.sites)):
                    h = heads[row]
                    fresh = _FRESH[int(table.live.series["fresh"][row])]
                    fresh = "error" if h["error"] else "warming" if young[row] and fresh == "fresh" else fresh
                    out.append((table.name(row), detector.path, int(h["said"]), fresh,
                                "suspect" if h["conf"] and h["said"] else "good", "low" if h["side"] else "high"))
        return out

    def summary(self) -> dict[str, dict[tuple[str, str], int]]:
        """Counts for metrics: (pack, fresh) and (pack, level word index) -> number of series."""
        fresh: Counter[tuple[str, str]] = Counter()
        level: Counter[tuple[str, str]] = Counter()
        for table in self.tables:
            pack = table.group.indicator.pack
            for n, word in enumerate(_FRESH):
                fresh[pack, word] += int((table.live.series["fresh"] == n).sum())
            real = [d for d, x in enumerate(table.group.detectors) if x.scope == "real"]
            if real:
                worst = table.live.heads["said"][:, real].max(axis=1)
                for n in range(5):
                    level[pack, str(n)] += int((worst == n).sum())
        return {"fresh": dict(fresh), "level": dict(level)}


def _window(target: Indicator) -> float:
    """How long a doubtful input taints what is made of it, µs."""
    assert target.derive is not None
    over = target.derive.use.params.get("over", 0.0)
    return float(over) * 1e6 if isinstance(over, float | int) else 0.0


def _warming(table: Table, d: int) -> Any:
    piece = table.group.kinds[d]
    if "warm" not in piece.algorithm.PARAMS.names or "n" not in piece.algorithm.STATE.names:
        return np.zeros(len(table.sites), bool)
    return table.live.kinds[d]["n"] < table.parameters[len(table.group.checks) + d]["warm"]


def _retired(state: State, table: Table, row: int, d: int) -> Change:
    detector, head = table.group.detectors[d], table.live.heads[row, d]
    alert = alert_id(detector.root, table.name(row), int(head["announced"]))
    return Change(kind="retired", id=f"{alert}-retired", alert=alert, seq=int(head["seq"]), time=state.now, arrived=state.now,
                  pack=detector.pack, site=table.sites[row], indicator=detector.indicator, detector=detector.path,
                  before=int(head["said"]), to=int(head["said"]), group=detector.group,
                  scope=detector.scope, value=float(head["value"]), plan=state.plan.hash)


