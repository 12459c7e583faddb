"""`rules:` of a pack: how levels of detectors are combined, and `skill:`, its gates."""
from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from detectors.level import LEVELS, Level, Scope
from detectors.pack import Rule, Term
from detectors.registry import load
from streams.packs.book import ID, Book, Draft, identifier
from streams.packs.conditions import Conditions
from streams.packs.faults import Place
from streams.packs.fields import Fields
from streams.packs.grammar import AREA, FOR_EACH, GATE, QUORUM, RULE
from streams.packs.nodes import Node
from streams.packs.reports import read_report

SHARED, KEYS, UNKNOWN = RULE.shared, RULE.names, RULE.words("unknown")
WORDS = [word for word, level in LEVELS.items() if level]
GATES = GATE.names
"""What a gate may bound: at least pod, csi and lead (seconds); at most far and alarms_per_day."""


@dataclass(frozen=True)
class Ruled:
    """A rule, and where each of its conditions stands (in the order of `Term.walk`)."""

    rule: Rule
    place: Place
    spots: tuple[Place, ...]


def rules(book: Book, draft: Draft) -> tuple[Ruled, ...]:
    """Every rule of a pack."""
    made: dict[str, Ruled] = {}
    every = [f"{name}/{id}" for name, other in book.drafts.items() for id in _ids(other)]
    for node in draft.fields.items("rules"):
        ruled = _rule(book, draft, node, every)
        if ruled is None:
            continue
        rule = ruled.rule
        if made.setdefault(rule.id, ruled) is not ruled:
            draft.faults.add(node.place, f"duplicate rule {rule.id!r}, first at line {made[rule.id].rule.line}")
        if rule.path in book.detectors:
            draft.faults.add(node.place, f"rule {rule.id!r} has the name of a detector")
    return tuple(made.values())


def _ids(draft: Draft) -> list[str]:
    """What a pack calls its rules."""
    node = draft.fields.get("rules")
    return [rule.fields["id"].text for rule in (node.items if node else []) if "id" in rule.fields]


def gates(book: Book, draft: Draft) -> dict[str, dict[str, float]]:
    """`skill: {stage: {pod: 0.8, lead: 2h}}`: what a backtest of a detector must reach; `stage/red` = at this level alone."""
    found = {}
    known = [*(d.id for d in book.detectors.values() if d.pack == draft.id), *book.detectors]
    for name, node in draft.fields.each("skill"):
        ident, _, word = name.partition("/")
        if f"{draft.id}/{ident}" not in book.detectors:
            draft.faults.unknown(draft.fields.sub("skill").at(name), "detector", name, known)
        elif word and word not in WORDS:
            draft.faults.unknown(draft.fields.sub("skill").at(name), "level", word, WORDS)
        gate = Fields(node, draft.faults, f"skill of {name}", GATES)
        found[name] = {key: _gate(gate, key) for key in node.fields if key in GATES}
    return found


def _gate(gate: Fields, key: str) -> float:
    return gate.duration(key, 0.0) if key == "lead" else gate.number(key, 0.0, 0.0, inf if key == "alarms_per_day" else 1.0)


def _rule(book: Book, draft: Draft, node: Node, every: list[str]) -> Ruled | None:
    entry = Fields(node, draft.faults, "rule", KEYS, draft.defaults("rule", SHARED))
    id = entry.word("id", must=True)
    if not identifier(id, entry.at("id"), "rule", ID, draft.faults):
        return None
    entry.what = f"rule {id}"
    conditions = Conditions(book, draft, every)
    when = entry.need("when")
    term = conditions.read(when) if when is not None else None
    trees, by_site = _places(book, entry)
    unknown, quorum = _unknown(entry)
    if term is not None:
        term = _within(entry, term)
    level, levels = _levels(entry, term)
    if term is not None and levels:
        term = replace(term, params={**term.params, "n": levels[0][1]})
    if "covers" in entry:
        entry.choice("covers", ["members"])
    report = read_report(book, entry)
    if term is None:
        return None
    simple = not term.parts
    rule = Rule(
        id, draft.id, term.kind, tuple(dict.fromkeys(path for one in term.walk() for path in one.of)), term.at,
        {key: value for key, value in term.params.items() if isinstance(value, float)}, level, *trees[0],
        within=term.within, unknown=unknown, quorum=quorum, covers="covers" in entry or term.kind == "storm",
        scope=entry.choice("scope", list(Scope), Scope.REAL.value), was=entry.word("was"), title=entry.title("title"),
        why=entry.title("why"), source=entry.word("source"), line=entry.place.line, when=None if simple else term,
        levels=levels, by_site=by_site, report=report, more=trees[1:])
    return Ruled(rule, entry.place, tuple(conditions.spots))


