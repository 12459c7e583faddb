"""The city at a glance: its districts, district × pack, open warnings, rules over several packs, our own health.

A cell is the worst level in it. `?` = normal, but too few of its series report; a cell never says normal without how many report.
Drill and shadow are counted nowhere.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from detectors.level import Level
from detectors.pack import SELF
from streams.desk.local import moment, number, span
from streams.desk.names import Names, said
from streams.desk.pages import ask
from streams.desk.pages.ask import Found
from streams.desk.pages.board import tally
from streams.desk.pages.row import section
from streams.desk.pages.view import View
from streams.desk.tables import Alert, Delivery, Item
from streams.desk.words import level, say

QUORUM = 0.7
"""Fewer reporting series of a cell than this share: its being normal is not known."""
OPEN = 12
"""Warnings in the list; the desk has all."""


@dataclass
class Cell:
    """One district in one pack: series of the plan, those ever heard, silent ones of these, the levels of its open warnings."""

    n: int = 0
    heard: int = 0
    silent: int = 0
    levels: list[int] = field(default_factory=list)
    unsure: bool = False            # a rule over it cannot say

    @property
    def level(self) -> int:
        """The worst."""
        return max(self.levels, default=0)

    @property
    def reporting(self) -> int:
        """Heard and not silent."""
        return max(0, self.heard - self.silent)

    @property
    def quiet(self) -> int:
        """Those of the plan that do not report, where anything ever did."""
        return self.n - self.reporting if self.heard else 0

    @property
    def word(self) -> str:
        """One of red … blue, unk, none (nothing was ever heard), or "" for normal."""
        if self.level:
            return Level(self.level).word
        if self.unsure:
            return "unk"
        if not self.heard:
            return "none"
        return "unk" if self.reporting < QUORUM * self.n else ""


Cells = dict[tuple[str, str], Cell]
"""By (district, pack)."""


def cells(names: Names, found: Sequence[Found], items: Sequence[Item], heard: Counter[tuple[str, str]]) -> Cells:
    """What stands where; `heard` = series that have spoken, by district and pack."""
    out = {key: Cell(n, heard[key]) for key, n in names.connected.items()}
    for item in items:
        place = names.district(item.site, item.name.partition("|")[2] if not item.site else "")
        if item.kind == "fresh" and item.state != "never" and (place, item.pack) in out:
            out[place, item.pack].silent += 1
        elif item.kind == "rule":
            out.setdefault((place, item.pack), Cell()).unsure = True
    for f in (x for one in found for x in (one, *one.covered)):
        a = f.alert
        if a.scope == "real" and a.level:
            out.setdefault((names.district(a.site, a.area), a.pack), Cell()).levels.append(a.level)
    return out


def city(s: Session, v: View) -> dict[str, Any]:
    """Everything that city.html shows."""
    names, found, items = v.names, ask.open_alerts(s), ask.items(s)
    real = [f for f in found if f.alert.scope == "real"]
    flat = [x.alert for f in real for x in (f, *f.covered) if x.alert.level]
    known = cells(names, found, items, v.heard)
    packs = [p.id for p in names.city.packs if p.id != SELF]
    places = [a for a in names.city.areas if a.tree == "admin" and any((f"admin:{a.id}", p) in known for p in packs)]
    sums = tally(s, found, items, v)
    tiles = {a.id: _tile(f"admin:{a.id}", packs, known, flat, v) for a in places}
    rows = placed({a.id: names.centres.get(a.id) for a in places}, max(1, isqrt(len(places))))
    return {
        "tally": sums, "favicon": sums["icon"], "at": moment(v.clock, v.now, v.lang),
        "map": [[tiles[id_] for id_ in row] for row in rows],
        "packs": [(p, names.pack(p, v.lang)) for p in packs],
        "matrix": [(tiles[id_], [_cell(f"admin:{id_}", p, known.get((f"admin:{id_}", p), Cell()), v) for p in packs])
                   for row in rows for id_ in row],
        "open": [_line(f, v) for f in sorted(real, key=lambda f: (-f.alert.level, f.alert.onset))[:OPEN]],
        "left": max(0, len(real) - OPEN),
        "rules": [_line(f, v) | {"members": _members(f.alert, v)} for f in real if f.alert.rule],
        "health": _health(s, items, v)}


def _tile(place: str, packs: list[str], known: Cells, flat: list[Alert], v: View) -> dict[str, Any]:
    mine = [known[place, p] for p in packs if (place, p) in known]
    n, reporting = sum(c.n for c in mine), sum(c.reporting for c in mine)
    worst = max((c.level for c in mine), default=0)
    unsure, spoke = any(c.word == "unk" for c in mine), any(c.heard for c in mine)
    word = Level(worst).word if worst else "unk" if unsure else "" if spoke else "none"
    here = sorted((a for a in flat if v.names.district(a.site, a.area) == place), key=lambda a: (-a.level, a.onset))
    counts = Counter(a.pack for a in here)
    return {"key": place, "title": v.names.area(place, v.lang), "word": word, "label": _label(word, worst, n, v),
            "top": _top(here[0], v) if here else "",
            "counts": " · ".join(f"{v.names.pack(p, v.lang)} {k}" for p, k in counts.items()),
            "reporting": say("strip.reporting", v.lang, n=reporting, m=n)}


def _label(word: str, worst: int, n: int, v: View) -> str:
    if worst:
        return level(worst, v.lang)
    nothing = "fresh.never" if n else "city.nothing"
    return say({"unk": "city.unsure", "none": nothing}.get(word, "level.0"), v.lang)


def _cell(place: str, pack: str, c: Cell, v: View) -> dict[str, Any]:
    label = _label(c.word, c.level, c.n, v)
    reporting = say("strip.reporting", v.lang, n=c.reporting, m=c.n)
    return {"word": c.word, "n": len(c.levels) if c.level else c.reporting, "silent": c.quiet, "level": bool(c.level),
            "label": f"{v.names.area(place, v.lang)} {v.names.pack(pack, v.lang)} {label}, {reporting}",
            "query": f"?area={place.partition(':')[2]}&pack={pack}"}


def _top(a: Alert, v: View) -> str:
    what = v.names.indicator(a.indicator, v.lang) if a.indicator else _rule(a, v)
    if a.value is None or not a.indicator:
        return what
    return f"{what} {number(a.value, v.names.decimals(a.indicator))} {v.names.unit(a.indicator)}".strip()


def _rule(a: Alert, v: View) -> str:
    found = v.names.rules.get(a.rule)
    return (said(found.title, v.lang) if found else "") or a.rule


def _line(f: Found, v: View) -> dict[str, Any]:
    a = f.alert
    return {"id": a.id, "word": Level(a.level or a.shown).word, "label": level(a.level or a.shown, v.lang),
            "place": v.names.place(a.site, a.area, v.lang), "what": _top(a, v), "silent": a.silent_since is not None,
            "state": say(f"sect.{section(f)}", v.lang), "since": moment(a.onset, v.clock, v.lang), "waits": section(f) == "ask"}


def _members(a: Alert, v: View) -> str:
    """The series that hold, by indicator and place."""
    said_ = []
    for name in a.members[:6]:
        what, _, where = str(name).partition("@")
        said_.append(f"{v.names.indicator(what, v.lang)} {v.names.place(where, '', v.lang)}")
    return "、".join(said_) if v.lang == "zh" else ", ".join(said_)


def _health(s: Session, items: Sequence[Item], v: View) -> list[tuple[str, str, str, bool]]:
    """(what, figure, more, whether it is amiss)."""
    down = [i for i in items if i.kind == "feed"]
    states: dict[str, int] = {state: n for state, n in s.execute(select(Delivery.state, func.count()).where(
        Delivery.state.in_(("pending", "retry", "parked"))).group_by(Delivery.state))}
    waiting, parked = states.get("pending", 0) + states.get("retry", 0), states.get("parked", 0)
    oldest = min((i.since for i in items if i.kind == "fresh"), default=None)
    newest = ask.arrived(s)
    errors = sum(i.kind in ("error", "sensor") for i in items)
    return [(say("city.sources", v.lang), str(len(down)), ", ".join(i.name for i in down[:3]), bool(down)),
            (say("city.oldest", v.lang), span(v.clock - oldest, v.lang) if oldest else "—", "", oldest is not None),
            (say("city.log", v.lang), span(max(0, v.now - newest), v.lang) if newest and not v.played else "—", "", False),
            (say("city.outbox", v.lang), str(waiting), say("city.parked", v.lang, n=parked) if parked else "", bool(parked)),
            (say("city.broken", v.lang), str(errors), "", bool(errors))]


def placed(centres: dict[str, tuple[float, float] | None], rows: int) -> list[list[str]]:
    """Districts by compass: rows from north to south, each from west to east; those that are nowhere come last.

    >>> placed({"s": (28.9, 119.8), "n": (29.5, 119.9), "w": (29.2, 119.5), "e": (29.3, 120.2)}, 2)
    [['n', 'e'], ['w', 's']]
    """
    known = {id_: at for id_, at in centres.items() if at is not None}
    order = sorted(known, key=lambda id_: -known[id_][0])
    size = -(-len(order) // rows) or 1
    lines = [sorted(order[i:i + size], key=lambda id_: known[id_][1]) for i in range(0, len(order), size)]
    nowhere = [id_ for id_ in centres if id_ not in known]
    return [*lines, nowhere] if nowhere else lines
