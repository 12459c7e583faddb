"""`when:` of a rule: conditions over levels, one inside another.

    when: {at_least: 3, of: {detector: stage}, level: yellow}
    when: {all: [{detector: stage, level: yellow}, {not: {rule: pumping, level: blue}}]}

A selection names detectors, rules or whole packs; alone it means that any of its members is at the level.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

from detectors.level import Level
from detectors.pack import Term
from detectors.registry import load
from streams.packs import grammar
from streams.packs.book import Book, Draft
from streams.packs.faults import Place
from streams.packs.fields import Fields
from streams.packs.nodes import Node
from streams.packs.params import names, read_use
from streams.packs.values import Columns

SELECTION = tuple(key for key in grammar.SELECTION.names if key != "level")
BESIDE = ("of", "level", "within", "weight")


class Conditions:
    """Reads the conditions of one pack. `spots` is where each stands, in the order of `Term.walk`."""

    def __init__(self, book: Book, draft: Draft, rules: list[str]) -> None:
        self.book, self.draft, self.faults = book, draft, draft.faults
        self.detectors, self.rules = list(book.detectors), rules
        self.spots: list[Place] = []

    def read(self, node: Node, index: bool = False) -> Term | None:
        """One condition; None after a fault. `index`: it stands in an index, where a level may be left out and a weight given."""
        fields = Fields(node, self.faults, "condition")
        if fields.wrong:
            return None
        known, spot = load("rules"), len(self.spots)
        self.spots.append(fields.at("level"))
        kinds = [key for key in node.fields if key in known]
        if not kinds and any(key in node.fields for key in SELECTION):
            Fields(node, self.faults, "condition", (*SELECTION, "level", *(("weight",) if index else ())))
            level = self._level(fields, fields, 1 if index else 0)
            term = Term("any", self._selected(fields, level), level)
            return self._weighed(term, fields, index) if term.of else None
        if len(kinds) != 1:
            self._one(fields, kinds)
            return None
        self.spots[spot] = fields.at("level" if "level" in fields else kinds[0])
        return self._kind(fields, kinds[0], known[kinds[0]], index)

    def _one(self, fields: Fields, kinds: list[str]) -> None:
        known = load("rules")
        if kinds:
            self.faults.add(fields.at(kinds[1]), f"{' and '.join(kinds)}: a condition has one kind; put one inside the other")
            return
        wrong = [key for key in fields.node.fields if key not in BESIDE]
        self.faults.unknown(fields.at(wrong[0]) if wrong else fields.place, "kind of rule", wrong[0] if wrong else "", known)

    def _kind(self, fields: Fields, name: str, kind: Any, index: bool) -> Term | None:
        declared, value = names(kind), fields.node.fields[name]
        listed = isinstance(value.value, list | dict)
        allowed = [name, *declared, *([] if listed else ["of"]), *(("level",) if "members" in kind.over else ()),
                   *(("within",) if kind.timed else ()), *(("weight",) if index else ())]
        for key in fields.node.fields:
            if key not in allowed:
                self.faults.unknown(fields.at(key), f"key of {name}", key, allowed)
        of = value if listed else fields.get("of")
        params = self._params(fields, name, kind, listed)
        within = fields.duration("within", inf) if kind.timed else inf
        if of is None:
            fields.what = name
            fields.need("of")
            return None
        inner = [of] if name == "not" and isinstance(of.value, dict) else of.items if isinstance(of.value, list) else None
        wanted = "one condition" if name == "not" else EXPECTED[kind.over]
        crowd = name == "not" and inner is not None and len(inner) != 1
        if ("members" if inner is None else "parts") not in kind.over or crowd:
            self.faults.add(of.place, f"{name}: expected {wanted}, got {of.got}")
            return None
        if inner is None:
            return self._members(fields, of, Term(name, params=params, within=within), index)
        parts = [self.read(part, name == "index") for part in inner]
        if not inner:
            self.faults.add(of.place, f"{name}: no condition in it")
        good = tuple(part for part in parts if part is not None)
        term = Term(name, (), 1, params, good, within)
        return self._weighed(term, fields, index) if good and len(good) == len(inner) else None

    def _members(self, fields: Fields, of: Node, term: Term, index: bool) -> Term | None:
        chosen = Fields(of, self.faults, "selection", (*SELECTION, "level"))
        level = self._level(fields if "level" in fields else chosen, chosen, 1 if term.kind == "worst" or index else 0)
        found = self._selected(chosen, level)
        return self._weighed(replace(term, of=found, at=level), fields, index) if found else None

    def _level(self, fields: Fields, chosen: Fields, default: int) -> int:
        if "level" not in fields and default:
            return default
        level = fields.level("level", must=True)
        if (given := fields.get("level")) is not None and given.text == "normal":
            self.faults.add(fields.at("level"), "level: normal is what not is for: {not: {…, level: blue}}")
        return level or 1

    def _weighed(self, term: Term, fields: Fields, index: bool) -> Term:
        return replace(term, weight=fields.number("weight", 1.0)) if index and "weight" in fields else term

    def _selected(self, chosen: Fields, level: int) -> tuple[str, ...]:
        """Paths; of a whole pack those that say `level` or worse at all, and that call."""
        mine = f"{self.draft.id}/"
        short = {kind: [*(path.removeprefix(mine) for path in paths if path.startswith(mine)), *paths]
                 for kind, paths in (("detector", self.detectors), ("rule", self.rules))}
        if not any(key in chosen for key in SELECTION):
            chosen.need("detector")
        words = [word for kind in ("detector", "rule") for word in chosen.words(kind, kind, short[kind])]
        packs = chosen.words("pack", "pack", self.book.drafts)
        whole = [path for path in self.detectors if path.partition("/")[0] in packs and self._says(path, level)]
        if packs and not words and not whole:
            self.faults.add(chosen.at("pack"), f"no detector of {', '.join(packs)} is ever {Level(level).word}")
        return tuple(dict.fromkeys([*(word if "/" in word else mine + word for word in words), *whole]))

    def _says(self, path: str, level: int) -> bool:
        detector = self.book.detectors[path]
        return detector.report is None and any(limit.level >= level for limit in detector.limits)

    def _params(self, fields: Fields, name: str, kind: Any, listed: bool) -> dict[str, float | tuple[float, ...]]:
        """`at_least: 3` gives the kind's first parameter; others stand beside it."""
        declared = names(kind)
        given, keys = dict(fields.node.fields), dict(fields.node.keys)
        first, place = given.pop(name), keys.pop(name)
        if not listed and declared:
            given[declared[0]], keys[declared[0]] = first, place
        elif not listed:
            self.faults.add(first.place, f"{name}: expected {EXPECTED[kind.over]}, got {first.got}")
        inside = Fields(Node(fields.place, given, keys=keys), self.faults, f"rule kind {name}")
        use = read_use(inside, name, kind, "", Columns())
        return {key: value for key, value in use.params.items() if not isinstance(value, dict)}


EXPECTED = {("members",): "{detector: …} or {rule: …}", ("parts",): "a list of conditions",
            ("members", "parts"): "{detector: …}, {rule: …} or a list of conditions"}


def named(node: Node | None) -> Iterator[str]:
    """The packs that a condition names, at any depth."""
    if node is None:
        return
    for key, inside in node.fields.items():
        if key in SELECTION:
            for word in inside.items if isinstance(inside.value, list) else [inside]:
                if "/" in word.text or key == "pack":
                    yield word.text.partition("/")[0]
        else:
            yield from named(inside)
    for item in node.items:
        yield from named(item)
