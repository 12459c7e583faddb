"""The page of silences: what is muted now and planned, what was, and the form for a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.level import Level
from streams.desk.local import local, moment
from streams.desk.pages.view import View
from streams.desk.publish.muting import named
from streams.desk.publish.silences import OVER
from streams.desk.publish.tables import Silence
from streams.desk.tables import Audit
from streams.desk.words import level, say

PAST = 50


def mutes(s: Session, v: View, typed: Mapping[str, str]) -> dict[str, Any]:
    """Everything that mutes.html shows."""
    now = list(s.scalars(select(Silence).where(Silence.state != OVER).order_by(Silence.start, Silence.id)))
    past = list(s.scalars(select(Silence).where(Silence.state == OVER).order_by(Silence.until.desc()).limit(PAST)))
    held = _held(s, min((x.made for x in [*now, *past]), default=v.now))
    names, lang, out = v.names, v.lang, v.names.city.outward
    hours = {word: f"{seconds / 3600:g}" for word, seconds in zip(("blue", "yellow", "orange", "red"), out.mutes, strict=True)}
    areas = [(key, names.area(key, lang)) for key in names.areas]
    return {
        "now": [_row(x, held, v) for x in now], "past": [_row(x, held, v) for x in past], "typed": dict(typed),
        "limits": say("mutes.limits", lang, windows=f"{out.windows / 3600:g}", **hours),
        "levels": [(Level(n).word, level(n, lang)) for n in (1, 2, 3, 4)],
        "scopes": [("pack", [(p, names.pack(p, lang)) for p in names.packs]), ("area", areas),
                   ("site", [(x, names.site(x, lang)) for x in names.city.sites]),
                   ("indicator", [(x, names.indicator(x, lang)) for x in names.indicators]),
                   ("detector", [(x, x) for x in (*names.detectors, *names.rules)])],
        "start": f"{local(v.now):%Y-%m-%dT%H:%M}", "refusal": "" if v.actor.post else say("err.post", lang),
    }


def _held(s: Session, since: int) -> Counter[str]:
    """How many alerts each silence held."""
    rows = s.execute(select(Audit.alert, Audit.what).where(Audit.act == "muted", Audit.alert != "", Audit.at >= since))
    return Counter(silence for silence, _ in {(str(what.get("silence")), alert) for alert, what in rows})


def _row(x: Silence, held: Counter[str], v: View) -> dict[str, Any]:
    lang = v.lang
    return {"id": x.id, "kind": say(f"mutes.{x.kind}", lang), "state": say(f"mutes.{x.state}", lang),
            "scope": named(x, v.names, lang), "level": level(x.level, lang), "word": Level(x.level).word,
            "start": moment(x.start, v.now, lang, False), "until": moment(x.until, v.now, lang, False),
            "why": say("mutes.by", lang, who=v.names.post(x.owner, lang), reason=x.reason),
            "held": say("mutes.what", lang, n=held[x.id]), "ended": v.names.post(x.ended_by, lang)}
