"""What changed in the plan between two hand-overs, in words that are read in ten seconds."""
from __future__ import annotations

from itertools import groupby
from typing import Any

from detectors.level import LEVELS
from streams.desk.catalogue.differences import Difference
from streams.desk.catalogue.versions import Versions
from streams.desk.local import moment, span
from streams.desk.names import said
from streams.desk.pages.view import View
from streams.desk.words import has, level, say

MOST = 12
"""Lines a pack; the full difference has all."""
SIGNS = {"+": "plans.new", "-": "plans.gone", "~": "plans.changed"}
SECONDS = ("hold", "keep", "every", "silent", "lateness", "grace", "within", "oldest", "due")
"""Fields that are spans."""


def planned(versions: Versions, old: str, new: str, since: int, until: int | None, v: View) -> dict[str, Any]:
    """What handover.html shows of two plans, in force `since` and at `until` (None = now): what differs, and who put it there."""
    found = versions.differences(old, new) if old else None
    made = [x for x in versions.newest() if x.at > since and (until is None or x.at <= until)]
    puts = [(x.hash[:8], x.by or "—", moment(x.at, v.now, v.lang, False)) for x in made]
    return {"hash": new, "old": old, "since": moment(since, v.now, v.lang, False), "known": found is not None,
            "n": len(found or ()), "packs": _packs(found or [], old, v), "puts": puts}


def _packs(found: list[Difference], old: str, v: View) -> list[dict[str, Any]]:
    out = []
    for pack, group in groupby(found, lambda d: d.pack):
        lines = list(group)
        title = v.names.pack(pack, v.lang) if pack else say("plans.city", v.lang)
        there = bool(pack) and pack in v.names.packs and lines[0].kind != "pack"
        out.append({"title": title, "n": len(lines), "lines": [_line(d, v) for d in lines[:MOST]],
                    "more": max(0, len(lines) - MOST), "link": f"/detectors/{pack}?diff={old}#h-di" if there else ""})
    return out


def _line(d: Difference, v: View) -> tuple[str, str, str, str]:
    """(sign, what, field, old → new)."""
    return say(SIGNS[d.sign], v.lang), _what(d, v), _field(d, v), _change(d, v)


def _what(d: Difference, v: View) -> str:
    kind = say(f"plans.{d.kind}", v.lang)
    if d.kind in ("site", "area"):
        return f"{kind} {say('plans.n', v.lang, n=d.new, some=d.id.replace(' ', ', '))}"
    if d.kind == "pack":
        return kind
    if d.kind == "rest":
        return say(f"plans.{d.id}", v.lang)
    return f"{kind} {_titled(d, v)}"


def _titled(d: Difference, v: View) -> str:
    """Its title, with its id where people write that; ids alone of what is gone."""
    if d.kind == "check":
        indicator, _, name = d.id.partition(" ")
        return f"{v.names.indicator(indicator, v.lang)} · {say(k, v.lang) if has(k := f'algo.checks_{name}') else name}"
    if d.kind in ("detector", "rule"):
        entry = (v.names.detectors if d.kind == "detector" else v.names.rules).get(f"{d.pack}/{d.id}")
        title = said(entry.title, v.lang) if entry else ""
        over = v.names.indicator(v.names.detectors[entry.path].indicator, v.lang) if entry and d.kind == "detector" else ""
        return " · ".join(x for x in (title or over, d.id) if x)
    if d.kind == "indicator":
        return v.names.indicator(d.id, v.lang)
    return v.names.post(d.id, v.lang) if d.kind == "post" else d.id


def _field(d: Difference, v: View) -> str:
    if d.sign != "~" or not d.field:
        return ""
    word, _, rest = d.field.partition(" ")
    if word in LEVELS and rest:
        side, _, part = rest.partition(" ")
        limit = f"{level(LEVELS[word], v.lang)} {say('dir.high' if side == 'above' else 'dir.low', v.lang)}"
        return f"{limit} {_word(part, v)}" if part else limit
    return _word(d.field, v)


def _word(field: str, v: View) -> str:
    """What people call a field; its own name where the table does not say."""
    return say(f"plans.f_{field}", v.lang) if has(f"plans.f_{field}") else field


def _change(d: Difference, v: View) -> str:
    if d.sign != "~" or (d.old is None and d.new is None):
        return ""
    if isinstance(d.old, dict) and isinstance(d.new, dict):
        some = next(iter(d.new), "")
        if some not in v.names.city.sites:
            return ", ".join(f"{k} {_value(d, d.old.get(k), v)} → {_value(d, d.new.get(k), v)}" for k in list(d.new)[:3])
        example = f"{v.names.site(some, v.lang)} {_value(d, d.old.get(some), v)} → {_value(d, d.new.get(some), v)}"
        return say("plans.sites_n", v.lang, n=len(d.new), some=example) if len(d.new) > 1 else example
    return f"{_value(d, d.old, v)} → {_value(d, d.new, v)}"


def _value(d: Difference, x: Any, v: View) -> str:
    """As people read it: spans, figures of the detector, ladders by their posts; "no" for what is not there."""
    if x is None or x is False:
        return say("plans.none", v.lang)
    if x is True:
        return say("plans.yes", v.lang)
    last = d.field.replace(".", " ").rpartition(" ")[2]
    if isinstance(x, dict):
        some = next(iter(x), "")
        return say("plans.sites_n", v.lang, n=len(x), some=f"{v.names.site(some, v.lang)} {_value(d, x.get(some), v)}")
    if d.kind == "ladder" and d.field == "steps":
        return " › ".join(f"{v.names.post(post, v.lang)} {span(round(within * 1e6), v.lang)}" for post, within, *_ in x)
    if isinstance(x, int | float) and last in SECONDS:
        return span(round(x * 1e6), v.lang) if x < 1e12 else say("plans.never", v.lang)
    if isinstance(x, int | float) and d.field.partition(" ")[0] in LEVELS and d.field.partition(" ")[2]:
        return v.names.figure(f"{d.pack}/{d.id}", _indicator(d, v), x)
    if isinstance(x, list | tuple):
        return ", ".join(str(n) for n in x[:4]) + (f" … {len(x)}" if len(x) > 4 else "")
    return f"{x:g}" if isinstance(x, float) else str(x)


def _indicator(d: Difference, v: View) -> str:
    found = v.names.detectors.get(f"{d.pack}/{d.id}")
    return found.indicator if found else ""
