"""All rules of a plan: which of them a change concerns, in the order in which they are made of each other."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from detectors.event import Change
from detectors.leads import Leads
from detectors.members import History
from detectors.ruling import Ruling
from detectors.tree import Key

SPOKEN = 32
"""So many times of falling silent and speaking are kept of a member whose silence a rule stands on."""
Quiet = dict[str, list[tuple[int, bool]]]
Due = dict[int, tuple[Ruling, dict[Key, int]]]
"""Rulings that are to be looked at: with the members that moved, and since when (µs, event time)."""


class Rulings:
    """`away` says of a series whether it cannot be believed to be of now. What rules say goes into `histories` as well."""

    def __init__(self, make: Callable[[dict[Key, History], Quiet], Iterator[Ruling]], histories: dict[Key, History],
                 away: Callable[[str], bool], leads: Leads) -> None:
        self.histories, self.silent, self.leads = histories, away, leads
        self.quiet: Quiet = {}                          # of members under a `not`: when each fell silent or spoke
        self.rulings = {(r.rule.path, r.place): r for r in make(histories, self.quiet)}
        self.of: dict[Key, list[Ruling]] = {}           # member -> the rulings it counts in
        self.of_name: dict[str, list[Ruling]] = {}      # its name -> the same
        self.asked: dict[str, list[Ruling]] = {}        # name -> those that stand on its silence
        for ruling in self.rulings.values():
            histories[ruling.rule.path, ruling.name] = ruling.history
            for key in ruling.members:
                self.of.setdefault(key, []).append(ruling)
            for name in ruling.tree.names:
                self.of_name.setdefault(name, []).append(ruling)
            for name in ruling.tree.heard:
                self.asked.setdefault(name, []).append(ruling)

    def follow(self, moved: dict[Key, int], cause: Change) -> list[Change]:
        """What rules say now that these members say something else since then, and what rules over them say."""
        due: Due = {}
        self._due(due, moved, cause.scope)
        return self._ranked(due, cause)

    def hear(self, moved: Iterable[str] | None, cause: Change) -> list[Change]:
        """The same now that the freshness of these members (None: of any) has moved. A cause without a kind is no event."""
        due: Due = {}
        for name in self.of_name if moved is None else moved:
            self._hear(due, name, self.away(name), cause)
        return self._ranked(due, cause)

    def away(self, name: str) -> bool:
        """Whether a member, a series or a rule, cannot be believed to be of now."""
        indicator, place = name.split("@", 1)
        return not self.rulings[indicator, place].known if "/" in indicator else self.silent(name)

    def _due(self, due: Due, moved: dict[Key, int], scope: str) -> None:
        for key, since in moved.items():
            for ruling in self.of.get(key, ()):
                if scope == ruling.rule.scope or (scope == "real" and ruling.rule.scope == "shadow"):
                    keys = due.setdefault(id(ruling), (ruling, {}))[1]
                    keys[key] = min(since, keys.get(key, since))

    def _hear(self, due: Due, name: str, away: bool, cause: Change) -> None:
        """A member is silent now, or is not: those it counts in are due."""
        for ruling in self.of_name.get(name, ()):
            ruling.hear(name, away)
            due.setdefault(id(ruling), (ruling, {}))
        if name in self.asked and cause.kind:
            line = self.quiet.setdefault(name, [])
            if (line[-1][1] if line else False) != (not away):
                line.append((cause.time, not away))
                line.sort()
                del line[:-SPOKEN]
                for ruling in self.asked[name]:
                    due[id(ruling)][1]["", name] = cause.time

    def _ranked(self, due: Due, cause: Change) -> list[Change]:
        """Every rule that is due, once, after those that it is made of."""
        out: list[Change] = []
        while due:
            rank = min(ruling.rank for ruling, _ in due.values())
            for number in [n for n, (ruling, _) in due.items() if ruling.rank == rank]:
                ruling, moved = due.pop(number)
                said = ruling.judge(moved, self._floors(moved), cause) if moved else []
                if said:
                    since = min([ruling.history.add(change) for change in said])
                    self._due(due, {(ruling.rule.path, ruling.name): since}, ruling.rule.scope)
                known = ruling.known
                told = ruling.freshness(cause.time, cause.arrived)
                if ruling.known != known:
                    self._hear(due, ruling.name, not ruling.known, cause)
                out += [*map(self.leads.mark, said), *told]
        return out

    def _floors(self, moved: Iterable[Key]) -> Iterator[int | None]:
        return (self.histories[key].floor for key in moved if key in self.histories)

    def take_over(self, old: Rulings, now: int) -> list[Change]:
        """What was known under another plan. Open rules that left are retired; one that changed says nothing by itself."""
        self.quiet |= {name: line for name, line in old.quiet.items() if name in self.asked}
        self.leads.load(old.leads.dump())
        left = dict(old.rulings)
        latest = max((said.time for history in old.histories.values() for said in history.said), default=None)
        for (path, place), ruling in self.rulings.items():
            was = f"{ruling.rule.pack}/{ruling.rule.was}" if ruling.rule.was else path
            before = left.pop((was, place), None) or left.pop((path, place), None)
            if before is not None:
                self._restore(ruling, before.dump())
                if (before.rule, before.members) != (ruling.rule, ruling.members):
                    ruling.floor = latest
        return [change for ruling in left.values() for change in ruling.retired(now)]

    def forget(self, key: Key) -> None:
        """Another history of a member was loaded: the rulings it counts in are worked out again."""
        for ruling in self.of.get(key, ()):
            ruling.line.stale = True

    def _restore(self, ruling: Ruling, body: list[Any]) -> None:
        ruling.load(body)
        self.histories[ruling.rule.path, ruling.name] = ruling.history
        for over in self.of.get((ruling.rule.path, ruling.name), ()):
            over.line.stale = True

    def dump(self) -> dict[str, Any]:
        """Plain objects."""
        return {"quiet": self.quiet, "leads": self.leads.dump(),
                "rulings": [[*key, ruling.dump()] for key, ruling in self.rulings.items()]}

    def load(self, body: dict[str, Any]) -> None:
        """The way back, from the form without `quiet` and `leads` as well."""
        self.quiet |= {name: [(t, bool(heard)) for t, heard in line] for name, line in body.get("quiet", {}).items()}
        self.leads.load(body.get("leads", [[], []]))
        for path, place, ruling in body["rulings"]:
            if (path, place) in self.rulings:
                self._restore(self.rulings[path, place], ruling)
        for ruling in self.rulings.values():
            for name in ruling.tree.names:
                ruling.hear(name, self.away(name))
