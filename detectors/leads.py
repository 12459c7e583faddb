"""Leads 线索: what is a line of a worklist instead of an alert, so many a day and group; the rest is only counted."""
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from detectors.event import Change
from detectors.pack import Report

if TYPE_CHECKING:
    from detectors.places import Places
    from detectors.planned import Planned

DAY = 86_400_000_000
EAST = 28_800_000_000
"""A day begins at midnight in Beijing (µs east of UTC)."""
OPEN = 100_000
"""So many leads past their budgets are remembered, so that what follows of one is counted with it."""

Group = tuple[str, str, int]
"""Path of the detector or rule, group, day (local, counted from 1970)."""


class Leads:
    """Who comes first is in: a worklist is worked on while it fills, so which leads it holds depends on the order of arrival.

    The level that is announced, its id and its numbers do not.
    """

    def __init__(self, plan: Planned, places: Places) -> None:
        self.places = places
        self.reports: dict[str, Report] = {p: d.report for p, d in plan.detectors.items() if d.report is not None}
        self.reports |= {r.path: r.report for pack in plan.city.packs for r in pack.rules if r.report is not None}
        self.count: dict[Group, int] = {}
        self.rest: dict[str, None] = {}

    def mark(self, change: Change) -> Change:
        """The same change, as a lead if that is what its entry reports."""
        report = self.reports.get(change.detector or change.rule) if change.kind == "level" else None
        if report is None:
            return change
        if change.before == 0 and change.revision == 0 and report.budget:
            group = (change.detector or change.rule, self.group(report, change), (change.time + EAST) // DAY)
            self.count[group] = self.count.get(group, 0) + 1
            if self.count[group] > report.budget:
                self.rest[change.alert] = None
            for old in [g for g in self.count if g[2] < group[2] - 1] if len(self.count) > OPEN else ():
                del self.count[old]
            if len(self.rest) > OPEN:
                del self.rest[next(iter(self.rest))]
        return replace(change, report="rest" if change.alert in self.rest else "lead")

    def group(self, report: Report, change: Change) -> str:
        """`tree:area` that a lead counts in, or "" where its entry has one budget for all."""
        if not report.tree:
            return ""
        if not change.site:
            return change.area
        return next(iter(self.places.over(change.site, report.tree, report.depth)), "")

    def dump(self) -> list[Any]:
        """Plain lists."""
        return [[[*group, n] for group, n in self.count.items()], list(self.rest)]

    def load(self, body: list[Any]) -> None:
        """The way back."""
        self.count = {(path, group, day): n for path, group, day, n in body[0] if path in self.reports}
        self.rest = dict.fromkeys(body[1])
