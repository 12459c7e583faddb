"""The page of manual reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from detectors.level import Level
from streams.desk.local import moment
from streams.desk.pages.view import View
from streams.desk.publish.tables import Parcel
from streams.desk.tables import Alert, Audit
from streams.desk.words import level, say
from streams.feeds.words import Refused

SHOWN = 200
"""Faults on the page; all are in the JSON answer."""


def report(s: Session, v: View, typed: Mapping[str, str], faults: list[Refused]) -> dict[str, Any]:
    """Everything that report.html shows."""
    names, lang = v.names, v.lang
    packs = [(p, names.pack(p, lang)) for p in names.packs]
    places = [(f"site={x}", names.place(x, "", lang)) for x in names.city.sites]
    places += [(f"area={x}", names.area(x, lang)) for x in names.areas]
    example = next(
        (f"2026-06-24 02:15,{i.sites[0]},{i.id},1.0" for i in names.indicators.values() if not i.derive and i.sites), ""
    )
    return {
        "packs": packs,
        "places": places,
        "levels": [(Level(n).word, level(n, lang)) for n in (1, 2, 3, 4)],
        "typed": dict(typed),
        "faults": [(f.place or "—", f.what) for f in faults[:SHOWN]],
        "recent": _recent(s, v),
        "example": example,
        "refusal": "" if v.actor.post else say("err.post", lang),
    }


def _recent(s: Session, v: View) -> list[dict[str, str]]:
    rows = s.execute(
        select(Audit, Alert, Parcel.state)
        .outerjoin(Alert, Alert.id == Audit.alert)
        .outerjoin(Parcel, (Parcel.kind == "readings") & (Parcel.ref == cast(Audit.seq, String)))
        .where(Audit.act.in_(("reported", "by_hand")))
        .order_by(Audit.seq.desc())
        .limit(20)
    ).all()
    out = []
    for row, alert, state in rows:
        what = (
            say("report.count", v.lang, n=row.what.get("n", 0))
            if alert is None
            else f"{level(row.what.get('to', 0), v.lang)} {alert.rule} · {v.names.place(alert.site, alert.area, v.lang)}"
        )
        out.append(
            {
                "time": moment(row.at, v.now, v.lang),
                "who": v.names.post(row.post, v.lang),
                "what": what,
                "why": str(row.what.get("reason", "")),
                "id": alert.id if alert else "",
                "state": say(f"report.{state}", v.lang) if state else "",
            }
        )
    return out
