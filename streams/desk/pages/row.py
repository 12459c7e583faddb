"""One alert as a row: the eight questions answered in words. The page, the stream and the warning page use the same view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from detectors.level import Level
from streams.desk.alert import Actor, State
from streams.desk.calling import ladder
from streams.desk.calling.calls import UNANSWERED
from streams.desk.calling.ladder import Step
from streams.desk.local import MICRO, moment, number, span
from streams.desk.messages import subject
from streams.desk.meter import idle
from streams.desk.pages import chart
from streams.desk.pages.ask import Found
from streams.desk.pages.bits import chips, limit_line, notes, ruled, tags, trend
from streams.desk.pages.view import View
from streams.desk.people import rights
from streams.desk.series import Reading
from streams.desk.tables import Alert
from streams.desk.words import level, say

WIDE = 18
"""Characters of value, unit and trend that stand on one line."""
SECTIONS = ("ask", "doing", "end", "drill")


@dataclass
class Row:
    """What the template shows; everything is text already (or escaped SVG)."""

    id: str
    rev: int
    sect: str
    order: str
    level: str  # red …; unk for none
    word: str
    classes: str
    title: str
    notes: list[str]
    tags: list[tuple[str, str]]
    value: str
    unit: str
    limit: str
    spark: Markup
    since: str
    age: str
    until: int = 0
    until_text: str = ""
    bar: int = 0
    span: float = 1.0              # seconds that the running step has
    who: str = ""
    who_note: str = ""
    late: bool = False
    chips: list[tuple[str, str, bool]] = field(default_factory=list)
    act: str = ""  # answer, answer_for, doing, close, ""
    refusal: str = ""
    stale: bool = False
    suspect: bool = False
    members: list[Row] = field(default_factory=list)
    sound: str = ""
    text: str = ""  # what the search looks at
    red: int = 0
    last_t: int = 0
    plain: str = ""                # the unit alone


def section(f: Found) -> str:
    """Where a row stands (screens.md 6.1)."""
    a = f.alert
    if a.scope != "real":
        return "drill"
    if a.state in UNANSWERED and not a.muted:
        return "ask"
    return "end" if a.level == 0 or a.retired or a.state == State.VERIFIED else "doing"


def row(f: Found, v: View, deep: bool = True) -> Row:
    """A row for one reader at one moment."""
    a, names, lang = f.alert, v.names, v.lang
    at = section(f)
    word = chart.WORDS.get(a.shown, "unk")
    readings, latest = _readings(a, v)
    value, unit = _value(a, latest, readings, v)
    out = Row(
        a.id,
        a.rev,
        at,
        "",
        word,
        level(a.shown, lang),
        "",
        _title(f, v),
        notes(f, v),
        tags(a, v),
        value,
        unit,
        limit_line(a, latest, v),
        _spark(a, readings, v),
        moment(a.onset, v.clock, lang),
        _age(a, v),
    )
    out.stale, out.suspect = a.silent_since is not None, a.confidence == "suspect"
    _who(out, f, v)
    out.chips = chips(f.deliveries, lang)
    _act(out, f, v)
    late = at == "ask" and a.state == State.OVERDUE
    out.classes = " ".join(
        x for x in (word, "ask" * (at == "ask"), "over" * late, "stale" * out.stale, "drill" * (at == "drill")) if x
    )
    slow = idle(a, v.now)
    rank = not late if at == "ask" else not slow
    out.order = f"{SECTIONS.index(at)}{int(rank)}{4 - a.shown}{(out.until or a.opened // 1000):016d}{a.id}"
    out.sound = word if at == "ask" and a.shown >= 3 else ""
    out.members = [row(x, v, False) for x in sorted(f.covered, key=lambda x: (-x.alert.shown, x.alert.id))] if deep else []
    out.text = " ".join([out.title, a.id, names.pack(a.pack, lang), *(m.text for m in out.members)]).lower()
    out.red = int(a.shown == 4 and at != "drill")
    out.plain = names.unit(a.indicator)
    out.last_t = latest.t if latest else 0
    return out


def _title(f: Found, v: View) -> str:
    a, place = f.alert, v.names.place(f.alert.site, f.alert.area, v.lang)
    if a.members and a.area:
        rule = v.names.rules.get(a.rule)
        among = [d for d in (v.names.detectors.get(x) for x in (rule.of if rule else ())) if d]
        all_ = {s for d in among for s in v.names.indicators[d.indicator].sites if d.indicator in v.names.indicators}
        tree, _, node = a.area.partition(":")
        inside = [s for s in all_ if v.names.city.sites[s].areas.get(tree) == node] if all_ <= set(v.names.city.sites) else []
        if len(inside) >= len(a.members):
            place = say("level.of", v.lang, place=place, n=len(a.members), m=len(inside))
    return " · ".join(x for x in (subject(a, v.names, v.lang), place) if x)


def _readings(a: Alert, v: View) -> tuple[list[Reading], Reading | None]:
    if not (a.site and a.indicator):
        return [], None
    start = v.clock - round(v.names.span(a.indicator, a.detector) * MICRO)
    found = v.readings.window(f"{a.indicator}@{a.site}", start, v.clock + 60 * MICRO)
    return found, next((r for r in reversed(found) if r.value is not None and r.flag not in chart.BAD), None)


def _value(a: Alert, latest: Reading | None, readings: Sequence[Reading], v: View) -> tuple[str, str]:
    digits, unit = v.names.decimals(a.indicator), v.names.unit(a.indicator)
    if a.rule and not a.indicator:
        kind = v.names.rule_kind(a.rule)
        counts = "level.members" if kind == "worst" else "level.count" if a.members and kind not in ("share", "index") else ""
        return ruled(a, a.value, v), say(counts, v.lang) if counts else ""
    x = latest.value if latest and latest.t >= a.time else a.value
    rate = trend(readings, digits, unit) or (say(f"dir.{a.direction}", v.lang) if a.direction and a.level else "")
    if a.silent_since is not None:
        rate = f"（{moment(latest.t if latest else a.silent_since, v.clock, v.lang, False)}）"
    value = number(x, digits)
    if len(value) + len(unit) + len(rate) > WIDE and a.silent_since is None:
        rate = rate[:1]
    return value, f"{unit} {rate}".strip()




def _spark(a: Alert, readings: Sequence[Reading], v: View) -> Markup:
    span_, every = v.names.span(a.indicator, a.detector), 300.0
    if a.indicator in v.names.indicators:
        every = v.names.indicators[a.indicator].every
    return chart.spark(
        readings, v.names.limits(a.detector, a.site), v.clock - round(span_ * MICRO), v.clock, every, a.silent_since
    )





def _age(a: Alert, v: View) -> str:
    if a.level == 0 and a.back is not None:
        return say("strip.lasted", v.lang, span=span(a.back - a.onset, v.lang))
    return say("strip.for", v.lang, span=span(v.clock - a.onset, v.lang))


def _who(out: Row, f: Found, v: View) -> None:
    a, lang, names = f.alert, v.lang, v.names
    step = ladder.current(f.steps)
    if a.state == State.OVERDUE:
        last = max(s.until for s in f.steps)
        out.until, out.until_text, out.late = last // 1000, moment(last, v.now, lang), True
        out.who, out.who_note = say("state.overdue", lang), say("state.all_late", lang, n=len(f.steps))
    elif a.state == State.CALLING and step is not None:
        _called(out, step, f, v)
    elif a.muted and a.state in UNANSWERED:
        out.who = say("mutes.tag", lang, who=names.post(a.muted_by, lang), time=moment(a.muted_until, v.now, lang, False))
    elif a.state in (State.CALLING, State.DETECTED):
        out.who = say("state.unrouted" if a.scope == "real" else f"scope.{a.scope}", lang)
    else:
        out.who = names.post(a.answered_by or a.acted_by, lang)
        if a.offered:
            out.who += say("state.offered", lang, post=names.post(a.offered, lang))
        answered = say("state.at", lang, time=moment(a.answered, v.now, lang)) if a.answered else ""
        out.who_note = " · ".join(x for x in (answered, a.news) if x)


def _called(out: Row, step: Step, f: Found, v: View) -> None:
    name = v.names.post(step.post, v.lang)
    out.until, out.until_text = step.until // 1000, moment(step.until, v.now, v.lang)
    left = (step.until - v.now) / (step.within * MICRO) if step.within else 0.0
    out.bar = max(0, min(100, round(100 * left)))
    out.late, out.span = left <= 0, step.within or 1.0
    out.who = say("step.you", v.lang, post=name) if step.post == v.actor.post else name
    after = ladder.following(f.steps)
    then = say("step.next", v.lang, post=v.names.post(after.post, v.lang)) if after else say("step.last", v.lang)
    out.who_note = f"{say('step.of', v.lang, n=step.n, of=step.of)} {then}"




def mine(f: Found, actor: Actor) -> bool:
    """Whether this ladder has called the one who looks."""
    reached = (ladder.Rung.CALLED, ladder.Rung.EXPIRED)
    return bool(actor.post) and any(s.post == actor.post and s.state in reached for s in f.steps)


def _next(a: Alert, sect: str) -> str:
    """What an answered alert wants next: red and orange are verified before they are closed."""
    if sect != "end":
        return "doing"
    return "verify" if a.peak >= Level.ORANGE and a.state != State.VERIFIED else "close"


def _act(out: Row, f: Found, v: View) -> None:
    """The next legal act, and why it is not to be had."""
    a = f.alert
    if a.scope == "shadow":
        return
    if a.state in UNANSWERED:
        out.act = "answer" if mine(f, v.actor) or a.state == State.DETECTED else "answer_for"
    elif a.open:
        out.act = _next(a, out.sect)
    if out.act in ("answer", "answer_for"):
        no = rights.refusal(v.account, out.act, rights.facts_of(a, v.names, mine(f, v.actor)))
        key, role = (no.key, no.values.get("role", "")) if no else ("" if v.actor.post else "err.post", "")
        out.refusal = say(key, v.lang, role=say(f"role.{role}", v.lang) if role else "") if key else ""
