"""One series over a time that the address says: readings, limits, levels, marks, what is near it. Pure of requests."""
from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from itertools import groupby, islice
from typing import Any

from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.level import Level
from detectors.pack import SELF, Indicator
from streams.clock import iso
from streams.desk.folding.heard import heard
from streams.desk.local import MICRO, ZONE, local, moment, number, span
from streams.desk.pages import chart, foretold
from streams.desk.pages.bits import trend
from streams.desk.pages.view import View
from streams.desk.series import MOST, Reading
from streams.desk.tables import Alert, Event, Item, Member
from streams.desk.words import ROMAN, algorithm, level, say

DAY = 86_400 * MICRO
SPANS = (6 * 3600, 86_400, 3 * 86_400, 16 * 86_400, 92 * 86_400, 366 * 86_400, 3653 * 86_400)
"""Seconds of the buttons; those that are longer than six readings are shown."""
ROWS = 60
LISTED = 300
"""Series of the list; more are found by their words."""
NEAR = 6
FAR = 150 * 366 * DAY
"""Views end so far from 1970 (µs)."""


@dataclass(frozen=True)
class Window:
    """`start` ≤ t ≤ `end`, µs UTC."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """µs."""
        return self.end - self.start

    def query(self, start: float, end: float) -> str:
        """Of the address."""
        return "?" + "&".join(f"{k}={written(held(t)).replace(' ', 'T')}" for k, t in (("from", start), ("to", end)))

    def moves(self) -> dict[str, str]:
        """By key of the keyboard."""
        a, b, half = self.start, self.end, self.length / 2
        return {"+": self.query(a + half / 2, b - half / 2), "-": self.query(a - half, b + half),
                "ArrowLeft": self.query(a - half, b - half), "ArrowRight": self.query(a + half, b + half)}


def window(asked: Mapping[str, str], now: int, every: float) -> Window:
    """What the address asks for; the last day (or 48 readings) where it says nothing that is a time."""
    end, start = read(asked.get("to", "")), read(asked.get("from", ""))
    end = now + round(0.02 * DAY) if end is None else end
    start = end - round(max(DAY, 48 * every * MICRO)) if start is None else start
    return Window(min(start, end - MICRO * 60), end)


def read(text: str) -> int | None:
    """A time of the city (`2026-06-10 00:00`), or with its zone; None for what is none."""
    try:
        found = datetime.fromisoformat(text.strip())
        return held((found if found.tzinfo else found.replace(tzinfo=ZONE)).timestamp() * MICRO)
    except (ValueError, OverflowError):
        return None


def held(t: float) -> int:
    """Within the years that a calendar has."""
    return round(min(max(t, -FAR), FAR))


def written(t: int) -> str:
    """As the form has it."""
    return f"{local(t):%Y-%m-%d %H:%M}"


def series(s: Session, v: View, name: str, asked: Mapping[str, str]) -> dict[str, Any] | None:
    """Everything that series.html shows; None where the plan has no such series."""
    indicator, _, site = name.partition("@")
    known = v.names.indicators.get(indicator)
    if known is None or site not in known.sites:
        return None
    w = window(asked, v.clock, known.every)
    readings = v.readings.window(name, w.start, w.end)
    detectors = [d for d in v.names.detectors.values() if d.indicator == indicator and (not d.sites or site in d.sites)]
    limits = sorted({row for d in detectors for row in v.names.limits(d.path, site)}, reverse=True)
    stale = s.scalar(select(Item).where(Item.kind == "fresh", Item.indicator == indicator, Item.site == site))
    now = _levels_now(s, name)
    last = chart.usable(readings)[-1:]
    title, told = v.names.indicator(indicator, v.lang), foretold.foretold(s, v, name, w.start, w.end)
    return {
        "series": name, "title": title, "place": v.names.place(site, "", v.lang), "unit": known.unit, "pack": known.pack,
        "word": Level(max(now.values(), default=0)).word if now else "", "level": level(max(now.values()), v.lang) if now else "",
        "value": number(last[0][1], known.decimals) if last else "—", "at": moment(last[0][0], v.clock, v.lang) if last else "",
        "trend": trend(readings, known.decimals, known.unit), "every": span(round(known.every * MICRO), v.lang),
        "silent": span(round(known.silent * MICRO), v.lang) if known.silent < 1e9 else "",
        "stale": moment(stale.since, v.clock, v.lang) if stale else "",
        "stale_word": say(f"fresh.{stale.state}", v.lang) if stale else "", "never": not last and not heard(s, name),
        "svg": _chart(v, w, readings, known, limits, f"{title} {v.names.place(site, '', v.lang)}, {known.unit}",
                      foretold.drawn(told, v)),
        "told": foretold.lines(told, v, known.decimals, known.unit),
        "ribbons": [(d.id, ribbon(_changes(s, d.path, name, w), w, v.clock, v.lang)) for d in detectors],
        "begin": written(w.start), "to": written(w.end), "moves": w.moves(), "query": w.query(w.start, w.end),
        "area": known.derive is not None and bool(known.derive.tree),
        "changes": [] if readings else _told_by(s, name, w, known, v),
        "spans": [(_length(x, v.lang), w.query(w.end - x * MICRO, w.end), abs(w.length - x * MICRO) < MICRO * 120)
                  for x in SPANS if x > 6 * known.every],
        "rows": _rows(readings, v.readings.revised(name, w.start, w.end), known, v),
        "n": len(readings), "cut": len(readings) >= MOST,
        "limits": [(Level(n).word, level(n, v.lang), say("dir.high" if up else "dir.low", v.lang), number(x, known.decimals))
                   for n, x, up in limits],
        "near": _near(v, indicator, site, w), "alerts": _alerts(s, name, v), "fault": v.readings.fault}


def _chart(v: View, w: Window, readings: list[Reading], known: Indicator, limits: list[tuple[int, float, bool]],
           label: str, past: list[tuple[int, float, int, int, int, float, str]]) -> Markup:
    last, every = chart.usable(readings)[-1:], known.every
    quiet = bool(last) and min(w.end, v.clock) - last[0][0] > 3 * every * MICRO
    return chart.evidence(chart.Evidence(readings, limits, w.start, w.end, 0, v.clock, every, known.decimals, label,
                                         v.lang, w.end if quiet else None, past=past))


def ribbon(changes: list[tuple[int, int]], w: Window, now: int, lang: str) -> Markup:
    """Levels over the time of the chart up to now: (from when µs, level), oldest first. Height and numeral say the level too."""
    f = chart.Frame(44, 788, 0, 30, w.start, w.end, 0, 1)
    out = ['<svg class="ch rib" viewBox="0 0 880 30" role="img" aria-label="', escape(_told(changes, lang)), '">']
    for i, (t, n) in enumerate(changes):
        end = changes[i + 1][0] if i + 1 < len(changes) else min(w.end, max(now, t))
        x0, x1 = f.x(max(t, w.start)), f.x(min(end, w.end))
        if not n:
            out.append(f'<path d="M{x0:.1f} 29H{x1:.1f}" class="grid"/>')
            continue
        word, wide, high = chart.WORDS[n], max(x1 - x0, 1), 4 * n
        out.append(f'<rect x="{x0:.1f}" y="{29 - high}" width="{wide:.1f}" height="{high}" class="f-{word}"/>')
        if wide > 14:
            out.append(f'<text x="{x0 + wide / 2:.1f}" y="{27 - high}" text-anchor="middle" class="lt {word}">{ROMAN[n]}</text>')
    return Markup("".join(map(str, [*out, "</svg>"])))


def _told(changes: list[tuple[int, int]], lang: str) -> str:
    return "; ".join(f"{local(t):%m-%d %H:%M} {level(n, lang)}" for t, n in changes[-12:])


def _changes(s: Session, path: str, name: str, w: Window) -> list[tuple[int, int]]:
    """Levels of one detector at this series: what held before, then every change; the newest word of each counts."""
    rows = s.execute(select(Event.member, Event.seq, Event.revision, Event.withdrawn, Event.level, Event.time).join(
        Member, Member.id == Event.member).where(Member.series == name, Member.detector == path, Event.time <= w.end)
        .order_by(Event.time.desc(), Event.id.desc()).limit(2000)).all()
    newest: dict[tuple[str, int], tuple[int, bool, int, int]] = {}
    for member, seq, revision, withdrawn, n, t in rows:
        newest[member, seq] = max(newest.get((member, seq), (-1, False, 0, 0)), (revision, withdrawn, n, t))
    standing = sorted((t, n) for _, withdrawn, n, t in newest.values() if not withdrawn)
    before = [n for t, n in standing if t <= w.start][-1:] or [0]
    return [(w.start, before[0]), *((t, n) for t, n in standing if t > w.start)]


def _length(seconds: int, lang: str) -> str:
    """Of a button: months and years where days are no measure."""
    days = seconds // 86_400
    if days > 300:
        return say("series.years", lang, n=round(days / 365))
    return say("series.months", lang, n=round(days / 30)) if days > 60 else span(seconds * MICRO, lang)


def _told_by(s: Session, name: str, w: Window, known: Indicator, v: View) -> list[dict[str, Any]]:
    """Changes of level with the value of then, the newest first: all that the desk knows where history has no readings."""
    rows = s.execute(select(Event, Member.detector).join(Member, Member.id == Event.member).where(
        Member.series == name, Event.time >= w.start, Event.time <= w.end)
        .order_by(Event.time.desc(), Event.id.desc()).limit(ROWS))
    return [{"t": moment(e.time, v.clock, v.lang), "by": path.rpartition("/")[2],
             "word": Level(e.level).word, "level": level(e.level, v.lang),
             "value": number(e.body.get("value"), known.decimals), "limit": v.names.figure(path, known.id, e.body.get("limit")),
             "taken": say("event.withdrawn" if e.withdrawn else "event.revised", v.lang) if e.withdrawn or e.revision else ""}
            for e, path in rows]


def _levels_now(s: Session, name: str) -> dict[str, int]:
    """Level of each detector whose warning is open."""
    rows = s.execute(select(Member.detector, Member.level).join(Alert, Alert.id == Member.alert).where(
        Member.series == name, Alert.open, Member.level > 0))
    return {path: n for path, n in rows}


def _rows(readings: list[Reading], before: Mapping[int, list[float | None]], known: Indicator, v: View) -> list[dict[str, Any]]:
    """The newest readings and those with a mark: a flag, or that were revised or came late. `before`: former values by time."""
    late, decimals = max(3 * known.every, 600.0) * MICRO, known.decimals
    marked = [r for r in readings if r.flag not in (0, 1) or r.t in before or r.arrived - r.t > late]
    chosen = sorted({id(r): r for r in [*readings[-12:], *marked[-ROWS:]]}.values(), key=lambda r: -r.t)
    return [{"t": moment(r.t, v.clock, v.lang), "value": number(r.value, decimals), "flag": say(f"flag.{r.flag}", v.lang)
             if r.flag in (0, 1, 2, 3, 4, 9) else str(r.flag), "mark": {3: "△", 4: "✕", 9: "▨"}.get(r.flag, ""),
             "check": algorithm("checks", r.check, v.lang) if r.check else "",
             "arrived": moment(r.arrived, v.clock, v.lang), "before": ", ".join(number(x, decimals) for x in before.get(r.t, ())),
             "late": span(r.arrived - r.t, v.lang) if r.arrived - r.t > late else ""}
            for r in chosen]


def _near(v: View, indicator: str, site: str, w: Window) -> list[dict[str, Any]]:
    """The same indicator up and down the river, then in the same area."""
    known, sites = v.names.indicators[indicator], v.names.city.sites
    here = sites.get(site)
    if here is None:
        return []
    up = [x for x in known.sites if x in sites and sites[x].downstream == site]
    found = {x: "series.up" for x in up} | ({here.downstream: "series.down"} if here.downstream in known.sites else {})
    area = here.areas.get("admin")
    beside = [x for x in known.sites if x != site and x in sites and area and sites[x].areas.get("admin") == area]
    found |= {x: "series.beside" for x in beside if x not in found}
    out = []
    for other, how in list(found.items())[:NEAR]:
        readings = v.readings.window(f"{indicator}@{other}", w.start, w.end)
        last = chart.usable(readings)[-1:]
        looking = [d.path for d in v.names.detectors.values() if d.indicator == indicator]
        limits = [row for path in looking for row in v.names.limits(path, other)]
        out.append({"how": say(how, v.lang), "name": f"{indicator}@{other}", "place": v.names.place(other, "", v.lang),
                    "value": number(last[0][1], known.decimals) if last else "—",
                    "spark": chart.spark(readings, limits, w.start, w.end, known.every)})
    return out


def _alerts(s: Session, name: str, v: View) -> list[tuple[str, str, str, bool]]:
    """The newest warnings of this series: id, level, since when, open."""
    rows = s.execute(select(Alert.id, Alert.shown, Alert.onset, Alert.open).join(Member, Member.alert == Alert.id).where(
        Member.series == name).distinct().order_by(Alert.onset.desc()).limit(8))
    return [(id_, level(shown, v.lang), moment(onset, v.clock, v.lang), open_) for id_, shown, onset, open_ in rows]


def table(v: View, name: str, asked: Mapping[str, str]) -> str | None:
    """The readings as CSV, oldest first, times in UTC; None where there is no such series."""
    indicator, _, site = name.partition("@")
    known = v.names.indicators.get(indicator)
    if known is None or site not in known.sites:
        return None
    w, out = window(asked, v.clock, known.every), StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("site", "indicator", "time", "value", "flag", "check", "arrived"))
    for r in v.readings.window(name, w.start, w.end):
        writer.writerow((site, indicator, iso(r.t), "" if r.value is None else repr(r.value), r.flag, r.check, iso(r.arrived)))
    return out.getvalue()


def found(v: View, q: str) -> dict[str, Any]:
    """The list of series, by words of their indicator, place or pack: a line an indicator, with its places."""
    every = ((f"{i.id}@{site}", v.names.indicator(i.id, v.lang), v.names.place(site, "", v.lang), v.names.pack(i.pack, v.lang))
             for i in v.names.indicators.values() if i.pack != SELF for site in i.sites)
    words = q.lower().split()
    hits = list(islice((row for row in every if all(word in " ".join(row).lower() for word in words)), LISTED + 1))
    lines = [list(line) for _, line in groupby(hits[:LISTED], lambda row: row[0].partition("@")[0])]
    return {"q": q, "lines": [(line[0][1], line[0][3], [(name, place) for name, _, place, _ in line]) for line in lines],
            "n": f"{LISTED}+" if len(hits) > LISTED else str(len(hits)), "all": v.names.series}
