"""The worklist of leads, as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from detectors.level import Level
from streams.desk import lead_acts
from streams.desk.alert import Refused
from streams.desk.folding import leads
from streams.desk.local import moment, number, span
from streams.desk.names import said
from streams.desk.pages.forms import in_words
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.tables import Lead
from streams.desk.words import level, say

WEEK = 7 * 86_400_000_000
DONE = 100
"""Closed leads that are shown."""
MEMBERS = 6


@dataclass(frozen=True)
class Kept:
    """What a form held that was refused."""

    id: str = ""
    outcome: str = ""
    reason: str = ""


def worklist(s: Session, v: View, kept: Kept | None = None) -> dict[str, Any]:
    """Everything that leads.html shows."""
    kept, more, open_ = kept or Kept(), leads.counted(s, v.clock), leads.listed(s)
    closed = leads.done(s, v.now - WEEK, DONE)
    return {"leads": [_line(x, v) for x in open_], "n": leads.count_open(s), "kept": kept,
            "done": [_line(x, v) | _closed(x, v) for x in closed],
            "outcomes": [(o.value, say(f"out.{o.value}", v.lang)) for o in lead_acts.OUTCOMES],
            "rest": [(_title(path, v), n) for path, n in sorted(more.items())]}


def _line(x: Lead, v: View) -> dict[str, Any]:
    shown = x.level or x.peak
    members = [_member(str(m), v) for m in x.members]
    return {"id": x.id, "word": Level(shown).word, "level": level(shown, v.lang), "what": _title(x.path, v),
            "value": f"{number(x.value, v.names.decimals(x.indicator))} {v.names.unit(x.indicator)}".strip() if x.indicator else
            "" if x.value is None else v.names.ruled(x.path, x.value, v.lang),
            "place": v.names.place(x.site, x.area, v.lang), "indicator": v.names.indicator(x.indicator, v.lang),
            "series": f"{x.indicator}@{x.site}" if x.site and x.indicator in v.names.indicators else "",
            "members": members[:MEMBERS], "left": max(0, len(members) - MEMBERS),
            "since": moment(x.since, v.clock, v.lang), "span": span(max(0, v.clock - x.since), v.lang), "refusal": refusal(x, v)}


def _closed(x: Lead, v: View) -> dict[str, Any]:
    return {"outcome": say(f"out.{x.outcome}", v.lang), "reason": x.reason, "over": not x.level,
            "by": say("leads.by", v.lang, who=v.names.post(x.closed_by, v.lang), time=moment(x.closed, v.now, v.lang, False))}


def refusal(x: Lead, v: View) -> str:
    """Why this reader may not act on it; "" where nothing is against it."""
    try:
        rights.demand(v.account, rights.Act.LEAD, lead_acts.facts_of(x, v.names))
        if not v.actor.who:
            raise Refused("err.post")
    except Refused as no:
        return in_words(no, v)
    return ""


def _member(name: str, v: View) -> tuple[str, str]:
    """(series to look at or "", its words): a member is a series, or a detector or rule at a place."""
    what, _, where = name.partition("@")
    title = v.names.indicator(what, v.lang) if what in v.names.indicators else _title(what, v)
    site = where in v.names.city.sites
    place = v.names.place(where, "", v.lang) if site else v.names.area(where, v.lang) if where else ""
    return (name if site and what in v.names.indicators else ""), " ".join(x for x in (title, place) if x)


def _title(path: str, v: View) -> str:
    entry = v.names.detectors.get(path) or v.names.rules.get(path)
    return (said(entry.title, v.lang) if entry else "") or path
