"""What a warning's page shows of what left the desk for it: the public warning and its chain, work orders, its level by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.folding.fold import Moment
from streams.desk.local import moment
from streams.desk.pages.forms import in_words
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.publish import cap, hand, national, release, work
from streams.desk.publish.bulletin import Bulletin, Words, draft
from streams.desk.publish.tables import Parcel, Publication
from streams.desk.tables import Alert
from streams.desk.words import level, say


def outward(s: Session, a: Alert, v: View, typed: Mapping[str, str]) -> dict[str, Any]:
    """`pub`, `work` and `hand` of a warning; `typed` = what a refused form held."""
    facts = rights.facts_of(a, v.names)
    scope = {name: getattr(a, name) for name in ("pack", "site", "area", "indicator") if getattr(a, name)}
    return {
        "pub": _public(s, a, v, facts, typed),
        "work": _work(s, a, v, facts, typed),
        "hand": _hand(a, v, facts, typed),
        "mute_url": f"/mutes?{urlencode(scope)}",
    }


def _no(v: View, act: rights.Act, facts: rights.Facts, *more: str) -> str:
    """Why an act is not to be had: no post, no right, or what else stands against it; "" when nothing does."""
    if not v.actor.post:
        return say("err.post", v.lang)
    refused = rights.refusal(v.account, act, facts)
    return in_words(refused, v) if refused else next((say(key, v.lang) for key in more if key), "")


def _public(s: Session, a: Alert, v: View, facts: rights.Facts, typed: Mapping[str, str]) -> dict[str, Any]:
    rows, m = release.chain(s, a.id), Moment(v.now, v.names)
    live, waiting = release.published(rows), next((r for r in rows if r.state == "proposed"), None)
    shown, kind = waiting or (live[-1] if live else None), release.next_kind(rows)
    b = _bulletin(a, shown, live, kind, m, v)
    lacking = national.lacking(b.unit, b.code)
    stops = ("pub.shadow" if a.scope == "shadow" else "", "pub.pending" if waiting else "")
    words = draft(a, v.names, kind)
    return {
        "status": _status(a, rows, live, waiting, v),
        "changed": say("pub.changed", v.lang, level=level(live[-1].level, v.lang))
        if live and a.open and a.level and live[-1].level != a.level
        else say("pub.still", v.lang)
        if live and not a.open and release.in_force(live[-1], rows, v.now)
        else "",
        "words": b.zh if v.lang == "zh" else b.en,
        "kind": say(f"pub.{b.kind.lower()}", v.lang),
        "cap": shown.cap if shown and shown.state == "published" else cap.document(b).decode(),
        "national": say(lacking, v.lang)
        if lacking
        else shown.national
        if shown and shown.state == "published"
        else national.document(b).decode(),
        "lacking": bool(lacking),
        "cap_url": f"/feeds/cap/{shown.id}.xml" if shown and shown.state == "published" else "",
        "chain": [_row(r, v) for r in reversed(rows)],
        "next": kind,
        "draft": {"zh": words.zh, "en": words.en, "hours": f"{words.valid / 3600:g}"},
        "typed": typed,
        "submit": _no(v, rights.Act.SUBMIT, facts, *stops, "" if a.open else "err.closed"),
        "cancel": _no(v, rights.Act.SUBMIT, facts, *stops) if live else None,
        "waiting": waiting.id if waiting else "",
        "release": _no(v, rights.Act.RELEASE, facts, "pub.own" if _own(waiting, v) else "") if waiting else "",
        "mine": _own(waiting, v),
        "refuse": _no(v, rights.Act.SUBMIT if _own(waiting, v) else rights.Act.RELEASE, facts) if waiting else "",
    }


def _own(row: Publication | None, v: View) -> bool:
    return row is not None and v.actor.post != "" and (row.proposer == v.actor.who or row.proposed_by == v.actor.post)


def _bulletin(a: Alert, shown: Publication | None, live: list[Publication], kind: str, m: Moment, v: View) -> Bulletin:
    """What is shown: the message that waits, the one that is out, or the draft."""
    if shown is None:
        d = draft(a, v.names, kind)
        words: dict[str, dict[str, str]] = {
            x: {n: getattr(w, n) for n in Words.__slots__} for x, w in (("zh", d.zh), ("en", d.en))
        }
        shown = Publication(
            id=f"wl-{a.id}-1",
            alert=a.id,
            n=1,
            chain=1,
            kind=kind,
            state="draft",
            scope=a.scope,
            level=d.level,
            words=words,
            valid=d.valid,
            note="",
            proposed=v.now,
            proposed_by=v.actor.post,
        )
    return release.written(shown, a, m, [r for r in live if r.id != shown.id])


def _status(a: Alert, rows: list[Publication], live: list[Publication], waiting: Publication | None, v: View) -> str:
    if waiting:
        return say("pub.waits", v.lang)
    if not live:
        return say("pub.draft" if a.open else "pub.none", v.lang)
    last = live[-1]
    return (
        say("pub.holds", v.lang, time=moment(last.expires, v.now, v.lang, False))
        if release.in_force(last, rows, v.now)
        else say("pub.over", v.lang)
    )


def _row(r: Publication, v: View) -> dict[str, str]:
    who = v.names.post(r.decided_by, v.lang)
    return {
        "kind": say(f"pub.{r.kind.lower()}", v.lang),
        "level": level(r.level, v.lang),
        "time": moment(r.sent or r.decided or r.proposed, v.now, v.lang),
        "state": say(f"pub.{r.state}", v.lang, who=who),
        "by": say("pub.by", v.lang, who=v.names.post(r.proposed_by, v.lang)),
        "note": r.reason or r.note,
        "url": f"/feeds/cap/{r.id}.xml" if r.state == "published" else "",
        "id": r.id,
    }


def _work(s: Session, a: Alert, v: View, facts: rights.Facts, typed: Mapping[str, str]) -> dict[str, Any]:
    units = v.names.city.outward.units
    rows = work.orders(s, a.id)
    parked = {
        p.ref: p.detail for p in s.scalars(select(Parcel).where(Parcel.state == "parked", Parcel.ref.in_([r.id for r in rows])))
    }
    titles = {u.id: v.names.unit_title(u.id, v.lang) for u in units}
    no = _no(v, rights.Act.ORDER, facts)
    return {
        "units": list(titles.items()),
        "typed": typed,
        "refusal": no or ("" if a.open else say("err.closed", v.lang)),
        "rows": [
            {
                "id": r.id,
                "unit": titles.get(r.unit, r.unit),
                "text": r.text,
                "note": r.note,
                "state": say("work.parked", v.lang, detail=parked[r.id]) if r.id in parked else say(f"work.{r.state}", v.lang),
                "time": moment(r.changed, v.now, v.lang),
                "parked": r.id in parked,
                "open": r.state in work.OPEN,
                "refusal": no,
                "due": say("work.until", v.lang, time=moment(r.due, v.now, v.lang, False)) if r.due else "",
            }
            for r in rows
        ],
    }


def _hand(a: Alert, v: View, facts: rights.Facts, typed: Mapping[str, str]) -> dict[str, Any] | None:
    if a.detector != hand.SOURCE or not a.open:
        return None
    levels = [(n, level(n, v.lang) if n else say("report.over", v.lang)) for n in range(4, -1, -1) if n != a.level]
    return {"levels": levels, "refusal": _no(v, rights.Act.REPORT, facts), "typed": typed}
