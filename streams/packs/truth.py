"""The truth table of a rule: what it says for every state of its members, as short as symmetry and don't-cares make it.

Members of one selection are alike, so only how many are up and how many silent counts; of a tree each selection is true,
false or unknown. A dash says that it does not matter.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from detectors.holding import Held, Seen
from detectors.level import Level
from detectors.pack import City, Rule, Term
from detectors.places import Member, Places, ranked
from detectors.registry import load
from streams.packs.offsets import short

MOST = 9
"""Selections of a tree that are laid out (3⁹ states)."""
Truth = bool | None
WORDS: dict[Truth, str] = {True: "true", False: "false", None: "unknown"}
Found = dict[str, list[int]]
"""By place, how many members each selection has."""


def places_of(city: City) -> dict[str, Found]:
    """For every rule its places."""
    plan: Any = SimpleNamespace(city=city, hash="", indicators={i.id: i for p in city.packs for i in p.indicators},
                                detectors={d.path: d for p in city.packs for d in p.detectors})
    places, made, out = Places(plan), dict[str, list[Member]](), dict[str, Found]()
    for rule in ranked(rule for pack in city.packs for rule in pack.rules):
        found, spoken = places.found(rule, made)
        made[rule.path] = [(f"{rule.path}@{place}", frozenset(spoken[place])) for place in sorted(found)]
        out[rule.path] = {place: [len({name for _, name in keys}) for keys in found[place]] for place in sorted(found)}
    return out


def explain(rule: Rule, found: Found) -> dict[str, Any]:
    """All of it as plain values: what it asks, where, and the rows of its table at the largest place."""
    place = max(found, key=lambda name: (sum(found[name]), name), default="")
    totals = found.get(place, [1] * len(_leaves(rule.term)))
    heads, rows = table(rule, totals)
    return {"rule": rule.path, "says": said(rule.term), "policy": policy(rule), "places": len(found), "place": place,
            "members": sum(totals), "columns": heads, "rows": [list(row) for row in rows], "notes": list(_notes(rule))}


def table(rule: Rule, totals: Sequence[int]) -> tuple[list[str], list[tuple[str, ...]]]:
    """(heads, rows); the last column is what the rule says."""
    if rule.term.kind == "index":
        return _index(rule)
    if not rule.term.parts:
        return ["up", "silent", "says"], list(_counts(rule, totals[0]))
    leaves = _leaves(rule.term)
    if len(leaves) > MOST:
        raise ValueError(f"rule {rule.path}: {len(leaves)} selections; a table is laid out for up to {MOST}")
    values: tuple[Truth, ...] = (True, False) if rule.unknown == "ignore" else (True, False, None)
    rows = [(*(_word(row[i]) if i in row else "–" for i in range(len(leaves))), _says(rule, outcome))
            for row, outcome in _merged(rule.term, len(leaves), values)]
    return [*(said(leaf) for leaf in leaves), "says"], rows


def outcomes(term: Term) -> tuple[bool, bool]:
    """(whether it can hold at all, whether it holds when nothing is up), with all that can be heard."""
    leaves = _leaves(term)
    if len(leaves) > MOST or term.kind == "index":
        return True, False
    states = [state for state in _every(len(leaves), (False, True)) if _possible(leaves, state)]
    return any(_truth(term, iter(state)) for state in states), bool(_truth(term, iter([False] * len(leaves))))


def said(term: Term) -> str:
    """A condition in words."""
    inner = ", ".join(said(part) for part in term.parts) if term.parts else " ".join(term.of)
    params = " ".join(f"{value:g}" for value in term.params.values() if isinstance(value, float | int))
    level = "" if term.parts else f" ≥ {Level(term.at).word}"
    within = f" within {short(round(term.within * 1e6))}" if term.within != float("inf") else ""
    if term.kind == "any" and not term.parts:
        return f"{inner}{level}"
    return f"{term.kind}{f' {params}' if params else ''} ({inner}{level}){within}"


def policy(rule: Rule) -> str:
    """What is done about members that cannot be heard."""
    return f"quorum {rule.quorum:g}" if rule.unknown == "quorum" else rule.unknown


def _leaves(term: Term) -> list[Term]:
    return [one for one in term.walk() if one.of]


def _word(truth: Truth) -> str:
    return WORDS[truth]


def _says(rule: Rule, truth: Truth) -> str:
    return Level(rule.level).word if truth else "unknown" if truth is None else "normal"


def _notes(rule: Rule) -> Iterator[str]:
    if any(term.kind == "sequence" for term in rule.term.walk()):
        yield "of a sequence, true means: came before the next one, in time; all but the last may be over again"
    if any(term.within != float("inf") for term in rule.term.walk()):
        yield "within decides only when it begins; while it holds, those that come later count"
    if any(term.kind == "not" for term in rule.term.walk()):
        yield "a rule that holds does not end because something becomes unknown"


# ---- a tree

def _every(n: int, values: tuple[Truth, ...]) -> Iterator[tuple[Truth, ...]]:
    if n == 0:
        yield ()
        return
    for rest in _every(n - 1, values):
        for value in values:
            yield (*rest, value)


def _truth(term: Term, given: Iterator[Truth]) -> Truth:
    """The condition where its selections are so, after Kleene."""
    if term.of:
        return next(given)
    parts = [_truth(part, given) for part in term.parts]
    if term.kind == "sequence":
        return False if False in parts else None if None in parts else True
    kind: Any = load("rules")[term.kind](**term.params)
    held = tuple(Held(part, level=int(bool(part))) for part in parts)
    up = {str(i): (0, False) for i, part in enumerate(parts) if part}
    tops = [len(parts) - len(up), len(up), 0, 0, 0]
    seen = Seen(up, len(parts), parts.count(None), "worst", 0.0, tops, tops, parts=held,
                weights=tuple(part.weight for part in term.parts))
    answer: Truth = kind.step(Held(), seen, 0, float("inf")).truth
    return answer


def _possible(leaves: list[Term], state: Sequence[Truth]) -> bool:
    """Not: the same members at yellow and yet not at blue."""
    return not any(a.kind == b.kind == "any" and a.of == b.of and a.at >= b.at and x is True and y is False
                   for a, x in zip(leaves, state, strict=True) for b, y in zip(leaves, state, strict=True))


def _merged(term: Term, n: int, values: tuple[Truth, ...]) -> list[tuple[dict[int, Truth], Truth]]:
    """Rows in which only what matters stands."""
    leaves = _leaves(term)

    @cache
    def answers(fixed: tuple[Truth, ...]) -> frozenset[Truth]:
        if len(fixed) == n:
            return frozenset([_truth(term, iter(fixed))]) if _possible(leaves, fixed) else frozenset()
        return frozenset().union(*(answers((*fixed, value)) for value in values))

    rows: list[tuple[dict[int, Truth], Truth]] = []

    def lay(fixed: tuple[Truth, ...], shown: dict[int, Truth]) -> None:
        found = answers(fixed)
        if len(found) == 1:
            rows.append((shown, next(iter(found))))
        elif found:
            for value in values:
                lay((*fixed, value), {**shown, len(fixed): value})

    lay((), {})
    return rows


# ---- members that are alike

def _counts(rule: Rule, total: int) -> Iterator[tuple[str, str, str]]:
    term = rule.term
    kind: Any = load("rules")[term.kind](**term.params)

    def answer(up: int, silent: int) -> str:
        rises = {str(i): (0, False) for i in range(up)}
        if term.kind == "worst":
            tops = [total, 0, 0, 0, 0]
            tops[up] += 1
            held = kind.step(Held(), Seen({}, total, silent, rule.unknown, rule.quorum, tops, tops), 0, float("inf"))
        else:
            seen = Seen(rises, total, silent, rule.unknown, rule.quorum, [total - up, up, 0, 0, 0],
                        domain=lambda name: (name,))
            held = kind.step(Held(), seen, 0, float("inf"))
        if not held.truth:
            return "unknown" if held.truth is None else "normal"
        return Level(max((of for of, at in rule.levels if held.value >= at), default=0) if rule.levels else rule.level).word

    most = 4 if term.kind == "worst" else total
    of = "" if term.kind == "worst" else f" of {total}"
    for low, high, word in _ranges(lambda up: answer(up, 0), most):
        name = (f"{Level(low).word}…{Level(high).word}" if low != high else Level(low).word) if term.kind == "worst" else (
            f"{low}…{high}{of}" if low != high else f"{low}{of}")
        if word != "normal":
            yield name, "–", word
            continue
        least = [_least(lambda silent, up=up: answer(up, silent) == "unknown", total - (0 if term.kind == "worst" else up))
                 for up in (low, high)]
        if least == [None, None]:
            yield name, "–", word
        elif rule.unknown == "worst" and term.kind != "worst":
            need = high + 1
            yield name, f"fewer than {need} with those up", word
            yield name, f"{need} or more with those up", "unknown"
        else:
            bound = min(s for s in least if s is not None)
            yield name, f"fewer than {bound}", word
            yield name, f"{bound} or more", "unknown"


def _least(holds: Any, most: int) -> int | None:
    """The smallest of 0 … most from which on it holds."""
    if not holds(most):
        return None
    left, right = 0, most
    while left < right:
        middle = (left + right) // 2
        left, right = (left, middle) if holds(middle) else (middle + 1, right)
    return left


def _ranges(answer: Any, most: int) -> Iterator[tuple[int, int, str]]:
    """Runs of the same answer over 0 … most: answers rise with the number, so their ends are found by halves."""
    low = 0
    while low <= most:
        word, left, right = answer(low), low, most
        while left < right:
            middle = (left + right + 1) // 2
            left, right = (middle, right) if answer(middle) == word else (left, middle - 1)
        yield low, left, word
        low = left + 1


def _index(rule: Rule) -> tuple[list[str], list[tuple[str, ...]]]:
    """What each level of each part adds to the score, and the zones."""
    term = rule.term
    kind: Any = load("rules")["index"](**term.params)
    weights = [part.weight for part in term.parts]
    most = sum(weights) * max(kind.points)
    rows = [(said(part), *(f"{100 * part.weight * point / most:.4g}" for point in kind.points)) for part in term.parts]
    zones = rule.levels or ((rule.level, kind.n),)
    ends = {level: f"{at:g}" for level, at in zones}
    rows.append(("from this score on", "0", *(ends.get(level, "–") for level in range(1, 5))))
    return ["adds to the score", *(Level(level).word for level in range(5))], rows


def text(found: dict[str, Any]) -> str:
    """What people read."""
    where = f"{found['places']} places" if found["places"] != 1 else "1 place"
    lines = [f"{found['rule']}: {found['says']}", f"  {where}; shown: {found['place'] or 'the whole city'}, "
             f"{found['members']} members; unknown: {found['policy']}", ""]
    rows = [found["columns"], *found["rows"]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"  * {note}" for note in found["notes"])])
