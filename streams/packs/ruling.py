"""`rules:` of a pack: how levels of detectors are combined, and `skill:`, its gates."""
from __future__ import annotations

from math import inf
from typing import Any

from detectors.level import Scope
from detectors.pack import Rule
from detectors.registry import load
from streams.packs.book import ID, Book, Draft, identifier
from streams.packs.fields import Fields
from streams.packs.nodes import Node
from streams.packs.params import names, read_use
from streams.packs.values import Columns

SHARED = ("within", "unknown", "scope", "source")
KEYS = (*SHARED, "id", "for_each", "when", "level", "covers", "title", "why", "was")
UNKNOWN = ("quorum", "worst", "ignore")
GATES = ("pod", "far", "csi", "lead", "alarms_per_day")
"""What a gate may bound: at least pod, csi and lead (seconds); at most far and alarms_per_day."""


def rules(book: Book, draft: Draft) -> tuple[Rule, ...]:
    """Every rule of a pack."""
    made: dict[str, Rule] = {}
    for node in draft.fields.items("rules"):
        rule = _rule(book, draft, node)
        if rule is not None and made.setdefault(rule.id, rule) is not rule:
            draft.faults.add(node.place, f"duplicate rule {rule.id!r}, first at line {made[rule.id].line}")
        if rule is not None and rule.path in book.detectors:
            draft.faults.add(node.place, f"rule {rule.id!r} has the name of a detector")
    return tuple(made.values())


def gates(book: Book, draft: Draft) -> dict[str, dict[str, float]]:
    """`skill: {stage: {pod: 0.8, lead: 2h}}`: what a backtest of a detector must reach."""
    found = {}
    for name, node in draft.fields.each("skill"):
        if f"{draft.id}/{name}" not in book.detectors:
            draft.faults.unknown(draft.fields.sub("skill").at(name), "detector", name, _ids(book, draft))
        gate = Fields(node, draft.faults, f"skill of {name}", GATES)
        found[name] = {key: _gate(gate, key) for key in node.fields if key in GATES}
    return found


def _gate(gate: Fields, key: str) -> float:
    return gate.duration(key, 0.0) if key == "lead" else gate.number(key, 0.0, 0.0, inf if key == "alarms_per_day" else 1.0)


def _rule(book: Book, draft: Draft, node: Node) -> Rule | None:
    entry = Fields(node, draft.faults, "rule", KEYS, draft.defaults("rule", SHARED))
    id = entry.word("id", must=True)
    if not identifier(id, entry.at("id"), "rule", ID, draft.faults):
        return None
    entry.what = f"rule {id}"
    when, known = entry.sub("when"), load("rules")
    entry.need("when")
    kinds = [key for key in when.node.fields if key in known]
    if "when" in entry and len(kinds) != 1:
        wrong = [key for key in when.node.fields if key not in (*known, "of", "level")]
        draft.faults.unknown(when.at(wrong[0]) if wrong else when.place, "kind of rule", wrong[0] if wrong else "", known)
    tree, depth = _area(book, draft, entry)
    unknown, quorum = _unknown(entry)
    level = entry.level("level", must=True)
    if len(kinds) != 1:
        return None
    params = _params(draft, when, kinds[0], known[kinds[0]])
    if "covers" in entry:
        entry.choice("covers", ["members"])
    return Rule(
        id, draft.id, kinds[0], _members(book, draft, when), when.level("level", must=True), params, level, tree, depth,
        within=entry.duration("within", inf), unknown=unknown, quorum=quorum, covers="covers" in entry,
        scope=entry.choice("scope", list(Scope), Scope.REAL.value), was=entry.word("was"), title=entry.title("title"),
        why=entry.title("why"), source=entry.word("source"), line=entry.place.line)


def _params(draft: Draft, when: Fields, name: str, kind: Any) -> dict[str, float]:
    """`at_least: 3` gives the kind's first parameter; others stand beside it."""
    declared = names(kind)
    given = dict(when.node.fields)
    keys = dict(when.node.keys)
    first, keys_first = given.pop(name), keys.pop(name)
    if declared and not isinstance(first.value, dict):
        given[declared[0]], keys[declared[0]] = first, keys_first
    fields = Fields(Node(when.place, given, keys=keys), draft.faults, f"rule kind {name}", ("of", "level", *declared))
    use = read_use(fields, name, kind, "", Columns())
    return {key: value for key, value in use.params.items() if isinstance(value, float | int)}


def _members(book: Book, draft: Draft, when: Fields) -> tuple[str, ...]:
    when.need("of")
    of = when.sub("of", ("detector",))
    if "of" in when:
        of.need("detector")
    found = of.words("detector", "detector", _ids(book, draft))
    return tuple(dict.fromkeys(word if "/" in word else f"{draft.id}/{word}" for word in found))


def _ids(book: Book, draft: Draft) -> list[str]:
    """What a pack calls the detectors: its own by id, all by path."""
    mine = [d.id for d in book.detectors.values() if d.pack == draft.id]
    return [*mine, *book.detectors]


def _area(book: Book, draft: Draft, entry: Fields) -> tuple[str, str]:
    if "for_each" not in entry:
        return "", ""
    area = entry.sub("for_each", ("area",)).sub("area", ("tree", "depth"))
    tree = area.choice("tree", book.trees)
    area.need("tree")
    area.need("depth")
    depth = area.choice("depth", dict.fromkeys(a.depth for a in book.trees[tree].values())) if tree else ""
    return tree, depth


def _unknown(entry: Fields) -> tuple[str, float]:
    node = entry.get("unknown")
    if node is None or not isinstance(node.value, dict):
        return entry.choice("unknown", UNKNOWN, "quorum"), 0.7
    return "quorum", Fields(node, entry.faults, "unknown", ("quorum",)).number("quorum", 0.7, 0.0, 1.0)
