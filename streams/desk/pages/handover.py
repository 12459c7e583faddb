"""交接班: one printed page. What is open at this moment, how heavy the watch was, and the two signatures."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.alert import Refused
from streams.desk.catalogue.versions import Versions
from streams.desk.duty import handover
from streams.desk.duty.tables import Handover, Shift
from streams.desk.folding.fold import Moment
from streams.desk.local import local, moment, number, span
from streams.desk.messages import subject
from streams.desk.meter import idle
from streams.desk.pages import ask
from streams.desk.pages.bits import MARKS, tags
from streams.desk.pages.chart import WORDS
from streams.desk.pages.duty import Veil
from streams.desk.pages.planchange import planned
from streams.desk.pages.timeline import told
from streams.desk.pages.view import View
from streams.desk.publish.tables import Silence
from streams.desk.tables import Alert
from streams.desk.words import has, level, say


def page_of(s: Session, shift: Shift, v: View, versions: Versions, seen: list[str], note: str) -> dict[str, Any]:
    """Everything that handover.html shows. `seen` and `note`: what a refused form held."""
    m = Moment(v.now, v.names)
    row, veil = handover.sheet(s, shift, m), Veil(v)
    done = bool(row.out_at and row.in_at)
    before = s.scalar(
        select(Shift).where(Shift.post == shift.post, Shift.start < shift.start).order_by(Shift.start.desc()).limit(1)
    )
    start, end = (before.start if before else shift.start - 8 * 3_600_000_000), min(v.now, max(shift.start, row.in_at or v.now))
    rows = handover.open_alerts(s)
    ticked = row.seen if done else seen
    return {
        "shift": shift,
        "row": row,
        "outgoing": veil(shift.post, row.outgoing),
        "incoming": veil(shift.post, row.incoming),
        "done": done,
        "note": note or row.note,
        "title": say(
            "duty.handover_of",
            v.lang,
            post=v.names.post(shift.post, v.lang),
            shift=f"{local(start):%m-%d %H:%M}–{local(shift.start):%H:%M}",
        ),
        "made": moment(v.now, v.now, v.lang),
        "open": [_open(s, a, ticked, v) for a in rows],
        "counts": _counts(rows, v),
        "left": sum(i not in ticked for i in handover.reds(s)),
        "load": _load(handover.load(s, start, max(end, start + 1)), rows, v),
        "late": [
            (moment(r.at, v.now, v.lang), _title(a, v), told(r, a, v))
            for r, a in handover.unanswered(s, start, max(end, start + 1))
        ],
        "silent": [_item(i, v) for i in ask.items(s)[:40]],
        "silent_n": len(ask.items(s)),
        "series": v.names.series,
        "mutes": [_mute(x, v) for x in s.scalars(select(Silence).where(Silence.state != "over").order_by(Silence.until))],
        "faults": [
            (say(f"channel.{c}", v.lang) if has(f"channel.{c}") else c, MARKS.get(x, "↻"), say(f"sent.{x}", v.lang), n, d[:80])
            for c, x, n, d in handover.faults(s, start, max(end, start + 1))
        ],
        "plan": _plan(s, shift, row, start, versions, v),
        "signs": [_side(row, shift, comes, v, veil) for comes in (False, True)],
    }


def _plan(s: Session, shift: Shift, row: Handover, start: int, versions: Versions, v: View) -> dict[str, Any]:
    """What changed since this post's last hand-over; where nobody signed one, since the shift before began (`start`)."""
    before = handover.plan_before(s, shift)
    old, since = before or (versions.in_force(start), start)
    done = bool(row.out_at and row.in_at and row.plan)
    new, until = (row.plan, max(row.out_at or 0, row.in_at or 0)) if done else (v.names.hash, None)
    return planned(versions, old, new, since, until, v) | {"handed": before is not None}


def _title(a: Alert, v: View) -> str:
    return " · ".join(x for x in (subject(a, v.names, v.lang), v.names.place(a.site, a.area, v.lang)) if x)


