"""Which rules apply where: each rule once for each of its places, with the members that it has there, lowest rank first."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from detectors.members import History
from detectors.pack import Rule, Term
from detectors.ruling import Ruling
from detectors.tree import Key

if TYPE_CHECKING:
    from detectors.planned import Planned

Member = tuple[str, frozenset[str]]
"""A name and the sites that it speaks of."""


def ranked(rules: Iterable[Rule]) -> list[Rule]:
    """Rules after those that they are made of. ValueError with the way round if they are made of each other.

    >>> ranked([Rule("a", "p", "any", ("p/b",), 1), Rule("b", "p", "any", ("p/x",), 1)])[0].id
    'b'
    """
    by = {rule.path: rule for rule in rules}
    out: dict[str, Rule] = {}
    for first in by:
        way: list[str] = []
        stack = [(first, iter(by[first].named))]
        while stack:
            path, below = stack[-1]
            way = [name for name, _ in stack]
            deeper = next((p for p in below if p in by and p not in out), None)
            if deeper in way:
                raise ValueError(" -> ".join([*way[way.index(deeper):], deeper]))
            if deeper is None:
                out.setdefault(path, by[path])
                stack.pop()
            else:
                stack.append((deeper, iter(by[deeper].named)))
    return list(out.values())


class Places:
    """The areas and sites of a plan."""

    def __init__(self, plan: Planned) -> None:
        self.plan = plan
        self.areas = {(a.tree, a.id): a for a in plan.city.areas}
        self.known: dict[tuple[str, str, str], list[str]] = {}

    def series(self, path: str) -> list[tuple[str, str]]:
        """(site, series) that a detector judges."""
        detector = self.plan.detectors.get(path)
        if detector is None:
            return []
        sites, named = self.plan.indicators[detector.indicator].sites, set(detector.sites)
        return [(s, f"{detector.indicator}@{s}") for s in sites if not named or s in named]

    def over(self, site: str, tree: str, depth: str | None = None) -> list[str]:
        """`tree:area` of the areas that hold the site, at one depth or at all."""
        here = self.plan.city.sites[site].areas.get(tree, "") if site in self.plan.city.sites else ""
        asked = (tree, here, depth or "")
        if asked not in self.known:
            out, name = [], here
            while (area := self.areas.get((tree, name))) is not None and f"{tree}:{name}" not in out:
                if not depth or area.depth == depth:
                    out.append(f"{tree}:{name}")
                name = area.parent
            self.known[asked] = out
        return self.known[asked]

    def below(self, place: str, by_site: bool, steps: int) -> list[tuple[str, int]]:
        """The places that what is here comes to, and after how long (µs)."""
        out: list[tuple[str, int]] = []
        tree, _, name = ("", "", place) if by_site else place.partition(":")
        far = 0.0
        for _ in range(steps):
            here = self.plan.city.sites.get(name) if by_site else self.areas.get((tree, name))
            if here is None or not here.downstream:
                break
            far, name = far + here.travel, here.downstream
            out.append((name if by_site else f"{tree}:{name}", int(far * 1e6)))
        return out

    def rulings(self, histories: dict[Key, History], quiet: dict[str, list[tuple[int, bool]]]) -> Iterator[Ruling]:
        """Every rule at every place where it has members, in the order of their ranks."""
        ranks: dict[str, int] = {}
        made: dict[str, list[Member]] = {}
        for rule in ranked(rule for pack in self.plan.city.packs for rule in pack.rules):
            ranks[rule.path] = 1 + max((ranks[p] for p in rule.named if p in ranks), default=-1)
            found, spoken = self.found(rule, made)
            for place in sorted(found):
                yield Ruling(rule, place, found[place], histories, quiet, ranks[rule.path])
            made[rule.path] = [(f"{rule.path}@{place}", frozenset(spoken[place])) for place in sorted(found)]

    def found(self, rule: Rule, made: Mapping[str, list[Member]]) -> tuple[dict[str, list[dict[Key, int]]], dict[str, set[str]]]:
        """By place: of each selection of the rule its members and how far upstream they are; and the sites they speak of."""
        terms = [term for term in rule.term.walk() if term.of]
        found: dict[str, list[dict[Key, int]]] = {}
        spoken: dict[str, set[str]] = {}
        for i, term in enumerate(terms):
            for key, sites in self._members(term, made):
                for place, far in self._places(rule, term, sites).items():
                    found.setdefault(place, [{} for _ in terms])[i][key] = far
                    spoken.setdefault(place, set()).update(sites)
        return found, spoken

    def _members(self, term: Term, made: Mapping[str, list[Member]]) -> Iterator[tuple[Key, Iterable[str]]]:
        for path in term.of:
            for site, series in self.series(path):
                yield (path, series), (site,)
            for name, sites in made.get(path, ()):
                yield (path, name), sites

    def _places(self, rule: Rule, term: Term, sites: Iterable[str]) -> dict[str, int]:
        """Where a member of these sites counts, and how far upstream it is (µs)."""
        if rule.by_site:
            here = set(sites)
        elif rule.tree:
            trees = ((rule.tree, rule.depth), *rule.more)
            here = {place for site in sites for tree, depth in trees for place in self.over(site, tree, depth)}
        else:
            here = {""}
        if term.kind != "upstream":
            return dict.fromkeys(here, 0)
        steps = int(_number(term.params.get("steps", 1.0)))
        down: dict[str, int] = {}
        for start in sorted(here):
            for place, far in self.below(start, rule.by_site, steps):
                if place not in here:
                    down[place] = min(far, down.get(place, far))
        return down


def _number(value: float | tuple[float, ...]) -> float:
    return value if isinstance(value, int | float) else value[0]
