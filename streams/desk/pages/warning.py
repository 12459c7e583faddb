"""The page of one warning (预警单): evidence, why, calls, timeline, and what may be done, with reasons beside what may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.pack import Detector, Limit
from streams.desk.alert import State
from streams.desk.calling import ladder
from streams.desk.calling.calls import TAKEN
from streams.desk.local import MICRO, moment, number, span
from streams.desk.names import number as site_number
from streams.desk.names import said as words_of
from streams.desk.pages import ask, chart
from streams.desk.pages.ask import Found
from streams.desk.pages.bits import ahead, chip, reach
from streams.desk.pages.forms import forms
from streams.desk.pages.outbox import tried
from streams.desk.pages.outward import outward
from streams.desk.pages.render import favicon
from streams.desk.pages.row import row
from streams.desk.pages.timeline import told
from streams.desk.pages.view import View
from streams.desk.series import Reading
from streams.desk.tables import Alert, Delivery, Event, Member
from streams.desk.words import ROMAN, level, say
from streams.packs.truth import said

HOURS = 8


@dataclass(frozen=True)
class Kept:
    """What a refused form held: nothing typed is lost."""

    act: str = ""
    reason: str = ""
    disposition: str = ""
    to: str = ""
    typed: dict[str, str] = field(default_factory=dict)     # all fields, of the forms beside the deeds


def warning(s: Session, f: Found, v: View, kept: Kept) -> dict[str, Any]:
    """Everything that warning.html shows."""
    a, r = f.alert, row(f, v)
    readings, start, end = _window(a, v)
    digits = v.names.decimals(a.indicator)
    table = [
        (
            moment(x.t, v.clock, v.lang),
            number(x.value, digits),
            say(f"flag.{x.flag if x.flag in (1, 2, 3, 4, 9) else 0}", v.lang),
            x.check,
        )
        for x in reversed(readings[-48:])
    ]
    return {
        "r": r,
        "full": _full(a, v),
        "since": _since(a, v),
        "line": line(a, f.deliveries, v),
        "series": f"{a.indicator}@{a.site}" if a.indicator and a.site else "",
        "svg": _svg(a, readings, start, end, v),
        "table": table,
        "unit": v.names.unit(a.indicator),
        "forecast": reach(a, v) if ahead(a, v) else "",
        "events": _events(s, a, v),
        "rule": _rule(a, v),
        "facts": _facts(s, a, v),
        "forms": forms(s, a, v),
        "kept": kept,
        **outward(s, a, v, kept.typed),
        "steps": [_step(x, f, v) for x in f.steps],
        "within": _within(f, v),
        "unsent": tried(f.deliveries, a, v),
        "timeline": [(moment(x.at, v.now, v.lang), words, x.hash[:12]) for x in ask.history(s, a.id) if (words := told(x, a, v))],
        "favicon": favicon(r.level, 0),
    }


def _full(a: Alert, v: View) -> str:
    return say("level.full", v.lang, level=say(f"level.{a.shown}", v.lang), roman=ROMAN[a.shown])


def _since(a: Alert, v: View) -> str:
    end = a.back if a.level == 0 and a.back else v.clock
    return say(
        "w.was" if a.level == 0 and a.back else "w.since",
        v.lang,
        time=moment(a.onset, v.clock, v.lang),
        span=span(end - a.onset, v.lang),
    )


def line(a: Alert, sent: Sequence[Delivery], v: View) -> list[tuple[str, str, bool, bool]]:
    """The seven steps: name, time, done, the one that is now."""
    first = min((d.sent_at for d in sent if d.sent_at), default=None)
    got = next((d.sent_at for d in sent if d.receipt in ("received", "read", "answered")), None)
    when = [
        ("detected", a.opened),
        ("sent", first),
        ("received", got),
        ("answered", a.answered),
        ("acting", a.acted),
        ("verified", a.verified),
        ("closed", a.closed),
    ]
    last = max(i for i, (_, t) in enumerate(when) if t)
    current = 6 if not a.open else 4 if a.state in TAKEN else 5 if a.state == State.VERIFIED else 3
    out = []
    for i, (name, t) in enumerate(when):
        words = moment(t, v.now, v.lang) if t else say("state.doing", v.lang) if i == current else "—"
        if name == "verified" and not t and not a.open:
            words = say("state.unneeded", v.lang)
        if name == "acting" and a.open and t:
            words = f"{words} {say('state.doing', v.lang)}"
        out.append((name, words, i <= last, i == current and a.open))
    return out


def _window(a: Alert, v: View) -> tuple[list[Reading], int, int]:
    if not (a.site and a.indicator):
        return [], 0, 0
    clock = v.clock if a.open else min(v.clock, (a.back or v.clock) + 3600 * MICRO)
    length = max(HOURS * 3600.0, v.names.span(a.indicator, a.detector), 1.3 * (clock - a.onset) / MICRO)
    start = clock - round(min(length, 400 * 86400.0) * MICRO)
    found = v.readings.window(f"{a.indicator}@{a.site}", start, clock + 60 * MICRO)
    begin = found[0].t - (clock - found[0].t) // 20 if found else start      # what was never measured is no hole
    return found, max(start, min(begin, a.onset)), clock


def _svg(a: Alert, readings: list[Reading], start: int, end: int, v: View) -> Markup:
    if not readings:
        return Markup("")
    if a.forecast and ahead(a, v) and a.forecast[3] == a.forecast[3]:
        end = max(end, min(int(a.forecast[0] + a.forecast[3] * MICRO), end + (end - start) // 3))
    every = v.names.indicators[a.indicator].every if a.indicator in v.names.indicators else 300.0
    unit, title = v.names.unit(a.indicator), v.names.indicator(a.indicator, v.lang)
    a_forecast = tuple(a.forecast) if a.forecast and ahead(a, v) and all(x == x for x in a.forecast) else None
    return chart.evidence(
        chart.Evidence(
            readings,
            v.names.limits(a.detector, a.site),
            start,
            end,
            a.onset,
            v.clock,
            every,
            v.names.decimals(a.indicator),
            say("w.chart", v.lang, title=title, unit=unit),
            v.lang,
            a.silent_since,
            a_forecast,
        )
    )


def _events(s: Session, a: Alert, v: View) -> list[dict[str, Any]]:
    names = {m.id: m for m in ask.members(s, a.id)}
    rows = s.scalars(select(Event).where(Event.member.in_(names)).order_by(Event.time.desc(), Event.id.desc()).limit(20))
    digits, out = v.names.decimals(a.indicator), []

    def figure(of: Member, x: float | None, limit: bool = False) -> str:
        if of.detector in v.names.rules:
            return v.names.ruled(of.detector, x, v.lang)
        return v.names.figure(of.detector, a.indicator, x) if limit else number(x, digits)

    for e in rows:
        body, withdrawn = e.body, say("event.withdrawn", v.lang) if e.withdrawn else ""
        if e.revision and not e.withdrawn:
            withdrawn = say("event.revised", v.lang)
        out.append(
            {
                "time": moment(e.time, v.clock, v.lang),
                "detector": names[e.member].detector,
                "value": figure(names[e.member], body.get("value")),
                "limit": figure(names[e.member], body.get("limit"), limit=True),
                "says": " ".join(x for x in (level(e.level, v.lang), withdrawn) if x),
                "deciding": e.level == a.level and e.time == a.time,
            }
        )
    return out


def _rule(a: Alert, v: View) -> list[tuple[str, bool]]:
    """The detector (or rule) as the plan has it, with this site's own numbers; the deciding line is marked."""
    found = v.names.detectors.get(a.detector)
    if found is not None:
        return _detector(found, a, v)
    rule = v.names.rules.get(a.rule)
    if rule is None:
        return []
    levels = rule.levels or ((rule.level, 0.0),)
    return [
        (f"- id: {rule.id}    # {rule.pack}, line {rule.line}", False),
        (f"  when: {said(rule.term)}", False),
        *((f"  {level(n, 'en').lower()}" + (f": from {at:g}" if rule.levels else ""), n == a.level) for n, at in levels),
        (f"  why: {words_of(rule.why, v.lang)}    source: {rule.source}", False),
    ]