def _within(entry: Fields, term: Term) -> Term:
    """`within` of the rule is that of its outermost condition."""
    timed = load("rules")[term.kind].timed
    if "within" in entry.node.fields and not timed:
        entry.faults.add(entry.at("within"), f"within means nothing to {term.kind}; it counts all that hold")
    if timed and term.within == inf:
        term = replace(term, within=entry.duration("within", inf))
    if term.kind == "storm" and term.within == inf:
        entry.faults.add(entry.place, f"{entry.what}: within is missing; a storm is so many within a time")
    return term


def _levels(entry: Fields, term: Term | None) -> tuple[int, tuple[tuple[int, float], ...]]:
    """The one level that it says, or its own levels by number, lowest first."""
    number = term is not None and hasattr(load("rules")[term.kind], "measure")
    if "levels" not in entry:
        if term is not None and term.kind == "worst" and "level" not in entry:
            return int(Level.RED), tuple((int(level), float(level)) for level in Level if level)
        level = entry.level("level", must=True)
        if (given := entry.get("level")) is not None and given.text == "normal":
            entry.faults.add(given.place, f"{entry.what}: normal is no warning; allowed: {', '.join(WORDS)}")
        if term is not None and number and term.kind != "worst" and "n" not in term.params:
            entry.faults.add(entry.place, f"{entry.what}: from which number on? write levels: {{yellow: …}}, or "
                                          f"{term.kind}: … with of: and level:")
        return level, ()
    if "level" in entry.node.fields:
        entry.faults.add(entry.at("level"), "level and levels are two ways to say the same; give one")
    if term is not None and not number:
        entry.faults.add(entry.at("levels"), f"levels is for count, share, worst and index; {term.kind} has one level")
        return 0, ()
    fields = entry.sub("levels", WORDS)
    words = [word for word in WORDS if word in fields.node.fields]
    worst = term is not None and term.kind == "worst"
    levels = [(int(LEVELS[word]), float(fields.level(word)) if worst else fields.number(word, 0.0)) for word in words]
    for (_, low), (word, high) in zip(levels, [(w, at) for w, (_, at) in zip(words, levels, strict=True)][1:], strict=False):
        if high <= low:
            entry.faults.add(fields.at(word), f"{entry.what}: {word} at {high:g} is not above the level below it at {low:g}")
    if any(at <= 0 for _, at in levels) or not levels:
        entry.faults.add(entry.at("levels"), f"{entry.what}: each level begins at a number above 0")
    return levels[-1][0] if levels else 0, tuple(levels)


def _places(book: Book, entry: Fields) -> tuple[tuple[tuple[str, str], ...], bool]:
    """(tree and depth of each sort of area, for each site). `area` is one `{tree, depth}` or a list of them."""
    node = entry.get("for_each")
    if node is None:
        return (("", ""),), False
    if not isinstance(node.value, dict):
        return (("", ""),), entry.choice("for_each", ["site"]) == "site"
    fields = entry.sub("for_each", FOR_EACH.names)
    given = fields.get("area")
    if given is not None and isinstance(given.value, list) and given.items:
        return tuple(_area(book, Fields(one, entry.faults, "area", AREA.names)) for one in given.items), False
    return (_area(book, fields.sub("area", AREA.names)),), False


def _area(book: Book, area: Fields) -> tuple[str, str]:
    tree = area.choice("tree", book.trees)
    area.need("tree")
    area.need("depth")
    return tree, area.choice("depth", dict.fromkeys(a.depth for a in book.trees[tree].values())) if tree else ""


def _unknown(entry: Fields) -> tuple[str, float]:
    node = entry.get("unknown")
    if node is None or not isinstance(node.value, dict):
        return entry.choice("unknown", UNKNOWN, "quorum"), 0.7
    return "quorum", Fields(node, entry.faults, "unknown", QUORUM.names).number("quorum", 0.7, 0.0, 1.0)
