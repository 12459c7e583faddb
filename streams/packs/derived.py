"""`derive:` of a pack: a new indicator made of others of the same site, or of one at other sites; inputs come first."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from detectors.pack import Derive, Indicator, Use
from detectors.program import INPUT
from detectors.registry import load
from detectors.step import params
from detectors.sums import KINDS
from streams.packs.book import Book, Draft
from streams.packs.faults import Place
from streams.packs.fields import Fields
from streams.packs.grammar import DERIVED, SUMMED
from streams.packs.guests import KEYS, foreign, moved, read_areas, read_guests
from streams.packs.indicators import read_indicator
from streams.packs.nodes import Node
from streams.packs.params import names, read_use
from streams.packs.programs import coded, compiled, tree
from streams.packs.values import inside

SHARED = DERIVED.names


def derived(book: Book) -> None:
    """Every derived indicator of every pack; a circle is a fault."""
    waiting = {name: (draft, node) for draft in book.drafts.values() for name, node in draft.fields.each("derive")
               if book.owners[name] == draft.id}
    path: list[str] = []

    def visit(name: str, place: Place, by: Draft) -> None:
        if name in path:
            by.faults.add(place, f"derived in a circle: {' -> '.join([*path[path.index(name):], name])}")
        elif name in waiting:
            path.append(name)
            draft, node = waiting.pop(name)
            _derive(book, draft, name, node, lambda n, p: visit(n, p, draft))
            path.pop()

    for name, (draft, node) in list(waiting.items()):
        visit(name, node.place, draft)


def _derive(book: Book, draft: Draft, name: str, node: Node, first: Callable[[str, Place], None]) -> None:
    operators = load("derive")
    fields = Fields(node, draft.faults, f"derive {name}")
    found = [key for key in node.fields if key in operators]
    if len(found) != 1:
        _unclear(draft, fields, found, operators)
        return
    operator, op = found[0], operators[found[0]]
    if operator in KINDS and "area" in node.fields:
        _over_area(book, draft, name, node, operator, first)
        return
    keys = (operator, *SHARED, *names(op), *(KEYS if foreign(op) else ()))
    fields = Fields(node, draft.faults, f"derive {name}", keys)
    inputs = _inputs(book, draft, operator, op, fields)
    for input, place in inputs:
        first(input, place)
    sources = [book.indicators[i] for i, _ in inputs if i in book.indicators]
    if not sources or len(sources) != len(inputs):
        return
    if _of_areas(draft, fields, sources):
        return
    away = read_guests(book, draft, fields, operator, sources[0]) if foreign(op) else {}
    if foreign(op) and not away:
        return
    like = _like(draft, fields, name, op, sources, tuple(away))
    block = draft.fields.sub("indicators")
    indicator = read_indicator(book, draft, name, block.get(name), like.sites, like)
    columns = book.columns(draft, like.sites)
    use = read_use(fields, operator, op, sources[0].unit, columns)
    if coded(op):
        places = {source.id: INPUT + k for k, source in enumerate(sources)}
        use = Use(operator, {**use.params, **compiled(fields.node.fields[operator], places, columns, draft.faults, name)})
    coverage, grace = fields.number("coverage", 1.0, 0.0, 1.0), fields.duration("grace", 0.0)
    made = Derive(use, tuple(s.id for s in sources), coverage, grace, away)
    checks = indicator.checks or (moved(sources[0], away) if away and foreign(op) == 1 else ())
    book.indicators[name] = replace(indicator, derive=made, checks=checks)


def _over_area(book: Book, draft: Draft, name: str, node: Node, operator: str, first: Callable[[str, Place], None]) -> None:
    """A sum (mean, max, min, count) of all sites of each area of one depth: a series of the area."""
    fields = Fields(node, draft.faults, f"derive {name}", (operator, *SUMMED.names))
    named, visible = node.fields[operator], book.visible(draft)
    if named.text not in visible:
        draft.faults.unknown(named.place, "indicator", named.text, visible)
        return
    first(named.text, named.place)
    source = book.indicators.get(named.text)
    areas = read_areas(book, fields, source) if source is not None else {}
    if source is None or not areas or _of_areas(draft, fields, [source]):
        return
    like = replace(source, id=name, pack=draft.id, sites=tuple(areas), checks=(), derive=None, keep={}, wall=False, complete=(),
                   unit="" if operator == "count" else source.unit, lateness=max(source.lateness, source.every))
    indicator = read_indicator(book, draft, name, draft.fields.sub("indicators").get(name), like.sites, like)
    coverage, tree = fields.number("coverage", 0.8, 0.0, 1.0), next(iter(areas)).partition(":")[0]
    made = Derive(Use(operator), (source.id,), coverage, 0.0, areas, tree)
    book.indicators[name] = replace(indicator, derive=made)


def _of_areas(draft: Draft, fields: Fields, sources: list[Indicator]) -> bool:
    """Whether an input is a series of areas, of which nothing is derived; a fault if so."""
    found = [source.id for source in sources if source.derive is not None and source.derive.tree]
    if found:
        draft.faults.add(fields.place, f"{fields.what}: {found[0]} is of areas, and nothing can be derived of it; "
                         "derive at the sites first, then sum over the area")
    return bool(found)


def _inputs(book: Book, draft: Draft, operator: str, op: Any, fields: Fields) -> list[tuple[str, Place]]:
    """What the operator works on, by name and place; unknown names are faults."""
    node, visible = fields.node.fields[operator], book.visible(draft)
    if coded(op):
        expr = tree(node, draft.faults)
        parts = [p for p in expr.walk() if p.op == "name" and p.name in visible] if expr else []
        named = [(p.name, inside(node, p.column)) for p in parts]
        if expr and not named:
            draft.faults.add(node.place, f"{fields.what}: names no indicator; it may name {', '.join(visible)}")
    else:
        named = [(n.text, n.place) for n in (node.items if isinstance(node.value, list) else [node])]
        for name, place in named:
            if name not in visible:
                draft.faults.unknown(place, "indicator", name, visible)
    inputs = list({name: (name, place) for name, place in reversed(named)}.values())[::-1]
    low, high = (1, 1) if foreign(op) else _arity(op)
    if named and not low <= len(inputs) <= high:
        takes = f"{low} to {high}" if low < high else str(high)
        draft.faults.add(node.place, f"{operator} of {len(inputs)} inputs; it takes {takes}")
        return []
    return inputs if all(name in visible for name, _ in inputs) else []


def _arity(op: Any) -> tuple[int, int]:
    """How many inputs: one, or what the parameter `inputs` allows; without a least it is exactly the most (a program: from 1)."""
    allowed = [(int(p.low), int(p.high)) for p in params(op) if p.name == "inputs"]
    low, high = allowed[0] if allowed else (1, 1)
    return (1 if coded(op) else low or high), high


def _like(draft: Draft, fields: Fields, name: str, op: Any, sources: list[Indicator], away: tuple[str, ...]) -> Indicator:
    """What a derived indicator is without words of its own: after its first input, as slow and as patient as the slowest."""
    first = sources[0]
    everywhere = set(first.sites).intersection(*(other.sites for other in sources))
    sites = away or tuple(s for s in first.sites if s in everywhere)
    if not sites:
        draft.faults.add(fields.place, f"{fields.what}: no site has all of {', '.join(s.id for s in sources)}")
    unit = getattr(op, "result_unit", None)
    if unit is None:
        unit = first.unit if all(s.unit == first.unit for s in sources) else ""
    return replace(first, id=name, pack=draft.id, unit=unit, sites=sites, checks=(), derive=None, keep={}, wall=False,
                   every=max(s.every for s in sources), silent=max(s.silent for s in sources),
                   lateness=max(s.lateness for s in sources), rejudge=max(s.rejudge for s in sources))


def _unclear(draft: Draft, fields: Fields, found: list[str], operators: dict[str, Any]) -> None:
    if found:
        draft.faults.add(fields.place, f"{fields.what}: {' and '.join(found)}; one operator only")
        return
    others = [key for key in fields.node.fields if key not in ("over", *SHARED)]
    word = others[0] if others else ""
    draft.faults.unknown(fields.at(word), "operator", word, operators)
