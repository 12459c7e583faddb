"""`tests.yaml` of a pack, read: named cases of series in notation and the level changes they must cause.

    tests:
      - name: a flood at Lanxi
        start: 2026-06-19T08:00:00+08:00
        every: 5min               # default: the indicator's own (a month for monthly figures)
        series: {river_level@lanxi: '26.5+0.1x12 _x3 28.9'}
        until: 3h                 # optional: one last tick at start + until
        expect:                   # `at`: offset from start, or a time; the event time of the change
          - {at: 1h5min, detector: stage, site: lanxi, level: yellow}
          - {at: 3h, site: lanxi, indicator: river_level, fresh: stale}
        strict: true              # optional: nothing but what is listed may change, whoever says it
        fit: 1820d                # optional: what the pack fits is fitted then, from the readings before (`wanglou fit`)
      - name: a dry week
        start: 2026-06-19T08:00:00+08:00
        series: {river_level@lanxi: '24x48'}
        quiet: true               # nothing at all may fire

An entry with `level` is a change of the level of a detector or rule; `fresh`, `confidence` and `direction` then say more
about it; `ladder`, `calls` and `message` say who must be called for it (calling.py). An entry without `level` is a change of
freshness of a series.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from pathlib import Path

from detectors.level import LEVELS, Confidence, Direction, Fresh
from detectors.pack import City, Detector, Indicator, Rule
from streams.clock import micros
from streams.errors import ConfigError
from streams.packs.calling import KEYS, Calling, read_calling
from streams.packs.faults import Faults, Place
from streams.packs.grammar import CASE, EXPECT, TESTS
from streams.packs.nodes import Node, read
from streams.packs.notation import NotationError, expand
from streams.packs.offsets import Offset, offset

_CASE, _EXPECT = CASE.names, EXPECT.names
_PERIODS = {"month": Offset(months=1), "quarter": Offset(months=3), "year": Offset(months=12)}


@dataclass(frozen=True)
class Expect:
    """One change that must come. `at` is µs UTC; `path` names the detector or rule; absent = not asked."""

    line: int
    at: int
    path: str = ""
    place: str = ""                 # site or area
    indicator: str = ""             # of a change of freshness
    level: int | None = None        # None: a change of freshness
    fresh: str = ""
    confidence: str = ""
    direction: str = ""
    calling: Calling | None = None


@dataclass(frozen=True)
class Case:
    """One test: its readings `(series, t, x)` in the order of their time, and what must come of them."""

    name: str
    file: str
    line: int
    start: int
    readings: tuple[tuple[str, int, float], ...]
    until: int | None = None
    expects: tuple[Expect, ...] = ()
    quiet: bool = False
    strict: bool = False
    fit: int | None = None


@dataclass
class Names:
    """What a tests file may name: everything of the city, short names for what its own pack has."""

    pack: str
    indicators: dict[str, Indicator] = field(default_factory=dict)
    detectors: dict[str, Detector] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    sites: frozenset[str] = frozenset()
    city: City = field(default_factory=lambda: City(()))

    @classmethod
    def of(cls, city: City, pack: str) -> Names:
        return cls(pack, {i.id: i for p in city.packs for i in p.indicators},
                   {d.path: d for p in city.packs for d in p.detectors},
                   {r.path: r for p in city.packs for r in p.rules}, frozenset(city.sites), city)


def load_cases(path: Path, city: City, pack: str) -> list[Case]:
    """The cases of one tests file; ConfigError with all its faults."""
    faults = Faults()
    root = read(path, faults)
    cases: list[Case] = []
    if root is not None:
        listed = root.fields.get("tests")
        for key in root.fields.keys() - set(TESTS.names):
            faults.unknown(root.keys[key], "key", key, TESTS.names)
        if listed is None or not listed.items:
            faults.add(root.place, "tests: a list of cases must stand here")
        names = Names.of(city, pack)
        cases = [case for node in (listed.items if listed else []) if (case := _Reader(names, faults).case(node))]
    if faults.items:
        raise ConfigError(faults.items)
    return cases


@dataclass
class _Reader:
    """Turns nodes into cases; every fault is noted with its place."""

    names: Names
    faults: Faults

    def case(self, node: Node) -> Case | None:
        fields = self._mapping(node, _CASE, ("name", "start", "series"))
        if fields is None:
            return None
        start = self._start(fields["start"])
        readings = self._series(fields, start)
        quiet, strict = (self._yes(fields[word]) if word in fields else False for word in ("quiet", "strict"))
        if quiet == ("expect" in fields):
            self.faults.add(node.place, "a case has either `expect` or `quiet: true`")
        until, fit = (self._at(fields[word], start) if word in fields else None for word in ("until", "fit"))
        listed = fields["expect"].items if "expect" in fields else []
        if "expect" in fields and not listed:
            self.faults.add(fields["expect"].place, "expect: a list of changes; for none at all write quiet: true")
        expects = tuple(found for entry in listed if (found := self._expect(entry, start)))
        return Case(fields["name"].text, node.place.file, node.place.line, _us(start), readings, until, expects, quiet, strict,
                    fit)

    def _mapping(self, node: Node, allowed: tuple[str, ...], needed: tuple[str, ...]) -> dict[str, Node] | None:
        if not isinstance(node.value, dict):
            self.faults.add(node.place, f"a mapping with {', '.join(needed)} must stand here, got {node.got}")
            return None
        for key in node.fields.keys() - set(allowed):
            self.faults.unknown(node.keys[key], "key", key, allowed)
        lacking = [word for word in needed if word not in node.fields]
        if lacking:
            self.faults.add(node.place, f"{', '.join(lacking)}: missing")
        return None if lacking else node.fields

    def _start(self, node: Node) -> datetime:
        try:
            micros(node.text)
            return datetime.fromisoformat(node.text)
        except ValueError as error:
            self.faults.add(node.place, f"start: {error}")
            return datetime.fromisoformat("2000-01-01T00:00:00+00:00")

    def _yes(self, node: Node) -> bool:
        if not isinstance(node.value, bool):
            self.faults.add(node.place, f"true or false, got {node.got}")
        return node.value is True

    def _at(self, node: Node, start: datetime) -> int:
        """An offset from start, or a time of its own."""
        try:
            return offset(node.text).after(start)
        except ValueError as error:
            try:
                return micros(node.text)
            except ValueError:
                self.faults.add(node.place, f"{error}, or a time such as {start.isoformat()}")
                return 0

    def _series(self, fields: dict[str, Node], start: datetime) -> tuple[tuple[str, int, float], ...]:
        given = self._every(fields["every"]) if "every" in fields else None
        node, rows = fields["series"], []
        if not node.fields:
            self.faults.add(node.place, "series: a mapping of indicator@site to values must stand here")
        for name, values in node.fields.items():
            indicator = self._known_series(node.keys[name], name)
            if indicator is not None:
                step = given or _PERIODS.get(indicator.period) or Offset(micros=round(indicator.every * 1e6))
                rows += [(name, step.after(start, i), x) for i, x in enumerate(self._values(values)) if x is not None]
        return tuple(sorted(rows, key=lambda row: row[1]))

    def _every(self, node: Node) -> Offset | None:
        try:
            step = offset(node.text)
        except ValueError as error:
            self.faults.add(node.place, f"every: {error}")
            return None
        if (step.months, step.micros) <= (0, 0):
            self.faults.add(node.place, "every: must be longer than nothing")
        return step

    def _known_series(self, place: Place, name: str) -> Indicator | None:
        indicator, at, site = name.partition("@")
        found = self.names.indicators.get(indicator)
        if not at:
            self.faults.add(place, f"{name!r}: a series is written indicator@site")
        elif found is None:
            self.faults.unknown(place, "indicator", indicator, self.names.indicators)
        elif found.derive is not None:
            self.faults.add(place, f"{indicator} is derived; give the readings it is made from: {', '.join(found.derive.inputs)}")
        elif site not in found.sites:
            self.faults.unknown(place.right(len(indicator) + 1), f"site of {indicator}", site, found.sites)
        else:
            return found
        return None

    def _values(self, node: Node) -> list[float | None]:
        try:
            return expand(node.text)
        except NotationError as error:
            what = str(error).partition(": ")[2]
            self.faults.add(node.place.right(node.inside + error.column - 1), what)
            return []

    def _expect(self, node: Node, start: datetime) -> Expect | None:
        fields = self._mapping(node, _EXPECT, ("at",))
        if fields is None:
            return None
        word = {key: self._word(fields, key, allowed) for key, allowed in (
            ("level", LEVELS), ("fresh", tuple(Fresh)), ("confidence", tuple(Confidence)), ("direction", tuple(Direction)))}
        path, indicator = self._who(node, fields, bool(word["level"]))
        place = next((fields[key].text for key in ("site", "area") if key in fields), "")
        if "site" in fields and place not in self.names.sites:
            self.faults.unknown(fields["site"].place, "site", place, self.names.sites)
        if not word["level"] and not word["fresh"]:
            self.faults.add(node.place, "an entry needs `level`, or `fresh` for a change of freshness")
        level = int(LEVELS[word["level"]]) if word["level"] else None
        calling = read_calling(node, self.names.city, self.faults)
        if calling and not level:
            self.faults.add(node.place, f"{', '.join(KEYS)}: only what rises calls somebody; give the level")
        return Expect(node.place.line, self._at(fields["at"], start), path if level is not None else "", place, indicator, level,
                      word["fresh"], word["confidence"], word["direction"], calling)

    def _who(self, node: Node, fields: dict[str, Node], level: bool) -> tuple[str, str]:
        """(path of the detector or rule, indicator)."""
        if "detector" in fields and "rule" in fields:
            self.faults.add(node.place, "an entry has either `detector` or `rule`")
        indicator = self._word(fields, "indicator", self.names.indicators)
        for key, known in (("detector", self.names.detectors), ("rule", self.names.rules)):
            if key in fields:
                text = fields[key].text
                path = text if "/" in text else f"{self.names.pack}/{text}"
                if path not in known:
                    own = f"{self.names.pack}/"
                    self.faults.unknown(fields[key].place, key, text, [name.removeprefix(own) for name in known])
                    return path, ""
                found = known[path]
                return path, indicator or (found.indicator if isinstance(found, Detector) else "")
        if level:
            self.faults.add(node.place, "a change of level needs `detector` or `rule`")
        elif not indicator:
            self.faults.add(node.place, "a change of freshness needs `indicator` or `detector`")
        return "", indicator

    def _word(self, fields: dict[str, Node], key: str, allowed: object) -> str:
        if key not in fields:
            return ""
        words = [str(word) for word in allowed]  # type: ignore[attr-defined]
        if fields[key].text not in words:
            self.faults.unknown(fields[key].place, key, fields[key].text, words)
            return ""
        return fields[key].text


def _us(start: datetime) -> int:
    return Offset().after(start)


def off(value: object, site: str) -> bool:
    """Whether a limit is switched off at a site (no cell, or NaN)."""
    number = value.get(site, float("nan")) if isinstance(value, dict) else value
    return not isinstance(number, int | float) or isnan(number)
