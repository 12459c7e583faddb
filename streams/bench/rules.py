"""What one change of level costs `combine` where many members count in a rule: it must not grow with how many could."""
from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from detectors.combine import Board
from detectors.event import Change, alert_id, event_id
from detectors.pack import Area, City, Detector, Indicator, Limit, Pack, Rule, Site, Text, Use
from streams import clock
from streams.bench.tools.frame import Bench, Figure, middle

__all__ = ["rules"]

COUNTIES = 10
RULES: dict[str, tuple[Rule, ...]] = {
    "none": (),
    "at_least 3 by county": (Rule("r", "p", "at_least", ("p/d",), 1, {"n": 3.0}, tree="a", depth="county", within=600.0),),
    "share of all": (Rule("r", "p", "share", ("p/d",), 1, {"n": 0.01}, levels=((1, 0.01), (3, 0.05)), level=3),),
    "rules over shares": (
        Rule("c", "p", "share", ("p/d",), 1, {"n": 0.01}, levels=((1, 0.01), (3, 0.05)), level=3, tree="a", depth="county"),
        Rule("r", "p", "at_least", ("p/c",), 1, {"n": 3.0})),
}


def rules(bench: Bench) -> Iterator[Figure]:
    """The same few members rise, one after another and all at one moment, with few and with ten times as many others beside."""
    many = 2_000 if bench.quick else 20_000
    for name, made in RULES.items():
        one, ten = ([middle(part) for part in zip(*(cost(made, n, many // 100) for _ in range(bench.rounds)), strict=True)]
                    for n in (many // 10, many))
        yield Figure(f"combine, {name}", f"{ten[0]:.0f} µs a change, {ten[1]:.0f} all at one moment; ten times fewer members: "
                     f"{one[0]:.0f} and {one[1]:.0f}", {"change": ten[0], "moment": ten[1], "ratio": ten[0] / one[0]})


def cost(made: tuple[Rule, ...], sites: int, rising: int) -> tuple[float, float]:
    """CPU µs a change: one after another, and all at one moment."""
    board = Board(plan(made, sites))
    names = [f"s{i * (sites // rising)}" for i in range(rising)]
    return spent(board, [said(s, 1_000_000 * (i + 1)) for i, s in enumerate(names)]), spent(
        Board(plan(made, sites)), [said(s, 1_000_000) for s in names])


def spent(board: Board, changes: list[Change]) -> float:
    """CPU µs of each."""
    before = clock.cpu()
    for change in changes:
        board.change(change)
    return (clock.cpu() - before) * 1e6 / len(changes)


def said(site: str, time: int) -> Change:
    """A detector at one site goes to blue."""
    alert = alert_id("p/d", f"level@{site}", time)
    return Change(id=event_id(alert, 1), alert=alert, seq=1, time=time, arrived=time, pack="p", site=site, indicator="level",
                  detector="p/d", to=1, value=1.0, score=1.0, limit=1.0, since=time, onset=time)


def plan(made: tuple[Rule, ...], sites: int) -> Any:
    """One indicator, one detector, counties."""
    names = tuple(f"s{i}" for i in range(sites))
    indicator = Indicator("level", "p", Text("x"), "", names, silent=900.0)
    detector = Detector("d", "p", "level", Use("threshold"), (Limit(1, 1.0),))
    areas = (Area("a", "all", Text("x"), "", "city"), *(Area("a", f"c{i}", Text("x"), "all", "county") for i in range(COUNTIES)))
    places = {name: Site(name, Text(name), areas={"a": f"c{i % COUNTIES}"}) for i, name in enumerate(names)}
    city = City((Pack("p", Text("x"), (indicator,), (detector,), made),), places, areas)
    return SimpleNamespace(city=city, hash="", indicators={"level": indicator}, detectors={"p/d": detector})
