"""One HTML page of a backtest, and its numbers as plain values."""
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from detectors.level import Level
from detectors.pack import City, Detector, Num, Pack, Use
from streams.desk.local import local
from streams.desk.pages.chart import Evidence
from streams.desk.series import Reading
from streams.desk.words import say
from streams.replay.backtest import Study, failures
from streams.replay.judged import Span
from streams.replay.match import Match, Row
from streams.replay.report.picture import Strip, around, close, overview, tidy

if TYPE_CHECKING:
    from streams.replay.history import History

MOST = 12
"""Pictures of one detector and level: the missed first, then the false, then the others."""
ORDER = {"miss": 0, "false": 1, "hit": 2}
FIGURES = ("pod", "far", "csi", "lead_median_s", "lead_p10_s", "alarms_per_day")
Key = tuple[str, int]


@dataclass(frozen=True)
class Told:
    """What the page is made of. `other`: the same pack in another version (or none), `suggested`: key -> advice."""

    city: City
    pack: Pack
    history: History
    study: Study
    version: str = ""
    other: Study | None = None
    other_version: str = ""
    suggested: dict[Key, Any] = field(default_factory=dict)


def numbers(told: Told) -> dict[str, Any]:
    """Everything that the page says in figures, as plain values for JSON."""
    study, other = told.study, told.other
    return {
        "pack": told.pack.id, "version": told.version, "against": told.other_version or None, "days": study.judged.days,
        "window": asdict(study.window), "readings": len(told.history), "fails": failures(told.pack, list(study.rows.values())),
        "detectors": [{
            **asdict(row), "gate": gate(told.pack, key),
            "against": asdict(other.rows[key]) if other and key in other.rows else None,
            "by_site": {site: asdict(part) for site, part in study.by_site(key).items()},
            "by_year": {name: asdict(part) for name, part in study.by_year(key, year).items()},
            "suggested": asdict(told.suggested[key]) if key in told.suggested else None,
            "before_crossing_median_s": study.account(key).ahead(),
            "matches": [_plain(m) for m in study.account(key).matches],
        } for key, row in study.rows.items()]}


def year(t: int) -> str:
    """The city's year of a moment."""
    return f"{local(t):%Y}"


def gate(pack: Pack, key: Key) -> dict[str, float]:
    """What the pack asks of this detector at this level."""
    name, word = key[0].removeprefix(f"{pack.id}/"), Level(key[1]).word
    return pack.gates.get(name, {}) | pack.gates.get(f"{name}/{word}", {})


def page(told: Told, lang: str) -> str:
    """The report in one language."""
    env = Environment(loader=PackageLoader("streams.replay.report", ""), autoescape=True, undefined=StrictUndefined,
                      trim_blocks=True)
    whole = Span(int(told.history.t.min()), int(told.history.t.max())) if len(told.history) else Span(0, 1)
    sheet = files("streams.desk.pages").joinpath("static/desk.css").read_text("utf-8")
    parts = [_part(told, key, row, whole, lang) for key, row in told.study.rows.items()]
    data = json.dumps(numbers(told), ensure_ascii=False).replace("<", "\\u003c")
    return env.get_template("page.html").render(
        t=partial(_say, lang), lang=lang, sheet=sheet, pack=told.pack, told=told, parts=parts, data=data,
        title=getattr(told.pack.title, lang) or told.pack.title.zh,
        start=f"{local(whole.start):%Y-%m-%d}", end=f"{local(whole.end):%Y-%m-%d}",
        fails=failures(told.pack, list(told.study.rows.values())))


def _part(told: Told, key: Key, row: Row, whole: Span, lang: str) -> dict[str, Any]:
    """All that the page says of one detector at one level."""
    detector = _detector(told.pack, key[0])
    account = told.study.account(key)
    was = told.other.rows.get(key) if told.other else None
    strips = [Strip(told.version or say("bt.this", lang), account.matches)]
    if told.other and was:
        strips.append(Strip(told.other_version, told.other.account(key).matches))
    asked = gate(told.pack, key)
    shown = sorted(account.matches, key=lambda m: (ORDER[m.kind], m.moment))[:MOST]
    return {
        "key": key, "row": row, "detector": detector, "title": getattr(detector.title, lang) or detector.title.zh or detector.id,
        "word": say(f"level.{key[1]}", lang) if key[1] else say("bt.fault", lang), "ahead": account.ahead(),
        "figures": [(name, figure(name, row), figure(name, was) if was else "", asked.get(name)) for name in FIGURES],
        "overview": overview(strips, whole, lang), "by_site": told.study.by_site(key), "by_year": told.study.by_year(key, year),
        "matches": account.matches, "pictures": [_picture(told, detector, key[1], m, lang) for m in shown],
        "suggested": told.suggested.get(key)}


