"""Rules that are legal word by word and still wrong: made of each other, never holding, at levels that nothing reaches."""
from __future__ import annotations

from collections.abc import Sequence

from detectors.level import Level
from detectors.pack import City, Rule, Term
from detectors.places import ranked
from detectors.registry import load
from streams.packs.book import Book
from streams.packs.ruling import Ruled
from streams.packs.truth import outcomes, places_of


def lint_rules(book: Book, ruled: Sequence[Ruled], city: City) -> None:
    """All of it."""
    by = {one.rule.path: one for one in ruled}
    try:
        ranked(one.rule for one in ruled)
    except ValueError as error:
        first = by[str(error).partition(" -> ")[0]]
        book.drafts[first.rule.pack].faults.add(first.place, f"rule {first.rule.id}: made of itself: {error}")
        return
    found = places_of(city) if ruled else {}
    seen: dict[str, Rule] = {}
    for one in ruled:
        rule, faults = one.rule, book.drafts[one.rule.pack].faults
        _reached(book, by, one)
        if not found[rule.path]:
            faults.hint(one.place, f"rule {rule.id}: has no member anywhere" + (
                "; upstream needs the columns downstream and travel" if "upstream" in rule.term.kind else ""))
        elif not rule.term.parts:
            _enough(book, one, max(totals[0] for totals in found[rule.path].values()))
        holds, always = outcomes(rule.term)
        if not holds:
            faults.add(one.place, f"rule {rule.id}: can never hold; see wanglou check --explain {rule.path}")
        elif always:
            faults.add(one.place, f"rule {rule.id}: holds while nothing is up; see wanglou check --explain {rule.path}")
        same = repr((rule.term, rule.tree, rule.depth, rule.more, rule.by_site, rule.scope))
        if seen.setdefault(same, rule) is not rule:
            faults.hint(one.place, f"rule {rule.id}: has the same condition as {seen[same].path}, line {seen[same].line}")


def _enough(book: Book, one: Ruled, most: int) -> None:
    """More members are asked for than any place has."""
    term: Term = one.rule.term
    kind = load("rules")[term.kind](**term.params)
    need = kind.need(most) if hasattr(kind, "need") and term.kind != "domains" else 0
    if need > most:
        book.drafts[one.rule.pack].faults.add(
            one.place, f"rule {one.rule.id}: can never hold: it needs {need} members, the largest place has {most}")


def _reached(book: Book, by: dict[str, Ruled], one: Ruled) -> None:
    """A member counts from a level that its detector or rule does not say."""
    for term, spot in zip(one.rule.term.walk(), one.spots, strict=True):
        for path in term.of:
            if path in book.detectors:
                levels = [limit.level for limit in book.detectors[path].limits]
            elif path in by:
                levels = [by[path].rule.level, *(level for level, _ in by[path].rule.levels)]
            else:
                continue
            if levels and max(levels) < term.at:
                book.drafts[one.rule.pack].faults.add(spot, f"rule {one.rule.id}: {path} is never {Level(term.at).word}; "
                                                      f"its levels end at {Level(max(levels)).word}")