def _detector(d: Detector, a: Alert, v: View) -> list[tuple[str, bool]]:
    lines = [
        (f"- id: {d.id}    # {d.pack}, line {d.line}", False),
        (f"  indicator: {d.indicator}", False),
        (f"  kind: {d.use.kind}", False),
        ("  levels:", False),
    ]
    lines += [(f"    {chart.WORDS[x.level]}: {{{_limit(x, a, v)}}}", x.level == a.level) for x in d.limits]
    return [*lines, (f"  why: {words_of(d.why, v.lang)}    source: {d.source}", False)]


def _limit(x: Limit, a: Alert, v: View) -> str:
    """As it stands in the pack, with this site's numbers."""
    by_hour = v.names.score_unit(a.detector) == "value/time"

    def written(value: float) -> str:
        return f"{value * 3600:g} {v.names.unit(a.indicator)}/h" if by_hour else f"{value:g}"

    at, clear = site_number(x.at, a.site), None if x.clear is None else site_number(x.clear, a.site)
    parts = [f"{'above' if x.above else 'below'}: {written(at)}"]
    parts += [f"clear: {written(clear)}"] if clear is not None and clear != at else []
    parts += [f"{name}: {value:g}s" for name, value in (("hold", x.hold), ("keep", x.keep)) if value]
    return ", ".join(parts)


