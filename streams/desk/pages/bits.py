"""The words of a row: trend, limit, notes, tags, marks of delivery."""

from __future__ import annotations

from collections.abc import Sequence

from streams.desk.local import MICRO, moment, number
from streams.desk.messages import subject
from streams.desk.meter import idle
from streams.desk.pages import chart
from streams.desk.pages.ask import Found
from streams.desk.pages.view import View
from streams.desk.series import Reading
from streams.desk.tables import Alert, Delivery
from streams.desk.words import ROMAN, has, say

MARKS = {"pending": "○", "sent": "○", "received": "◐", "read": "●", "answered": "●", "failed": "✕", "retry": "↻", "parked": "‖"}


def trend(readings: Sequence[Reading], digits: int, unit: str) -> str:
    """`↑0.21 m/h` over the last hour; "" where that hour has too little, or nothing moved."""
    points = chart.usable(readings)
    last = [p for p in points if p[0] >= points[-1][0] - 3600 * MICRO] if points else []
    if len(last) < 3 or last[-1][0] - last[0][0] < 600 * MICRO:
        return ""
    slope = (last[-1][1] - last[0][1]) / ((last[-1][0] - last[0][0]) / MICRO / 3600)
    said = number(abs(slope), digits if abs(slope) < 100 else 0)
    return "" if float(said) == 0 else f"{'↑' if slope > 0 else '↓'}{said}{f' {unit}' if len(unit) < 3 else ''}/h"


def limit_line(a: Alert, latest: Reading | None, v: View) -> str:
    """`Ⅱ级限值 29.00 · 超 0.12`; a score beside it where the limit is not in the reading's own unit."""
    if a.bound is None:
        return ""
    digits, lang = v.names.decimals(a.indicator), v.lang
    if a.rule and not a.indicator:
        return say("level.limit", lang, roman=ROMAN[a.shown], limit=ruled(a, a.bound, v))
    limit = say("level.limit", lang, roman=ROMAN[a.shown], limit=v.names.figure(a.detector, a.indicator, a.bound))
    if not v.names.on_axis(a.detector):
        return f"{say('level.score', lang, score=v.names.figure(a.detector, a.indicator, a.score))} · {limit}"
    x = latest.value if latest and latest.t >= a.time else a.value
    if x is None:
        return limit
    by = x - a.bound
    return f"{limit} · {say('level.over' if by >= 0 else 'level.under', lang, by=number(abs(by), digits))}"


def ruled(a: Alert, x: float | None, v: View) -> str:
    """What a rule measured, for people."""
    return v.names.ruled(a.rule, x, v.lang)


def notes(f: Found, v: View) -> list[str]:
    """One line: forecast or cause first, then the pack."""
    a, lang, out = f.alert, v.lang, []
    if ahead(a, v) and a.silent_since is None:
        out.append(reach(a, v))
    if a.silent_since is not None:
        out.append(say("fresh.since", lang, time=moment(a.silent_since, v.clock, lang, False)))
    if a.retired:
        out.append(say("event.retired", lang))
    if a.back is not None and a.level == 0:
        out.append(say("event.fell", lang, time=moment(a.back, v.clock, lang, False)))
    source = v.names.detectors.get(a.detector) or v.names.rules.get(a.rule)
    if source is not None and (source.why.en if lang == "en" else source.why.zh):
        out.append(source.why.en if lang == "en" else source.why.zh)
    if f.by is not None:
        title = " · ".join((subject(f.by, v.names, lang), v.names.place(f.by.site, f.by.area, lang)))
        out.insert(0, say("event.covered", lang, title=title))
    if f.covered:
        worst = max(f.covered, key=lambda x: (x.alert.shown, x.alert.value or 0.0)).alert
        value = f"{number(worst.value, v.names.decimals(worst.indicator))} {v.names.unit(worst.indicator)}"
        out.insert(0, say("level.worst", lang, place=v.names.site(worst.site, lang), value=value))
    return [*out, v.names.pack(a.pack, lang)]


def ahead(a: Alert, v: View) -> bool:
    """Whether the alert has a forecast whose moment has not passed."""
    return bool(a.forecast and a.level and a.forecast[0] + a.forecast[1] * MICRO > v.clock)


def reach(a: Alert, v: View) -> str:
    """When the forecast reaches its limit, with the band."""
    t, mid, low, high, limit = a.forecast or (0, 0, 0, 0, 0)
    at = [moment(int(t + s * MICRO), v.clock, v.lang, False) if s == s and abs(s) < 1e9 else "—" for s in (mid, low, high)]
    if a.rule:
        return say("event.arrives", v.lang, mid=at[0])      # what comes down the river has a time, not a limit of its own
    return say("event.reach", v.lang, mid=at[0], low=at[1], high=at[2], limit=number(limit, v.names.decimals(a.indicator)))


def tags(a: Alert, v: View) -> list[tuple[str, str]]:
    """Small words in a frame: what the level alone does not say."""
    out = []
    if a.scope != "real":
        out.append(("drill", say(f"scope.{a.scope}", v.lang)))
    if a.muted and a.open:
        who, until = v.names.post(a.muted_by, v.lang), moment(a.muted_until, v.now, v.lang, False)
        out.append(("dash", say("mutes.tag", v.lang, who=who, time=until)))
    if a.as_of is not None:
        out.append(("dash", say("fresh.asof", v.lang, time=moment(a.as_of, v.clock, v.lang, False))))
    if a.withdrawn:
        out.append(("dash", say("event.withdrawn", v.lang)))
    elif a.revised:
        out.append(("dash", say("event.revised", v.lang)))
    if idle(a, v.now):
        out.append(("", say("state.idle", v.lang)))
    return out


def chips(deliveries: Sequence[Delivery], lang: str) -> list[tuple[str, str, bool]]:
    """Mark, words and whether it is bad, the newest delivery of each channel."""
    newest = {d.channel: d for d in deliveries if d.state != "dropped" or d.receipt}
    return [chip(d, lang) for d in newest.values()]


def chip(d: Delivery, lang: str) -> tuple[str, str, bool]:
    """One delivery."""
    state = "parked" if d.state == "parked" else d.receipt or ("retry" if d.state == "pending" and d.attempts else d.state)
    name = say(f"channel.{d.channel}", lang) if has(f"channel.{d.channel}") else d.channel
    again = f" {say('sent.again', lang)}" if d.attempts > 1 and d.state == "sent" else ""
    joint = f" {say('sent.folded', lang)}" if d.folded else ""
    return MARKS.get(state, "○"), f"{name} {say(f'sent.{state}', lang)}{again}{joint}", state in ("failed", "parked", "retry")