def _detector(pack: Pack, path: str) -> Detector:
    """The detector of a path; for `indicator:checks` the checks of an indicator, as if they were one."""
    found = next((d for d in pack.detectors if d.path == path), None)
    if found is not None:
        return found
    name = path.removeprefix(f"{pack.id}/").removesuffix(":checks")
    indicator = next(i for i in pack.indicators if i.id == name)
    return Detector(f"{name}:checks", pack.id, name, Use("checks"), (), title=indicator.title)


def figure(name: str, row: Row) -> str:
    """A figure as people read it: shares with two digits, times in hours.

    >>> from streams.replay.match import Account
    >>> figure("pod", Account().row("a/b", 1, 1.0, 0))
    '—'
    """
    value = getattr(row, name)
    if value is None:
        return "—"
    return f"{value / 3600:.1f} h" if name.endswith("_s") else f"{value:.2f}"


def _picture(told: Told, detector: Detector, level: int, m: Match, lang: str) -> dict[str, Any]:
    span = around(m, told.study.window.before)
    shown = readings(told, detector.indicator, m.site, span)
    limits = [(limit.level, at, limit.above) for limit in detector.limits
              if (at := number(limit.at, m.site)) is not None] if detector.use.kind in ("threshold", "forecast") else []
    indicator = next(i for p in told.city.packs for i in p.indicators if i.id == detector.indicator)
    chart = Evidence(shown, limits, span.start, span.end, m.alarm.start if m.alarm else 0, 0, tidy([r.t for r in shown]),
                     indicator.decimals, f"{detector.path} {m.site}", lang)
    rows: list[tuple[str, Match | None]] = [(told.version or say("bt.this", lang), m)]
    if told.other and detector.path in {path for path, _ in told.other.rows}:
        rows.append((told.other_version, _same(told.other.account((detector.path, level)).matches, m)))
    site = told.city.sites.get(m.site)
    name = (getattr(site.title, lang) or site.title.zh) if site else m.site
    return {"match": m, "site": name, "when": f"{local(m.moment):%Y-%m-%d %H:%M}", "svg": close(chart, rows)}


def _same(matches: Sequence[Match], m: Match) -> Match | None:
    """What another version made of the same episode, or of the same time."""
    if m.episode:
        return next((o for o in matches if o.episode == m.episode), None)
    return next((o for o in matches if o.site == m.site and o.alarm and m.alarm and o.alarm.start <= m.alarm.end
                 and m.alarm.start <= o.alarm.end), None)


def readings(told: Told, indicator: str, site: str, span: Span) -> list[Reading]:
    """Those of the history between two moments, the newest vintage of each time; a derived series as it was made."""
    name, history = f"{indicator}@{site}", told.history
    if name not in history.series:
        return [Reading(t, x if x == x else None, flag, "", t) for t, x, flag in told.study.judged.derived.get(name, [])
                if span.start <= t <= span.end]
    there = np.flatnonzero((history.index == history.series.index(name)) & (history.t >= span.start) & (history.t <= span.end))
    newest: dict[int, Reading] = {}
    for n in there.tolist():
        t, x = int(history.t[n]), float(history.x[n])
        newest[t] = Reading(t, x if x == x else None, int(history.flag[n]), "", int(history.arrived[n]))
    return [newest[t] for t in sorted(newest)]


def number(at: Num, site: str) -> float | None:
    """A limit at a site; None where it is off."""
    value = at.get(site) if isinstance(at, dict) else at
    return None if value is None or value != value else float(value)


def _plain(m: Match) -> dict[str, Any]:
    return {"site": m.site, "kind": m.kind, "lead_s": m.lead, "before_crossing_s": m.ahead,
            "alarm": list(m.alarm) if m.alarm else None,
            "episode": [m.episode.start, m.episode.end, m.episode.note] if m.episode else None}


def _say(lang: str, key: str, **values: object) -> str:
    return say(key, lang, **values)
