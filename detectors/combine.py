"""`levels` in, events out: rules over areas, silence told apart, nothing said twice. Pure; `levels` is its log (design 9.18)."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from detectors.areas import Areas
from detectors.areasums import AreaSums
from detectors.contact import Contact
from detectors.event import Change, alert_id, event_id
from detectors.leads import Leads
from detectors.members import History
from detectors.places import Places
from detectors.planned import Planned
from detectors.reading import Part, Source
from detectors.ruling import Key, Ruling
from detectors.rulings import Rulings

BEHIND = 60_000_000
"""A partition whose ticks are so far (µs) behind the newest: its members count as stale (design 9.18)."""
STEPS = 60
"""And so many ticks: a played history has ticks a minute apart, where one more or less means nothing."""
SEEN = 256
"""Ids kept of one (detector, series), to drop what a restarted judge says again (design 9.14)."""


class Board:
    """All that is known from `levels`. `where` tells the partition of a site; without it, it is learned from the changes.

    >>> from types import SimpleNamespace
    >>> from detectors.pack import City
    >>> Board(SimpleNamespace(city=City(()), hash="", indicators={}, detectors={})).now
    0
    """

    def __init__(self, plan: Planned, where: Callable[[str], int] | None = None) -> None:
        self.plan, self.where = plan, where
        self.histories: dict[Key, History] = {}
        self.seen: dict[Key, dict[tuple[str, int, bool], None]] = {}
        self.contact = Contact(plan.indicators)
        self.touched: set[Key] = set()                  # whose `part` is otherwise since these were last cleared
        self.ticks: dict[int, int] = {}
        self.places: dict[str, int] = {}
        self._raised: dict[Key, History] = {}           # those above normal
        self._looked: set[int] = set()                  # partitions that were behind when areas were last looked at
        self.now = 0
        self.stride = 0         # how far the newest tick went on from the one before (µs)
        self._places = Places(plan)
        self.rules = Rulings(self._places.rulings, self.histories, self._away, Leads(plan, self._places))
        self._fed = self._inputs()
        self.sums = AreaSums(plan)

    # --- what the plan says

    @property
    def rulings(self) -> dict[tuple[str, str], Ruling]:
        """(path of a rule, place) -> the rule at that place."""
        return self.rules.rulings

    # --- the four doors

    def change(self, change: Change) -> list[Change]:
        """One record of `levels`: the change itself, with its group, and what follows from it."""
        key = (change.detector, f"{change.indicator}@{change.site}")
        if self.where is None and change.partition >= 0 and change.site:
            self.places[change.site] = change.partition
        if self._had(key, change):
            return []
        out = [self._told(change)]
        if change.kind == "level" and change.detector:
            history = self.histories.setdefault(key, History())
            since = history.add(change)
            self._raise(key, history)
            out += self.rules.follow({key: since}, change)
        elif change.kind in ("fresh", "error") and change.site:
            out += self.contact.change(change)
            self._held.stirred.add(change.site)
            out += self.rules.hear(self._fed.get(key[1], (key[1],)), change)
        return out

    def summed(self, part: Part) -> list[Change]:
        """What a partition has of an area's sum at one time."""
        return [event for change in self.sums.part(part, self.now) for event in self._of_area(change)]

    def _of_area(self, change: Change) -> list[Change]:
        """The same as of a site, and what is said of the area itself says so."""
        return [replace(e, site="", area=e.site) if self.sums.holds(e) and e.detector == change.detector else e
                for e in self.change(change)]

    def tick(self, partition: int, now: int) -> list[Change]:
        """A tick that the judge of a partition forwarded. Ours is the slowest partition's."""
        behind, newest = self._behind(), max(self.ticks.values(), default=now)
        if now > newest:
            self.stride = now - newest
        self.ticks[partition] = max(now, self.ticks.get(partition, now))
        slowest = min(self.ticks.values())
        self.now = max(self.now, slowest) if self.now else slowest      # 0 = no tick yet: a history may be of before 1970
        out = self.contact.tick(self.now)
        if self.sums:
            out += [event for change in self.sums.tick(self.now) for event in self._of_area(change)]
        return out + (self.rules.hear(None, Change(kind="", time=now, arrived=now)) if self._behind() != behind else [])

    def source(self, source: Source) -> list[Change]:
        """What a feed says of its source."""
        return self.contact.heard(source)

    def move(self, plan: Planned) -> tuple[Board, list[Change]]:
        """The same knowledge under a new plan. Nothing is cleared by it: open rules that left it are retired."""
        new = Board(plan, self.where)
        old = {f"{d.pack}/{d.was}": path for path, d in plan.detectors.items() if d.was}
        known = {f"{name}@{site}" for name, indicator in plan.indicators.items() for site in indicator.sites}
        new.histories |= {(old.get(path, path), s): h for (path, s), h in self.histories.items() if s in known}
        new.seen = {(old.get(path, path), s): ids for (path, s), ids in self.seen.items() if s in known}
        new.contact.load(self.contact.dump())
        new.contact.keep(known)
        new._raised = {key: history for key, history in new.histories.items() if history.level}
        new.ticks, new.places, new.now, new.stride = dict(self.ticks), dict(self.places), self.now, self.stride
        out = [event for change in new.sums.take_over(self.sums) for event in new._of_area(change)]
        out += new.rules.take_over(self.rules, self.now)
        return new, out + new.rules.hear(None, Change(kind="", time=self.now, arrived=self.now))

    # --- what it holds

    def areas(self) -> Iterator[tuple[str, str, int, float]]:
        """(`tree:area`, pack, worst level of its real detectors, share of its series that are fresh)."""
        behind = self._behind()
        self._held.settle(self._held.stirred if behind == self._looked else None)
        self._looked = behind
        yield from self._held.rows((path.partition("/")[0], name, history.level) for (path, name), history in self._raised.items()
                                   if path in self.plan.detectors and self.plan.detectors[path].scope == "real"
                                   and self.plan.detectors[path].report is None)

    @cached_property
    def _held(self) -> Areas:
        """(pack, series) -> the (`tree:area`, pack) it counts in; sites of one place share one answer."""
        trees = sorted({area.tree for area in self.plan.city.areas})
        known: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {}
        cells: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        for path, detector in self.plan.detectors.items():
            for site, name in self._places.series(path):
                its = self.plan.city.sites[site].areas if site in self.plan.city.sites else {}
                place = (detector.pack, *(its.get(tree, "") for tree in trees))
                if place not in known:
                    known[place] = tuple((area, detector.pack) for tree in trees for area in self._places.over(site, tree))
                cells[detector.pack, name] = known[place]
        held = Areas(cells, lambda name: self._away(name, self._looked))
        held.settle()
        return held

    def dump(self) -> dict[str, Any]:
        """All of it as plain objects, for a snapshot."""
        return {**self.part(self.seen), **self.rest()}

    def part(self, keys: Iterable[Key]) -> dict[str, Any]:
        """What is kept of these (detector, series)."""
        kept = [key for key in keys if key in self.seen]
        return {"histories": [(*key, self.histories[key].dump()) for key in kept if key in self.histories],
                "seen": [(*key, list(self.seen[key])) for key in kept]}

    def rest(self) -> dict[str, Any]:
        """What is kept of all together."""
        return {"contact": self.contact.dump(), "ticks": [[p, t] for p, t in self.ticks.items()], "places": self.places,
                "now": self.now, "stride": self.stride, **({"sums": self.sums.dump()} if self.sums else {}), **self.rules.dump()}

    def load(self, body: dict[str, Any]) -> None:
        """The way back, by name: what the plan no longer has is left out. A part is added to what there is."""
        for d, s, h in body.get("histories", ()):
            self.histories[d, s] = History.of(h)
            self._raise((d, s), self.histories[d, s])
            self.rules.forget((d, s))
        self.seen |= {(d, s): {(i, r, w): None for i, r, w in ids} for d, s, ids in body.get("seen", ())}
        if "contact" not in body:
            return
        self.contact.load(body["contact"])
        self.ticks = {p: t for p, t in body["ticks"]}
        self.places, self.now, self.stride = dict(body["places"]), body["now"], body["stride"]
        self.rules.load(body)
        if self.sums and "sums" in body:
            self.sums.load(body["sums"])
        self.__dict__.pop("_held", None)                # it looks anew

    # --- small things

    def _raise(self, key: Key, history: History) -> None:
        if history.level:
            self._raised[key] = history
        else:
            self._raised.pop(key, None)

    def _had(self, key: Key, change: Change) -> bool:
        """Whether this very change was here before: a judge that restarts says again what it had said."""
        ids = self.seen.setdefault(key, {})
        name = change.id or f"{change.kind} {change.time} {change.fresh} {change.to}"
        mark = (name, change.revision, change.withdrawn)
        if mark in ids:
            return True
        ids[mark] = None
        self.touched.add(key)
        if len(ids) > SEEN:
            del ids[next(iter(ids))]
        return False

    def _told(self, change: Change) -> Change:
        """The change with what it is grouped by (design 9.19) and an id, where it has none."""
        detector, group, name = self.plan.detectors.get(change.detector), change.group, change.id
        if not group and change.kind == "sensor":
            group = f"{change.pack}/sensor"
        elif not group and change.indicator:
            group = detector.path if detector is not None and detector.separate else f"{change.pack}/{change.indicator}"
        if not name:
            series = f"{change.indicator}@{change.site} {change.fresh} {change.to}"
            name = event_id(alert_id(f"{change.kind}/{change.detector}", series, change.time), 1)
        return self.rules.leads.mark(replace(change, group=group, id=name))

    def _behind(self) -> set[int]:
        newest = max(self.ticks.values(), default=0)
        return {p for p, t in self.ticks.items() if newest - t >= max(BEHIND, STEPS * self.stride)}

    def _inputs(self) -> dict[str, tuple[str, ...]]:
        """Series -> itself and the derived members of rules that it feeds."""
        fed: dict[str, list[str]] = {}
        for series in self.rules.of_name:
            below = [series] if series.partition("@")[0] in self.plan.indicators else []
            while below:
                name, site = below[-1].split("@", 1)
                fed.setdefault(below.pop(), []).append(series)
                derive = self.plan.indicators[name].derive
                below += derive.sources(site) if derive is not None else ()
        return {series: tuple(members) for series, members in fed.items()}

    def _away(self, series: str, behind: set[int] | None = None) -> bool:
        """Whether a series cannot be believed to be of now."""
        behind = self._behind() if behind is None else behind
        return not self.contact.fresh(series) or (bool(behind) and self._place(series.split("@", 1)[1]) in behind)

    def _place(self, site: str) -> int:
        return self.where(site) if self.where is not None else self.places.get(site, -1)
