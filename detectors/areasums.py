"""Sums over an area, merged: the parts of all partitions become the readings of the area's series, judged like any other."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from detectors.event import Change
from detectors.judge import State, judge, tick
from detectors.pack import City, Indicator, Pack
from detectors.plan import Plan
from detectors.reading import Block, Flag, Part
from detectors.sums import merged, value

if TYPE_CHECKING:
    from detectors.planned import Planned

TIMES = 16


class AreaSums:
    """The area series of a plan. A value is told once `coverage` of the sites is in it, and again with each that follows."""

    def __init__(self, plan: Planned) -> None:
        self.indicators: dict[str, Indicator] = {i.id: i for i in plan.indicators.values() if i.derive and i.derive.tree}
        self.plan = Plan(_alone(plan, self.indicators), plan.hash)
        self.state = State(self.plan)
        self.parts: dict[str, dict[int, dict[int, tuple[float, int, int]]]] = {}
        """Series -> time -> partition -> total, count, offset."""
        self.of: dict[str, dict[int, int]] = {}             # series -> partition -> sites that it has there
        self.arrived = -(1 << 62)

    def __bool__(self) -> bool:
        return bool(self.indicators)

    def part(self, part: Part, now: int) -> list[Change]:
        """What one partition has of an area at a time; `now` is the clock of the slowest partition (µs UTC)."""
        name, _, area = part.series.partition("@")
        indicator = self.indicators.get(name)
        if indicator is None or indicator.derive is None or area not in indicator.derive.guests:
            return []
        if self.of.setdefault(part.series, {}).setdefault(part.partition, part.of) != part.of:
            self.of[part.series], self.parts[part.series] = {part.partition: part.of}, {}       # the sites are spread anew
        times = self.parts.setdefault(part.series, {})
        known = times.setdefault(part.t, {}).get(part.partition)
        if known is not None and 0 <= part.offset < known[2]:
            return []                                   # a judge that starts again says again what it had said
        times[part.t][part.partition] = (part.sum, part.count, part.offset)
        if len(times) > max(TIMES, self.plan.groups[name].ring):
            del times[min(times)]
        here = list(times.get(part.t, {}).values())
        count, sites = sum(n for _, n, _ in here), len(indicator.derive.guests[area])
        if not count or count < indicator.derive.coverage * sites - 1e-9:
            return []
        total = merged(indicator.derive.use.kind, [total for total, n, _ in here if n])
        self.arrived = max(self.arrived, now, part.t)
        block = Block.of([(part.series, part.t, value(indicator, total, count))], self.arrived)
        whole = count == sites
        block.flag[:] = Flag.NONE if whole else Flag.UNKNOWN
        made = judge(self.plan, self.state, block)
        return [self._marked(c, "" if whole else f"partial {count}/{sites}") for c in made]

    def tick(self, now: int) -> list[Change]:
        """Holds, keeps and silences of the area series; every partition is as far as `now`."""
        self.arrived = max(self.arrived, now)
        return tick(self.plan, self.state, now)

    def _marked(self, change: Change, partial: str) -> Change:
        return replace(change, check=partial) if partial and change.kind == "level" and not change.check else change

    def holds(self, change: Change) -> bool:
        """Whether a change is of an area series."""
        return change.indicator in self.indicators

    def take_over(self, old: AreaSums) -> list[Change]:
        """What was known under another plan; what is open and has left it is retired."""
        self.state, changes = old.state.move(self.plan, None)
        self.parts = {s: times for s, times in old.parts.items() if s.partition("@")[0] in self.indicators}
        self.of, self.arrived = {s: of for s, of in old.of.items() if s in self.parts}, old.arrived
        return changes

    def dump(self) -> list[Any]:
        """Plain objects."""
        parts = [[s, t, p, *one] for s, times in self.parts.items() for t, here in times.items() for p, one in here.items()]
        of = [[s, p, n] for s, here in self.of.items() for p, n in here.items()]
        return [parts, [[*row[:2], bytes(row[2]), row[3]] for row in self.state.dump()], self.arrived, self.state.now, of]

    def load(self, body: list[Any]) -> None:
        """The way back."""
        parts, rows, self.arrived, now, of = body
        self.parts, self.of = {}, {}
        for series, p, n in of:
            self.of.setdefault(series, {})[p] = n
        for series, t, p, total, n, offset in parts:
            self.parts.setdefault(series, {}).setdefault(t, {})[p] = (total, n, offset)
        self.state.load(rows)
        self.state.now = now


def _alone(plan: Planned, indicators: dict[str, Indicator]) -> City:
    """The area series as if they were measured, with their detectors."""
    packs = []
    for pack in plan.city.packs if indicators else ():
        mine = tuple(replace(i, derive=None) for i in pack.indicators if i.id in indicators)
        packs.append(Pack(pack.id, pack.title, mine, tuple(d for d in pack.detectors if d.indicator in indicators)))
    return City(tuple(packs), calendar=plan.city.calendar)
