"""What differs between two plans, entry by entry and field by field. Pure.

Lines of pack.yaml, titles and reasons count as words: they are said to differ, not shown.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from detectors.level import Level
from detectors.pack import SELF, City, Detector, Indicator, Pack, Rule

WORDS = ("title", "why", "source", "line")
SKIPPED = ("id", "pack", "limits", "use", "checks", *WORDS)
REST = ("feeds", "channels", "fold", "duty", "outward", "calendar")
"""Of a city's own files what is only said to differ."""
ORDER = ("pack", "detector", "rule", "check", "indicator", "ladder", "route", "post", "site", "area")

Flat = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """`sign` is `+`, `-` or `~`; `field` of what is the same but for it, "words" for texts, "" for a whole entry.

    `pack` "" = the city's own files. A number of several sites that differs is a dict by site, on both sides.
    """

    pack: str
    kind: str
    id: str
    sign: str
    field: str = ""
    old: Any = None
    new: Any = None


def differences(old: City, new: City) -> list[Difference]:
    """All of them: packs in the new plan's order, then what was removed, then the city's own files."""
    before, after = ({p.id: p for p in city.packs if p.id != SELF} for city in (old, new))
    out: list[Difference] = []
    for id_ in [*after, *(i for i in before if i not in after)]:
        if id_ in before and id_ in after:
            out += _pack(before[id_], after[id_])
        else:
            out.append(Difference(id_, "pack", id_, "+" if id_ in after else "-"))
    return out + _city(old, new)


def _pack(old: Pack, new: Pack) -> list[Difference]:
    """One pack: the most telling first."""
    sides = [{("detector", d.id): _detector(d) for d in p.detectors} | {("rule", r.id): _rule(r) for r in p.rules}
             | {("indicator", i.id): _indicator(i) for i in p.indicators}
             | {("check", f"{i.id} {use.kind}"): _flat(use.params) for i in p.indicators for use in i.checks} for p in (old, new)]
    new_ones = [i.id for i in new.indicators if ("indicator", i.id) not in sides[0]]
    gone = [i.id for i in old.indicators if ("indicator", i.id) not in sides[1]]
    found = [d for d in _entries(new.id, *sides) if d.kind != "check" or d.id.partition(" ")[0] not in (*new_ones, *gone)]
    return sorted(found, key=lambda d: ORDER.index(d.kind))


def _entries(pack: str, old: Mapping[tuple[str, str], Flat], new: Mapping[tuple[str, str], Flat]) -> list[Difference]:
    out = [Difference(pack, kind, id_, "+") for kind, id_ in new if (kind, id_) not in old]
    out += [Difference(pack, kind, id_, "-") for kind, id_ in old if (kind, id_) not in new]
    for (kind, id_), after in new.items():
        before = old.get((kind, id_), after)
        if before != after:
            out += [Difference(pack, kind, id_, "~", name, a, b) for name, a, b in _fields(before, after)]
    return out


def _fields(old: Flat, new: Flat) -> Iterable[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*new, *old]):
        a, b = old.get(name), new.get(name)
        if a == b:
            continue
        if name in WORDS:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            sites = [s for s in dict.fromkeys([*b, *a]) if a.get(s) != b.get(s)]
            a, b = {s: a.get(s) for s in sites}, {s: b.get(s) for s in sites}
        yield name, a, b
    if any(old.get(name) != new.get(name) for name in WORDS if name != "line"):
        yield "words", None, None


def _detector(d: Detector) -> Flat:
    """Limits go by level and side: `red above`, with `red above clear`, `hold` and `keep`."""
    out = _flat({k: v for k, v in msgspec.to_builtins(d).items() if k not in SKIPPED})
    out |= {"kind": d.use.kind, "with": d.use.beside, **_flat(d.use.params)}
    for x in d.limits:
        name = f"{Level(x.level).word} {'above' if x.above else 'below'}"
        out |= {name: _off(x.at), f"{name} clear": _off(x.clear), f"{name} hold": x.hold or None, f"{name} keep": x.keep or None}
    return out | _said(d)


def _off(x: Any) -> Any:
    """NaN switches a number off, and is not even equal to itself: None instead, also in a number by site."""
    if isinstance(x, dict):
        return {k: _off(v) for k, v in x.items()}
    return None if isinstance(x, float) and x != x else x


def _rule(r: Rule) -> Flat:
    plain = msgspec.to_builtins(r)
    return _flat({k: v for k, v in plain.items() if k not in (*SKIPPED, "params")} | plain["params"]) | _said(r)


def _indicator(i: Indicator) -> Flat:
    plain = {k: v for k, v in msgspec.to_builtins(i).items() if k not in (*SKIPPED, "sites")}
    return _flat(plain) | _said(i) | {"sites": dict.fromkeys(i.sites, True)}


def _said(entry: Any) -> Flat:
    return {name: getattr(entry, name, None) for name in WORDS if name != "line"}


def _flat(value: Mapping[str, Any], above: str = "") -> Flat:
    """Nested values by dotted names; numbers by site stay together."""
    out: Flat = {}
    for key, given in value.items():
        name, x = f"{above}{key}", _off(given)
        if isinstance(x, list | tuple) and x and isinstance(x[0], dict):
            x = {str(n): one for n, one in enumerate(x, 1)}
        if isinstance(x, dict) and not all(n is None or isinstance(n, int | float | list | tuple) for n in x.values()):
            out |= _flat(x, f"{name}.")
        elif x not in (None, "", [], (), {}, False):
            out[name] = x
    return out


def _city(old: City, new: City) -> list[Difference]:
    """Who is called, where things are; of addresses nothing is shown."""
    sides = [{("ladder", x.id): {"steps": tuple((n.post, n.within, n.channels, n.receipt) for n in x.steps), "repeat": x.repeat}
              for x in city.ladders}
             | {("post", x.id): {"addresses": tuple(sorted(x.addresses.items())), "title": x.title} for x in city.posts}
             | {("route", f"{n}"): {"route": x} for n, x in enumerate(city.routes, 1)} for city in (old, new)]
    out = [Difference("", d.kind, d.id, d.sign, d.field) if d.kind in ("post", "route") else d for d in _entries("", *sides)]
    for kind, before, after in (("site", old.sites, new.sites),
                                ("area", {f"{a.tree}:{a.id}": a for a in old.areas}, {f"{a.tree}:{a.id}": a for a in new.areas})):
        for sign, ids in (("+", [x for x in after if x not in before]), ("-", [x for x in before if x not in after]),
                          ("~", [x for x in after if x in before and before[x] != after[x]])):
            if ids:
                out.append(Difference("", kind, " ".join(ids[:3]), sign, "", None, len(ids)))
    return out + [Difference("", "rest", name, "~") for name in REST if getattr(old, name) != getattr(new, name)]
