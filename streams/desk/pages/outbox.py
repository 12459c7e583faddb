"""Deliveries that did not get through: given up, or tried again; with their reasons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from streams.desk.alert import Refused
from streams.desk.calling import resend
from streams.desk.local import moment
from streams.desk.messages import subject
from streams.desk.pages.bits import chip
from streams.desk.pages.chart import WORDS
from streams.desk.pages.forms import in_words
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.tables import Alert, Delivery
from streams.desk.words import level, say


def outbox(s: Session, v: View) -> dict[str, Any]:
    """Everything that outbox.html shows."""
    rows = [line(d, a, v) for d, a in resend.waiting(s)]
    return {"parked": [r for r in rows if r["parked"]], "trying": [r for r in rows if not r["parked"]]}


def tried(deliveries: Iterable[Delivery], a: Alert, v: View) -> list[dict[str, Any]]:
    """Of one warning: what was given up, and what is tried again."""
    return [line(d, a, v) for d in deliveries if d.state == "parked" or (d.state == "pending" and d.attempts)]


def line(d: Delivery, a: Alert, v: View) -> dict[str, Any]:
    """One delivery."""
    _, words, _ = chip(d, v.lang)
    parked = d.state == "parked"
    title = " · ".join(x for x in (subject(a, v.names, v.lang), v.names.place(a.site, a.area, v.lang)) if x)
    return {
        "key": d.key, "alert": a.id, "title": title, "word": WORDS.get(d.level, "unk"), "level": level(d.level, v.lang),
        "drill": d.scope == "exercise", "post": v.names.post(d.post, v.lang), "what": words, "detail": d.detail, "parked": parked,
        "attempts": say("resend.attempts", v.lang, n=d.attempts), "created": moment(d.created, v.now, v.lang),
        "next": "" if parked else say("resend.next", v.lang, time=moment(d.next_at, v.now, v.lang)),
        "refusal": refusal(a, v) if parked else "",
    }


def refusal(a: Alert, v: View) -> str:
    """Why this reader may not send it again; "" where nothing is against it."""
    try:
        if not v.actor.post:
            raise Refused("err.post")
        if not a.open:
            raise Refused("err.closed")
        rights.demand(v.account, rights.Act.RESEND, rights.facts_of(a, v.names))
    except Refused as no:
        return in_words(no, v)
    return ""
