"""Pictures of a backtest as SVG: all of a history in one strip, one episode with readings, limits, alarm. Pure.

▮ observed, ● hit with its lead, ○ missed, ✕ false: by shape, not by colour, so that a black and white print says the same.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from streams.desk.local import MICRO, local
from streams.desk.pages.chart import Evidence, Frame, evidence
from streams.desk.words import say
from streams.replay.judged import Span
from streams.replay.match import Match

WIDE = Frame(110, 1180, 0, 1, 0, 1, 0, 1)
ROW = 34


@dataclass(frozen=True)
class Strip:
    """One row of the overview: what it is called, and its account."""

    title: str
    matches: Sequence[Match]


def overview(strips: Sequence[Strip], whole: Span, lang: str) -> Markup:
    """All of the history: what was observed on top, below it a row for each rule or version."""
    f = Frame(WIDE.x0, WIDE.x1, 0, 1, whole.start, max(whole.end, whole.start + 1), 0, 1)
    height = ROW * (len(strips) + 1)
    out = [f'<svg class="ch wide" viewBox="0 0 1200 {height + 24}" role="img" aria-label="{escape(say("bt.all", lang))}">']
    for t, text in _years(whole):
        out.append(f'<path d="M{f.x(t):.1f} 4V{height}" class="grid"/><text x="{f.x(t) + 3:.1f}" y="{height + 16}" class="ax">'
                   f"{text}</text>")
    out.append(_line(say("bt.observed", lang), ROW // 2))
    episodes = {(m.site, m.episode.start, m.episode.end) for s in strips for m in s.matches if m.episode}
    out += [f'<rect x="{f.x(a):.1f}" y="{ROW // 2 - 9}" width="{max(2.0, f.x(b) - f.x(a)):.1f}" height="18" class="bt-ev"/>'
            for _, a, b in sorted(episodes) if whole.start <= a <= whole.end]
    for n, strip in enumerate(strips, 1):
        y = ROW * n + ROW // 2
        out.append(_line(strip.title, y))
        out += [_mark(f.x(m.moment), f.x(m.moment - int((m.lead or 0.0) * MICRO)), y, m) for m in strip.matches
                if whole.start <= m.moment <= whole.end]
    return Markup("".join(out) + "</svg>")


def _line(title: str, y: int) -> str:
    return f'<text x="0" y="{y + 4}" class="lab">{escape(title)}</text><path d="M{WIDE.x0} {y}H{WIDE.x1}" class="grid"/>'


def _mark(x: float, lead: float, y: int, m: Match) -> str:
    words = f"<title>{escape(m.site)} {local(m.moment):%Y-%m-%d %H:%M}</title>"
    if m.kind == "false":
        return f'<g><path d="M{x - 5:.1f} {y - 5}l10 10m0 -10l-10 10" class="bt-fa"/>{words}</g>'
    line = f'<path d="M{min(lead, x):.1f} {y}H{max(lead, x):.1f}" class="bt-lead"/>' if m.lead else ""
    return f'<g>{line}<circle cx="{x:.1f}" cy="{y}" r="5" class="bt-{m.kind}"/>{words}</g>'


def _years(whole: Span) -> list[tuple[int, str]]:
    """Beginnings of years, or of months where there are few years."""
    first, last = local(whole.start), local(whole.end)
    months = (last.year - first.year) * 12 + last.month - first.month
    step = 12 if months > 36 else 3 if months > 12 else 1
    out = []
    for k in range(-(-months // step) + 1):
        m = (first.month - 1) // step * step + step * (k + 1)
        start = first.replace(year=first.year + m // 12, month=m % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
        t = int(start.timestamp()) * MICRO
        if t < whole.end:
            out.append((t, f"{start:%Y}" if step == 12 else f"{start:%Y-%m}"))
    return out


def close(e: Evidence, rows: Sequence[tuple[str, Match | None]]) -> Markup:
    """Readings with limits, and under them what was observed and what each rule did, on the same axis of time."""
    chart = evidence(e)
    f = Frame(44, 788, 0, 1, e.start, e.end, 0, 1)
    episode = next((m.episode for _, m in rows if m and m.episode), None)
    out = [f'<svg class="ch" viewBox="0 0 880 {24 * (len(rows) + 1) + 6}" aria-hidden="true">']
    out.append(_bar(f, say("bt.observed", e.lang), 14, Span(episode.start, episode.end) if episode else None, "bt-ev"))
    for n, (title, m) in enumerate(rows, 1):
        alarm = m.alarm if m else None
        out.append(_bar(f, title, 14 + 24 * n, alarm, f"bt-{m.kind}" if m else ""))
    return chart + Markup("".join(out) + "</svg>")


def _bar(f: Frame, title: str, y: int, span: Span | None, kind: str) -> str:
    out = f'<text x="794" y="{y + 4}" class="lab">{escape(title)}</text><path d="M44 {y}H788" class="grid"/>'
    if span is not None:
        a, b = max(f.x(span.start), 44.0), min(f.x(span.end), 788.0)
        out += f'<rect x="{a:.1f}" y="{y - 8}" width="{max(b - a, 2.0):.1f}" height="16" class="{kind} bt-bar"/>'
    return out


def terminal(matches: Sequence[Match], whole: Span, width: int = 72) -> str:
    """The overview as one line of text: ● hit, ○ missed, ✕ false, · nothing; the worst of each cell counts.

    >>> terminal([], Span(0, 10), 5)
    '·····'
    """
    cells = ["·"] * width
    for kind, mark in (("hit", "●"), ("false", "✕"), ("miss", "○")):
        for m in matches:
            if m.kind == kind:
                cells[min(width - 1, max(0, (m.moment - whole.start) * width // max(1, whole.end - whole.start)))] = mark
    return "".join(cells)


def around(m: Match, before: int) -> Span:
    """What a picture of a match shows (µs UTC): all of episode and alarm, and a third of that on both sides."""
    moments = [m.moment, *((m.episode.start, m.episode.end) if m.episode else ()), *(m.alarm or ())]
    start, end = min(moments), max(moments)
    if m.episode and m.alarm and m.alarm.start < m.episode.start - before:
        start = m.episode.start - before
    if m.episode and m.alarm and m.alarm.end > m.episode.end + 3 * before:
        end = m.episode.end + before
    pad = max((end - start) // 3, 3600 * MICRO)
    return Span(start - pad, end + pad)


def tidy(moments: Sequence[int]) -> float:
    """The usual distance of two readings in seconds: the middle one; 300 where there are none."""
    gaps = sorted(b - a for a, b in pairwise(moments))
    return gaps[len(gaps) // 2] / MICRO if gaps else 300.0
