"""What every file of rules/ must keep: words, examples, parameters, and that it says yes, no and unknown."""
from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import detectors.rules
from detectors.holding import Held, Seen
from detectors.registry import load
from detectors.step import params

FILES = sorted(Path(detectors.rules.__file__).parent.glob("[a-z]*.py"))
each = pytest.mark.parametrize("kind", [pytest.param(kind, id=name) for name, kind in load("rules").items()])
BY_UNIT = {"count": 2.0, "": 0.5}


def made(kind: Any) -> Any:
    """A rule with two for each number that must be given."""
    return kind(**{p.name: 2.0 for p in params(kind) if p.required})


def seen(kind: Any, up: int, silent: int = 0) -> Seen:
    """So many of four members (or conditions) are up since moments 10, 20 …"""
    names = {f"level@{i}": (10 * (i + 1), False) for i in range(up)}
    if "members" in kind.over:
        tops = [4 - up, 0, 0, 0, up]
        domains = {name: (str(i),) for i, name in enumerate(names)}
        return Seen(names, 4, silent, tops=tops, firm=tops, domain=lambda name: domains[name])
    parts = tuple(Held(True, since=10 * (i + 1), level=4) if i < up else Held(None if i < up + silent else False) for i in range(4))
    return Seen(names, 4, silent, parts=parts, weights=(1.0,) * 4)


def test_every_file_is_tested() -> None:
    """The folder is the list: each file names exactly one rule."""
    assert len(load("rules")) == len(FILES) >= 12
    for file in FILES:
        module = import_module(f"detectors.rules.{file.stem}")
        assert len(module.__all__) == 1 and module.__doc__


@each
def test_words(kind: Any) -> None:
    """Each says what it is for, when not to use it, how a pack writes it, where it is from, and shows an example."""
    assert all(word in kind.__doc__ for word in ("Not for", "In a pack:", "Source: ", ">>>"))


@pytest.mark.parametrize("name", [*(f"detectors.rules.{file.stem}" for file in FILES), "detectors.holding", "detectors.places"])
def test_examples(name: str) -> None:
    """The examples give what they promise."""
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0 and result.failed == 0


@each
def test_declarations(kind: Any) -> None:
    """Parameters have a unit, a range and a sentence; it says what it stands over and whether time matters."""
    assert kind.__dataclass_params__.frozen and kind.slots == {}
    assert set(kind.over) <= {"members", "parts"} and kind.over and isinstance(kind.timed, bool)
    for p in params(kind):
        assert p.unit in BY_UNIT and p.low <= p.high and p.doc


@each
def test_is_a_pure_function_of_what_it_sees(kind: Any) -> None:
    """The same moment seen twice gives the same answer, and nothing that was seen is altered."""
    rule, view = made(kind), seen(kind, 4)
    before = repr((view.up, view.tops, view.parts))
    first = rule.step(Held(), view, 40, 1e9)
    assert rule.step(Held(), view, 40, 1e9) == first and repr((view.up, view.tops, view.parts)) == before


@each
def test_yes_no_and_unknown(kind: Any) -> None:
    """Nothing up is no (a not: yes), everything up is yes; with all silent, what is not up is unknown."""
    rule, up = made(kind), Held()
    for moment in range(4):                         # a sequence needs to see its parts come one after the other
        up = rule.step(up, seen(kind, moment + 1), 10 * (moment + 1), 1e9)
    quiet, deaf = rule.step(Held(), seen(kind, 0), 5, 1e9), rule.step(Held(), seen(kind, 0, 4), 5, 1e9)
    other = kind is load("rules")["not"]
    assert (up.truth, quiet.truth, deaf.truth) == (not other, other, None)
