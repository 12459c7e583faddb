"""The desk page: sections in their fixed order, the tally, what a filter hides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from streams.desk.calling.routes import areas_of
from streams.desk.local import MICRO, moment, span
from streams.desk.messages import subject
from streams.desk.names import said
from streams.desk.pages import ask
from streams.desk.pages.ask import Found
from streams.desk.pages.chart import WORDS
from streams.desk.pages.render import LEVELS, favicon
from streams.desk.pages.row import SECTIONS, Row, row, section
from streams.desk.pages.view import View
from streams.desk.tables import Alert, Item
from streams.desk.words import say

MOST = 80
"""Rows of one page, and how many more each time: 80 are 140 kB."""


@dataclass(frozen=True)
class Filter:
    """What a reader wants to see; empty = all. It may hide rows, never their number."""

    q: str = ""
    levels: frozenset[str] = frozenset()
    packs: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    mine: bool = False
    n: int = MOST

    def query(self, n: int) -> str:
        """The same filter with `n` rows, as an address has it."""
        sets = {"level": self.levels, "pack": self.packs, "area": self.areas}
        given = {"q": self.q, "mine": "1" if self.mine else "", **{k: ",".join(sorted(x)) for k, x in sets.items()}, "n": str(n)}
        return urlencode({k: x for k, x in given.items() if x})

    def takes(self, f: Found, r: Row, v: View) -> bool:
        """Whether the row is shown."""
        return (
            (not self.q or all(w in r.text for w in self.q.lower().split()))
            and (not self.levels or r.level in self.levels)
            and (not self.packs or f.alert.pack in self.packs)
            and (not self.areas or bool(self.areas & areas_of(v.names.city, f.alert.site, f.alert.area)))
            and (not self.mine or any(s.post == v.actor.post for s in f.steps) or f.alert.answered_by == v.actor.post)
        )


def tally(s: Session, all_: Sequence[Found], items: Sequence[Item], v: View) -> dict[str, Any]:
    """Numbers of the strip. Drill and shadow are counted nowhere."""
    flat = [x for f in all_ for x in (f, *f.covered) if x.alert.scope == "real"]
    count = Counter(WORDS.get(x.alert.shown, "") for x in flat if x.alert.level or section(x) != "end")
    asked = [x for x in all_ if section(x) == "ask"]
    silent = sum(i.kind == "fresh" and i.state != "never" for i in items)
    worst = max((x.alert.shown for x in asked), default=0)
    return {
        "levels": [(word, count[word], n) for word, n in LEVELS],
        "silent": silent,
        "series": v.names.series,
        "ask": len(asked),
        "reporting": max(0, v.heard.total() - silent),
        "recent": ask.recent(s, v.now - 600 * MICRO),
        "red": count["red"],
        "icon": favicon(WORDS.get(worst, ""), len(asked)),
    }


def board(s: Session, v: View, want: Filter) -> dict[str, Any]:
    """Everything that desk.html shows."""
    all_, items = ask.open_alerts(s), ask.items(s)
    rows = [(f, row(f, v)) for f in all_]
    taken = sorted((r for f, r in rows if want.takes(f, r, v)), key=lambda r: r.order)
    kept = {r.id for r in taken}
    hidden = [r for _, r in rows if r.id not in kept]
    sections = [(name, [r for r in taken[: want.n] if r.sect == name]) for name in SECTIONS]
    sums = tally(s, all_, items, v)
    newest, last = v.readings.newest() if not v.played else None, ask.last_closed(s)
    age = span(max(0, v.now - newest), v.lang) if newest else ""
    key = "empty.desk_what" if newest else "empty.desk_never"
    return {
        "sections": sections,
        "tally": sums,
        "q": want.q,
        "only_mine": want.mine,
        "shown": len(taken),
        "more": min(MOST, max(0, len(taken) - want.n)),
        "more_query": want.query(want.n + MOST),
        "hidden": {"n": len(hidden), "red": sum(r.red for r in hidden)},
        "items": [_item(i, v) for i in items][:50],
        "live": say("strip.live", v.lang, age=age) if age else say("strip.live_none", v.lang),
        "empty_line": say(key, v.lang, n=sums["reporting"], m=sums["series"], age=age),
        "last": _last(last, v) if last else "",
        "favicon": sums["icon"],
    }


def _last(a: Alert, v: View) -> str:
    return f"{subject(a, v.names, v.lang)} {v.names.place(a.site, a.area, v.lang)} {moment(a.closed, v.now, v.lang)}"


def _item(i: Item, v: View) -> tuple[str, str, str, str, str]:
    state = {"feed": "fresh.down", "rule": "rule.unknown", "sensor": "fresh.sensor"}.get(i.kind, f"fresh.{i.state}")
    return say(state, v.lang), _thing(i, v), moment(i.since, v.clock, v.lang), span(max(0, v.clock - i.since), v.lang), i.detail


def _thing(i: Item, v: View) -> str:
    if i.kind == "rule":
        rule, _, area = i.name.partition("@")
        found = v.names.rules.get(rule)
        return " · ".join(x for x in (said(found.title, v.lang) if found else rule, v.names.place(i.site, area, v.lang)) if x)
    place = v.names.place(i.site, "", v.lang) if i.site else i.name
    series = (v.names.indicator(i.indicator, v.lang) if i.indicator else "", place)
    return i.name if i.kind == "feed" else " · ".join(x for x in series if x)