def _facts(s: Session, a: Alert, v: View) -> list[tuple[str, str]]:
    body = (
        s.scalar(
            select(Event.body)
            .join_from(Event, Member, Member.id == Event.member)
            .where(Member.alert == a.id)
            .order_by(Event.id.desc())
            .limit(1)
        )
        or {}
    )
    place = f"readings {body['partition']}:{body['offset']}" if "offset" in body else "—"
    conf = (
        say("conf.suspect", v.lang) + (f"（{a.check}）" if a.check else "")
        if a.confidence == "suspect"
        else say("w.good", v.lang)
    )
    held = say("w.held", v.lang, time=moment(a.since, v.clock, v.lang)) if a.since else "—"
    source = v.names.detectors.get(a.detector) or v.names.rules.get(a.rule)
    rows = [
        ("w.place", f"{v.names.place(a.site, a.area, v.lang)} ({a.site or a.area})"),
        ("w.limit", held),
        ("w.confidence", conf),
        ("w.source", _source(source.source, v) if source and source.source else "—"),
        ("w.plan", a.plan or v.names.hash or "—"),
        ("w.log", place),
    ]
    if a.ladder:
        rows.append(("w.route", f"{a.ladder} · {a.run}"))
    if a.members:
        rows.append(("w.members", say("leads.and", v.lang).join(_member(str(x), v) for x in a.members[:40])))
    return [(say(key, v.lang), words) for key, words in rows]


def _member(name: str, v: View) -> str:
    """`河道水位 兰溪市 兰溪`, of a series that holds; its name where the plan does not know it."""
    what, _, where = name.partition("@")
    return f"{v.names.indicator(what, v.lang)} {v.names.place(where, '', v.lang)}".strip()


def _source(text: str, v: View) -> str:
    """What a limit goes back to, in the pack's own words; a guess is called one in the reader's language."""
    return say("w.guess", v.lang) + text.removeprefix("guess") if text == "guess" or text.startswith("guess;") else text



def _step(x: ladder.Step, f: Found, v: View) -> dict[str, Any]:
    a = f.alert
    marks = " · ".join(
        f"{mark} {words} {moment(d.sent_at, v.now, v.lang) if d.sent_at else ''}".strip()
        for d in f.deliveries
        if d.n == x.n
        for mark, words, _ in [chip(d, v.lang)]
    )
    key, at = f"step.{x.state.value}", x.until or x.due_at
    if x.state is ladder.Rung.ANSWERED:
        key, at = key if a.answered_by == x.post else "step.answered_for", a.answered or at
    planned = say("step.planned", v.lang, time=moment(x.due_at, v.now, v.lang)) if x.state is ladder.Rung.WAITING else ""
    return {
        "n": x.n,
        "post": v.names.post(x.post, v.lang),
        "state": say(key, v.lang, time=moment(at, v.now, v.lang), who=v.names.post(a.answered_by, v.lang)),
        "note": marks or planned,
        "on": x.state in (ladder.Rung.CALLED, ladder.Rung.ANSWERED),
    }


def _within(f: Found, v: View) -> str:
    step = ladder.current(f.steps) or (f.steps[0] if f.steps else None)
    return say("step.within", v.lang, span=span(round(step.within * MICRO), v.lang)) if step else ""
