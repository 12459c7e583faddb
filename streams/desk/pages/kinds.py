"""The catalogue of checks, derive operators, kinds and rules, from their own files, as its page shows it."""
from __future__ import annotations

from functools import cache
from typing import Any

from streams.desk.pages.view import View
from streams.desk.words import algorithm
from streams.packs.handbook import Entry, entries

FOLDERS = ("checks", "derive", "kinds", "rules")


@cache
def _all() -> tuple[dict[str, Any], ...]:
    return tuple(_shown(e) for e in entries())


def shelves(v: View, asked: str) -> dict[str, Any]:
    """Everything that kinds.html shows: by folder what says the word, with the packs that use it."""
    used = _used(v)
    every = [e | {"title": algorithm(e["folder"], e["name"], v.lang)} for e in _all()]
    found = [e | {"used": sorted(used.get((e["folder"], e["name"]), ()))} for e in every
             if asked.lower() in f"{e['says']} {e['title'].lower()}"]
    return {"q": asked, "n": len(found), "all": len(_all()),
            "shelves": [(folder, [e for e in found if e["folder"] == folder]) for folder in FOLDERS]}


def _shown(e: Entry) -> dict[str, Any]:
    rows = [(name, unit, usual, allowed.replace("`", ""), doc) for name, unit, usual, allowed, doc in e.rows]
    return {"folder": e.folder, "name": e.name, "first": e.first, "more": e.more.split("\n\n"), "example": e.example,
            "source": e.source, "rows": rows, "fitted": e.fitted, "says": e.says.lower()}


def _used(v: View) -> dict[tuple[str, str], set[str]]:
    """(folder, name) -> packs of the plan in force."""
    found: dict[tuple[str, str], set[str]] = {}
    for pack in v.names.city.packs:
        for i in pack.indicators:
            names = [("checks", use.kind) for use in i.checks] + ([("derive", i.derive.use.kind)] if i.derive else [])
            for name in names:
                found.setdefault(name, set()).add(pack.id)
        for d in pack.detectors:
            found.setdefault(("kinds", d.use.kind), set()).add(pack.id)
        for rule in pack.rules:
            for term in rule.term.walk():
                found.setdefault(("rules", term.kind), set()).add(pack.id)
    return found
