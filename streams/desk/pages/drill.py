"""The pages of drills: the form with what was drilled before, and the report of one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.pack import SELF
from streams.desk.alert import Refused
from streams.desk.exercise import drill
from streams.desk.exercise.report import LIVE, Report
from streams.desk.exercise.tables import DrillRow
from streams.desk.local import moment, span
from streams.desk.pages.chart import WORDS
from streams.desk.pages.forms import in_words
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.words import has, level, say

PAST = 20
STATES = {"asked": "drill.asked", "running": "drill.running", "ending": "drill.ending", "ended": "drill.ended"}
STEPS = {"waiting": "drill.step_waiting", "called": "drill.step_called", "expired": "drill.step_expired",
         "passed": "drill.step_passed", "answered": "drill.step_answered", "suspended": "drill.step_suspended",
         "stopped": "drill.step_stopped"}


def drills(s: Session, v: View, typed: dict[str, str]) -> dict[str, Any]:
    """Everything that drill.html shows."""
    rows = s.scalars(select(DrillRow).order_by(DrillRow.asked.desc()).limit(PAST)).all()
    return {
        "typed": typed,
        "packs": [(p.id, v.names.pack(p.id, v.lang)) for p in v.names.city.packs if p.id != SELF],
        "sites": sorted((x.id, v.names.place(x.id, "", v.lang)) for x in v.names.city.sites.values() if x.id not in _own(v)),
        "levels": [(word, level(n, v.lang)) for n, word in sorted(WORDS.items(), reverse=True)],
        "most": drill.MOST,
        "minutes": drill.MINUTES,
        "longest": drill.LONGEST // 60,
        "refusal": refusal(v),
        "past": [
            {"id": r.id, "when": moment(r.asked, v.now, v.lang), "what": _what(r.pack, r.indicator, v),
             "word": WORDS.get(r.level, "unk"), "level": level(r.level, v.lang), "n": len(r.sites),
             "state": say(STATES[r.state], v.lang), "by": v.names.post(r.post, v.lang) or say("drill.command", v.lang)}
            for r in rows
        ],
    }


def _own(v: View) -> set[str]:
    return {site for i in v.names.indicators.values() if i.pack == SELF for site in i.sites}


def _what(pack: str, indicator: str, v: View) -> str:
    return f"{v.names.pack(pack, v.lang)} · {v.names.indicator(indicator, v.lang)}"


def one(r: Report, v: View) -> dict[str, Any]:
    """Everything that drill_report.html shows."""
    def at(t: int | None) -> str:
        return moment(t, v.now, v.lang)

    def seconds(x: float | None) -> str:
        return "—" if x is None else span(round(x * 1e6), v.lang) if x >= 1 else f"{x:.1f} s"

    done = v.names.post(r.ended_by, v.lang) if r.ended_by else say("drill.itself", v.lang)
    facts = [
        ("drill.what", f"{_what(r.pack, r.indicator, v)} · {level(r.level, v.lang)}"),
        ("drill.by", v.names.post(r.post, v.lang) or say("drill.command", v.lang)),
        ("drill.asked_at", at(r.asked)),
        ("drill.ended_at", f"{at(r.ended)} · {done}" if r.ended else say("drill.until", v.lang, time=at(r.until))),
        ("drill.opened", f"{r.opened} / {r.warnings}"),
        ("drill.answered", f"{r.answered} / {r.warnings}"),
        ("drill.first", seconds(r.first_answer)),
        ("drill.detected", seconds(r.detected)),
        ("drill.canary", seconds(r.canary)),
    ]
    return {
        "drill": r,
        "running": r.state in LIVE,
        "state": say(STATES[r.state], v.lang),
        "word": WORDS.get(r.level, "unk"),
        "facts": [(say(key, v.lang), words) for key, words in facts],
        "refusal": refusal(v),
        "calls": [
            {"alert": c.alert, "place": v.names.place(c.site, "", v.lang), "n": c.n, "post": v.names.post(c.post, v.lang),
             "channel": say(f"channel.{c.channel}", v.lang) if has(f"channel.{c.channel}") else c.channel,
             "called": at(c.called), "sent": at(c.sent), "received": at(c.received or c.read), "answered": at(c.answered),
             "took": seconds(c.seconds), "bad": c.result == "parked" or c.state == "expired",
             "detail": c.detail if c.result == "parked" else "", "state": say(STEPS[c.state], v.lang)}
            for c in r.calls
        ],
    }


def refusal(v: View) -> str:
    """Why this reader may not call or end a drill; "" where nothing is against it."""
    try:
        if not v.actor.post:
            raise Refused("err.post")
        rights.demand(v.account, rights.Act.DRILL)
    except Refused as no:
        return in_words(no, v)
    return ""
