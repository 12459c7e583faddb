"""The truth table of a rule says, row by row, what the rule itself says in that state."""
from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from detectors.combine import Board
from detectors.event import Change, alert_id, event_id
from detectors.level import Level
from detectors.pack import City, Detector, Indicator, Limit, Pack, Rule, Site, Term, Text, Use
from detectors.plan import Plan
from streams.packs import truth

SITES = tuple("abcdefgh")
A, B, C = (Term("any", (f"p/{name}",), 2) for name in "xyz")


def city(rule: Rule) -> City:
    """Three indicators at eight sites, each with a detector."""
    indicators = tuple(Indicator(f"i{name}", "p", Text(name), "", SITES, silent=900.0) for name in "xyz")
    detectors = tuple(Detector(name, "p", f"i{name}", Use("threshold"), tuple(Limit(n, float(n)) for n in range(1, 5))) for name in "xyz")
    return City((Pack("p", Text("p"), indicators, detectors, (rule,)),), {s: Site(s, Text(s)) for s in SITES})


def rule(when: Term, **more: Any) -> Rule:
    """A rule that says orange."""
    return Rule("r", "p", when.kind, when.of, when.at, dict(when.params), **{"when": when, "level": 3, **more})  # type: ignore[arg-type]


def ask(one: Rule, up: dict[str, int], silent: dict[str, int]) -> str:
    """What the rule says with so many of each detector up, and so many of the others never heard, all at one moment."""
    board = Board(Plan(city(one)))
    for name in "xyz":
        for n, site in enumerate(SITES):
            if n < len(SITES) - silent.get(name, 0):
                board.change(Change(kind="fresh", time=1, arrived=1, pack="p", site=site, indicator=f"i{name}", fresh="fresh"))
            if n < up.get(name, 0):
                alert = alert_id(f"p/{name}", f"i{name}@{site}", 1)
                board.change(Change(id=event_id(alert, 1), alert=alert, seq=1, time=1, arrived=1, pack="p", site=site,
                                    indicator=f"i{name}", detector=f"p/{name}", to=2, value=1.0, score=1.0, limit=1.0,
                                    since=1, onset=1))
    ruling = board.rulings["p/r", ""]
    ruling.freshness(2, 2)
    return Level(ruling.emitted[-1][0].to).word if ruling.holds else "normal" if ruling.known else "unknown"


@pytest.mark.parametrize("unknown", ["worst", "quorum", "ignore"])
@pytest.mark.parametrize("when", [
    Term("at_least", ("p/x",), 2, {"n": 3.0}), Term("any", ("p/x",), 2), Term("all", ("p/x",), 2),
    Term("share", ("p/x",), 2, {"n": 0.25}), Term("count", ("p/x",), 2, {"n": 2.0})], ids=lambda term: term.kind)
def test_members_that_are_alike(when: Term, unknown: str) -> None:
    """Each state of so many up and so many silent stands in one row, and that row is what the rule says."""
    levels = ((2, 0.25), (4, 0.75)) if when.kind == "share" else ((1, 2.0), (3, 5.0)) if when.kind == "count" else ()
    one = rule(when, unknown=unknown, levels=levels)
    heads, rows = truth.table(one, [8])
    assert heads == ["up", "silent", "says"]
    for up, silent in product(range(9), range(9)):
        if up + silent <= 8:
            found = [says for ups, quiet, says in rows if within(ups, up) and within(quiet, silent, up)]
            assert found == [ask(one, {"x": up}, {"x": silent})], (up, silent, rows)


def within(words: str, n: int, up: int = 0) -> bool:
    """Whether a cell speaks of this number."""
    words = words.removesuffix(" of 8")
    if words == "–":
        return True
    n += up if words.endswith("with those up") else 0
    words = words.removesuffix(" with those up")
    if words.startswith("fewer than "):
        return n < int(words.removeprefix("fewer than "))
    if words.endswith(" or more"):
        return n >= int(words.removesuffix(" or more"))
    low, _, high = words.partition("…")
    return int(low) <= n <= int(high or low)


TREES = [
    Term("all", parts=(A, Term("not", parts=(B,)))),
    Term("any", parts=(Term("all", parts=(A, B)), C)),
    Term("at_least", params={"n": 2.0}, parts=(A, B, Term("not", parts=(C,)))),
    Term("not", parts=(Term("any", parts=(A, Term("all", parts=(B, C)))),)),
]


@pytest.mark.parametrize("unknown", ["worst", "ignore"])
@pytest.mark.parametrize("when", TREES, ids=truth.said)
def test_a_tree(when: Term, unknown: str) -> None:
    """Each state of true, false and unknown stands in one row, and that row is what the rule says."""
    one = rule(when, unknown=unknown)
    heads, rows = truth.table(one, [8, 8, 8])
    assert [head[:3] for head in heads[:-1]] == [term.of[0] for term in when.walk() if term.of]
    names = [head[2] for head in heads[:-1]]
    assert len(rows) < 3 ** len(names)
    for state in product(("true", "false", "unknown") if unknown == "worst" else ("true", "false"), repeat=len(names)):
        found = [row[-1] for row in rows if all(cell in ("–", word) for cell, word in zip(row, state, strict=False))]
        up = {name: 1 for name, word in zip(names, state, strict=True) if word == "true"}
        silent = {name: 8 for name, word in zip(names, state, strict=True) if word == "unknown"}
        assert found == [ask(one, up, silent)], (state, rows)


def test_states_that_cannot_be_are_left_out() -> None:
    """What is at yellow is at blue; a rule that needs otherwise can never hold."""
    blue = Term("any", ("p/x",), 1)
    never = Term("all", parts=(A, Term("not", parts=(blue,))))
    assert truth.outcomes(never) == (False, False)
    assert truth.outcomes(Term("any", parts=(A, Term("not", parts=(A,))))) == (True, True)
    assert truth.outcomes(Term("all", parts=(blue, Term("not", parts=(A,))))) == (True, False)


def test_an_index_shows_what_each_part_adds() -> None:
    """Points by level of each part, and the zones."""
    one = rule(Term("index", params={"n": 20.0}, parts=(A, Term("any", ("p/y",), 1, weight=3.0))), levels=((1, 20.0), (4, 80.0)))
    heads, rows = truth.table(one, [8, 8])
    assert heads == ["adds to the score", "normal", "blue", "yellow", "orange", "red"]
    assert rows[1] == ("p/y ≥ blue", "0", "18.75", "37.5", "56.25", "75")
    assert rows[-1] == ("from this score on", "0", "20", "–", "–", "80")


def test_large_places_are_quick() -> None:
    """A rule over 200 000 members has as few rows as one over eight."""
    _, rows = truth.table(rule(Term("share", ("p/x",), 2, {"n": 0.1}), levels=((2, 0.1), (4, 0.5)), unknown="quorum"), [200_000])
    assert len(rows) == 4 and rows[-1] == ("100000…200000 of 200000", "–", "red")