def _open(s: Session, a: Alert, ticked: list[str], v: View) -> dict[str, Any]:
    digits, unit = v.names.decimals(a.indicator), v.names.unit(a.indicator)
    limit = v.names.figure(a.detector, a.indicator, a.bound) if a.bound is not None else ""
    value = f"{number(a.value, digits)} {unit}".strip() if a.value is not None else "—"
    if a.rule and not a.indicator:
        value, limit = v.names.ruled(a.rule, a.value, v.lang), v.names.ruled(a.rule, a.bound, v.lang) if limit else ""
    due = moment(a.due, v.now, v.lang, False) if a.due else "—"
    return {
        "id": a.id,
        "red": a.shown == handover.RED and a.scope == "real",
        "ticked": a.id in ticked,
        "level": WORDS.get(a.shown, "unk"),
        "word": level(a.shown, v.lang),
        "stale": a.silent_since is not None,
        "title": _title(a, v),
        "value": f"{value} / {limit}" if limit else value,
        "back": a.level == 0,
        "post": v.names.post(a.answered_by or a.acted_by, v.lang)
        if a.answered_by or a.acted_by
        else say(f"state.{a.state}", v.lang)
        if has(f"state.{a.state}")
        else say("duty.unanswered", v.lang),
        "news": a.news or (say("duty.to_verify", v.lang) if a.level == 0 else ""),
        "at": moment(a.acted, v.now, v.lang, False) if a.acted else "",
        "idle": idle(a, v.now),
        "due": due,
        "tags": [words for _, words in tags(a, v) if words != say("state.idle", v.lang)],
    }


def _counts(rows: list[Alert], v: View) -> str:
    real = [a for a in rows if a.scope == "real"]
    by = [(n, sum(a.shown == n for a in real)) for n in (4, 3, 2, 1)]
    return " ".join(f"{count} {say(f'level.{n}', v.lang)}" for n, count in by if count) or "—"


def _load(x: handover.Load, rows: list[Alert], v: View) -> list[tuple[str, str, str]]:
    """(what, number, note) of each figure."""

    def took(n: int) -> str:
        times = x.took.get(n, [])
        return span(sum(times) // len(times), v.lang) if times else "—"

    real = sum(a.scope == "real" for a in rows)
    long = sum(t > 86_400_000_000 for t in x.old)
    return [
        (say("load.mean", v.lang), f"{x.mean:.1f}", say("load.most", v.lang, n=max(x.windows))),
        (
            say("load.crowded", v.lang),
            f"{round(100 * x.crowded / len(x.windows))} %",
            say("load.of", v.lang, n=x.crowded, m=len(x.windows)),
        ),
        (say("load.flow", v.lang), f"{x.opened} / {x.closed}", say("load.open", v.lang, n=real)),
        (
            say("load.in_time", v.lang),
            f"{x.in_time} %" if x.in_time is not None else "—",
            say("load.calls", v.lang, n=x.ladders - x.overdue, m=x.ladders),
        ),
        (say("load.red", v.lang), took(4), say("load.n", v.lang, n=len(x.took.get(4, [])))),
        (
            say("load.rest", v.lang),
            f"{took(3)} / {took(2)}",
            say("load.n", v.lang, n=len(x.took.get(3, [])) + len(x.took.get(2, []))),
        ),
        (say("load.old", v.lang), str(long), say("load.oldest", v.lang, span=span(x.old[0], v.lang)) if x.old else "—"),
        (say("load.chatter", v.lang), str(sum(x.chattering.values())), "、".join(x.chattering) or "—"),
        *((name, str(n), "") for name, n in x.top),
    ]


def _item(i: Any, v: View) -> tuple[str, str, str]:
    name = v.names.place(i.site, "", v.lang) if i.site else i.name
    title = v.names.indicator(i.indicator, v.lang) if i.indicator else ""
    return " · ".join(x for x in (title, name) if x), moment(i.since, v.clock, v.lang, False), i.state


def _mute(x: Silence, v: View) -> tuple[str, str, str, str]:
    scope = " ".join(
        y
        for y in (
            v.names.indicator(x.indicator, v.lang) if x.indicator else "",
            v.names.place(x.site, x.area, v.lang) if x.site or x.area else "",
            v.names.pack(x.pack, v.lang) if x.pack else "",
        )
        if y
    )
    return scope, x.reason, v.names.post(x.owner, v.lang), moment(x.until, v.now, v.lang, False)


def _side(row: Any, shift: Shift, comes: bool, v: View, veil: Veil) -> dict[str, Any]:
    """One signature: who, when, and why it cannot be given now."""
    at, who = (row.in_at, row.incoming) if comes else (row.out_at, row.outgoing)
    refusal = ""
    try:
        handover.may_sign(row, shift, comes, v.actor, Moment(v.now, v.names))
    except Refused as no:
        refusal = say(no.key, v.lang, **no.values | ({"who": veil(shift.post, who)} if "who" in no.values else {}))
    return {
        "side": "in" if comes else "out",
        "who": veil(shift.post, who) or "—",
        "at": moment(at, v.now, v.lang) if at else "",
        "refusal": refusal,
        "title": say("duty.sign_in" if comes else "duty.sign_out", v.lang),
        "seq": row.seq if at else None,
    }
