"""Words and numbers of things from the plan in force: titles, units, limits, posts. Falls back to ids where there is no plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import isnan

from detectors.pack import SELF, Area, City, Detector, Indicator, Num, Pack, Post, Rule, Text
from detectors.registry import load
from streams import clock
from streams.desk import local, words
from streams.desk.alert import Actor

LEADER = "带班领导"
POWER = re.compile(r"(?<=m)[23](?!\w)")
"""Of a unit that a pack writes in plain letters: m3/s."""


@dataclass(frozen=True)
class Names:
    """Look-ups over one City; `lang` is `zh` or `en`."""

    city: City
    hash: str = ""

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """By id."""
        return {i.id: i for p in self.city.packs for i in p.indicators}

    @cached_property
    def detectors(self) -> dict[str, Detector]:
        """By path."""
        return {d.path: d for p in self.city.packs for d in p.detectors}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """By path."""
        return {r.path: r for p in self.city.packs for r in p.rules}

    @cached_property
    def packs(self) -> dict[str, Pack]:
        """By id."""
        return {p.id: p for p in self.city.packs}

    @cached_property
    def posts(self) -> dict[str, Post]:
        """By id."""
        return {p.id: p for p in self.city.posts}

    @cached_property
    def areas(self) -> dict[str, Area]:
        """By `tree:id`."""
        return {f"{a.tree}:{a.id}": a for a in self.city.areas}

    @cached_property
    def series(self) -> int:
        """How many series the plan has, but for that of the self check."""
        return sum(len(i.sites) for i in self.indicators.values() if i.pack != SELF)

    @cached_property
    def connected(self) -> dict[tuple[str, str], int]:
        """By (district, pack) how many series the plan has there."""
        found = Counter((self.district(site, ""), i.pack) for i in self.indicators.values() for site in i.sites)
        return {key: n for key, n in found.items() if key[1] != SELF}

    def cell(self, series: str) -> tuple[str, str] | None:
        """(district, pack) of a series of the plan; None for any other and for the self check."""
        indicator, _, site = series.partition("@")
        known = self.indicators.get(indicator)
        if known is None or known.pack == SELF or site not in self.measured[indicator]:
            return None
        return self.district(site, ""), known.pack

    @cached_property
    def measured(self) -> dict[str, frozenset[str]]:
        """By indicator the sites that have it."""
        return {i.id: frozenset(i.sites) for i in self.indicators.values()}

    @cached_property
    def centres(self) -> dict[str, tuple[float, float]]:
        """By district the mean latitude and longitude of its sites; without those where none says."""
        at: dict[str, list[tuple[float, float]]] = {}
        for site in self.city.sites.values():
            if "admin" in site.areas and site.lat is not None and site.lon is not None:
                at.setdefault(site.areas["admin"], []).append((site.lat, site.lon))
        return {area: (sum(a for a, _ in all_) / len(all_), sum(b for _, b in all_) / len(all_)) for area, all_ in at.items()}

    def indicator(self, id_: str, lang: str) -> str:
        """Its title."""
        return said(self.indicators[id_].title, lang) if id_ in self.indicators else id_

    def pack(self, id_: str, lang: str) -> str:
        """Its title."""
        return said(self.packs[id_].title, lang) if id_ in self.packs else id_

    def site(self, id_: str, lang: str) -> str:
        """Its title."""
        return said(self.city.sites[id_].title, lang) if id_ in self.city.sites else id_

    def area(self, key: str, lang: str) -> str:
        """Title of `tree:id`; `post:id` is a post (a gap of the roster)."""
        if key.startswith("post:"):
            return self.post(key[5:], lang)
        return said(self.areas[key].title, lang) if key in self.areas else key.split(":", 1)[-1]

    def place(self, site: str, area: str, lang: str) -> str:
        """Administrative district and site, or the area of a rule or sum (there the site of a series is `tree:area`)."""
        if not site or ":" in site:
            return self.area(area or site, lang)
        found = self.city.sites.get(site)
        district = self.area(f"admin:{found.areas['admin']}", lang) if found and "admin" in found.areas else ""
        name = self.site(site, lang)
        if not district or name.startswith(district):
            return name
        return f"{district} {name}" if lang == "zh" else f"{district}, {name}"

    def district(self, site: str, area: str) -> str:
        """The area that a metric is labelled with: `admin:lanxi`, or the rule's own."""
        found = self.city.sites.get(site)
        return f"admin:{found.areas['admin']}" if found and "admin" in found.areas else area

    def post(self, id_: str, lang: str) -> str:
        """Its title."""
        return said(self.posts[id_].title, lang) if id_ in self.posts else id_

    def unit_title(self, id_: str, lang: str) -> str:
        """Words of a unit that takes work orders."""
        return next((said(u.title, lang) for u in self.city.outward.units if u.id == id_), id_)

    def actor(self, id_: str, lang: str = "zh") -> Actor:
        """The post as one who acts; nobody when the plan has no such post."""
        if id_ not in self.posts:
            return Actor()
        post = self.posts[id_]
        leads = getattr(post, "role", "") == "leader" or LEADER in post.title.zh
        return Actor(id_, self.post(id_, lang), leads)

    def agency(self, site: str) -> str:
        """The agency of a site."""
        return self.city.sites[site].agency if site in self.city.sites else ""

    def unit(self, indicator: str) -> str:
        """Its unit as people write it (m³/s); "" when it has none."""
        written = self.indicators[indicator].unit if indicator in self.indicators else ""
        return POWER.sub(lambda found: "²" if found[0] == "2" else "³", written)

    def rule_kind(self, rule: str) -> str:
        """What its condition is: `worst`, `share` …; "" for a rule that the plan does not have."""
        return self.rules[rule].term.kind if rule in self.rules else ""

    def ruled(self, rule: str, x: float | None, lang: str) -> str:
        """What a rule measured or asks for: a level by its name, a share in per cent, else a number; `—` for none."""
        if x is None:
            return "—"
        kind = self.rule_kind(rule)
        if kind == "worst":
            return words.level(min(max(round(x), 0), 4), lang)
        return f"{100 * x:.0f} %" if kind == "share" else f"{x:g}"

    def decimals(self, indicator: str) -> int:
        """Digits after the point."""
        return self.indicators[indicator].decimals if indicator in self.indicators else 2

    def score_unit(self, detector: str) -> str:
        """What a detector's scores are in: `value` (the reading's own unit), `value/time` (per second) or "" (a number)."""
        if detector not in self.detectors:
            return "value"
        return str(getattr(load("kinds")[self.detectors[detector].use.kind], "score_unit", ""))

    def on_axis(self, detector: str) -> bool:
        """Whether the limits of a detector can be drawn among its readings."""
        return detector not in self.detectors or getattr(load("kinds")[self.detectors[detector].use.kind], "on_axis", False)

    def figure(self, detector: str, indicator: str, x: float | None) -> str:
        """A score or limit for people: rates by the hour, with their unit."""
        digits = self.decimals(indicator)
        if x is None or self.score_unit(detector) != "value/time":
            return local.number(x, digits)
        return f"{local.number(x * 3600, digits)} {self.unit(indicator)}/h"

    def silent(self, indicator: str) -> float:
        """Seconds without contact after which its series are stale; one hour where the plan does not say."""
        return self.indicators[indicator].silent if indicator in self.indicators else 3600.0

    def span(self, indicator: str, detector: str) -> float:
        """Seconds that a row's sparkline shows: 6 × hold, at least an hour and 24 readings."""
        every = self.indicators[indicator].every if indicator in self.indicators else 300.0
        limits = self.detectors[detector].limits if detector in self.detectors else ()
        return max(3600.0, 24 * every, *(6 * limit.hold for limit in limits))

    def limits(self, detector: str, site: str) -> list[tuple[int, float, bool]]:
        """`(level, value, above)` of a detector at a site, worst first; only where they are in the reading's own unit."""
        found = self.detectors.get(detector)
        if found is None or not self.on_axis(detector):
            return []
        at = [(limit.level, number(limit.at, site), limit.above) for limit in found.limits]
        return sorted((row for row in at if not isnan(row[1])), reverse=True)


def said(text: Text, lang: str) -> str:
    """In one language; Chinese where there is no English."""
    return (text.en or text.zh) if lang == "en" else text.zh


def number(value: Num, site: str) -> float:
    """One number of a site; NaN = switched off there."""
    return value.get(site, float("nan")) if isinstance(value, dict) else value


class Plan:
    """The newest plan, asked for again every few seconds. `load` gives (hash, City) or None; a failure is kept in `fault`."""

    def __init__(self, load: Callable[[], tuple[str, City] | None], every: float = 5.0) -> None:
        self._load, self._every, self._next = load, every, float("-inf")
        self._names = Names(City(()))
        self.fault = ""

    def __call__(self) -> Names:
        """The names of now."""
        if clock.monotonic() >= self._next:
            self._next = clock.monotonic() + self._every
            try:
                found = self._load()
                self.fault = "" if found else "no plan yet"
            except Exception as error:  # a database of others that is away must not stop answers
                self.fault, found = str(error), None
            if found and found[0] != self._names.hash:
                self._names = Names(found[1], found[0])
        return self._names


def from_state(url: str) -> Callable[[], tuple[str, City] | None]:
    """Loads the newest plan of state.db; decodes it only when it is another one."""
    from streams.plans import Newest, Plans
    from streams.sql import engine

    newest: list[Newest] = []

    def load() -> tuple[str, City] | None:
        if not newest:
            newest.append(Newest(Plans(engine(url))))
        return newest[0]()

    return load
