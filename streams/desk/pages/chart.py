"""Charts as SVG from the server: readable without script and in print, coloured by the sheet's tokens. Pure.

No style attribute anywhere; every text from outside is escaped. More points than pixels: minimum and maximum of each bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import ceil, floor, isfinite, log10

from markupsafe import Markup, escape

from streams.desk.local import MICRO, local, number
from streams.desk.series import Reading
from streams.desk.words import ROMAN, say

WORDS = {4: "red", 3: "orange", 2: "yellow", 1: "blue"}
TICKS = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 2 * 86400, 7 * 86400)
"""Seconds between two marks of the time axis."""
BAD = (4, 9)
"""Flags whose value is no value: fail, missing."""
Limits = Sequence[tuple[int, float, bool]]
Point = tuple[int, float]


def usable(readings: Sequence[Reading]) -> list[Point]:
    """Points that count as values."""
    return [(r.t, r.value) for r in readings if r.value is not None and r.flag not in BAD]


def thin(points: list[Point], most: int) -> list[Point]:
    """At most `most` points, keeping each bin's extremes in their order.

    >>> thin([(0, 1.0), (1, 5.0), (2, 2.0), (3, 0.0)], 2)
    [(1, 5.0), (3, 0.0)]
    """
    if len(points) <= most:
        return points
    size, out = ceil(len(points) / max(1, most // 2)), []
    for i in range(0, len(points), size):
        part = points[i : i + size]
        out += sorted({min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])})
    return out


@dataclass(frozen=True)
class Frame:
    """Where values go: times `t0…t1` onto `x0…x1`, values `v0…v1` onto `y1…y0` (up is more)."""

    x0: float
    x1: float
    y0: float
    y1: float
    t0: int
    t1: int
    v0: float
    v1: float

    def x(self, t: float) -> float:
        return self.x0 + (self.x1 - self.x0) * (t - self.t0) / max(self.t1 - self.t0, 1)

    def y(self, v: float) -> float:
        where = self.y1 - (self.y1 - self.y0) * (v - self.v0) / ((self.v1 - self.v0) or 1.0)
        return min(max(where, self.y0), self.y1)

    def path(self, points: Sequence[Point], gap: float) -> str:
        """A line that breaks where more than `gap` µs lie between two points."""
        out, last = [], None
        for t, v in points:
            out.append(f"{'L' if last is not None and t - last <= gap else 'M'}{self.x(t):.1f} {self.y(v):.1f}")
            last = t
        return "".join(out)


def holes(points: Sequence[Point], start: int, end: int, gap: float) -> list[tuple[int, int]]:
    """Stretches longer than `gap` µs without a value, the silence up to `end` too."""
    times = [t for t, _ in points if t >= start]
    out = [(a, b) for a, b in pairwise(times) if b - a > gap]
    return out + ([(times[-1], end)] if times and end - times[-1] > gap else [])


def spark(readings: Sequence[Reading], limits: Limits, start: int, end: int, every: float, silent: int | None = None) -> Markup:
    """148 × 38: the last readings with the limits and hatch where nothing came. Empty where there are none."""
    gap, points = 3 * every * MICRO, usable(readings)
    if len(points) < 2:
        return Markup('<svg class="sp" viewBox="0 0 148 38" aria-hidden="true"></svg>')
    values = [v for _, v in points]
    spread = (max(values) - min(values)) or 1.0
    near = [row for row in limits if min(values) - spread <= row[1] <= max(values) + spread]
    low, high = min([*values, *(row[1] for row in near)]), max([*values, *(row[1] for row in near)])
    f = Frame(2, 142, 4.3, 33.7, start, max(end, start + 1), low, high if high > low else low + 1)
    out = ['<svg class="sp" viewBox="0 0 148 38" aria-hidden="true">']
    for a, b in holes(points, start, end if silent else points[-1][0], gap):
        out.append(
            f'<rect x="{f.x(a):.1f}" y="1" width="{f.x(b) - f.x(a) + (6 if b == end else 0):.1f}" height="36" class="gap"/>'
        )
    out += [f'<path d="M0 {f.y(v):.1f}H148" class="lim {WORDS[n]}"/>' for n, v, _ in near]
    out.append(f'<path d="{f.path(thin(points, 74), gap)}" class="ser"/>')
    out.append(f'<circle cx="{f.x(points[-1][0]):.1f}" cy="{f.y(points[-1][1]):.1f}" r="2.8" class="pt"/></svg>')
    return Markup("".join(out))


@dataclass(frozen=True)
class Evidence:
    """What the chart of a warning shows. `forecast` = from when (µs), seconds to the limit (median, low, high), the limit.

    `past` = earlier forecasts: from when and which value; the limit at its median, low and high time (µs); the limit; words.
    """

    readings: Sequence[Reading]
    limits: Limits
    start: int
    end: int
    onset: int
    now: int
    every: float
    decimals: int
    label: str
    lang: str
    silent: int | None = None
    forecast: tuple[int, float, float, float, float] | None = None
    past: Sequence[tuple[int, float, int, int, int, float, str]] = ()


def evidence(e: Evidence) -> Markup:
    """880 × 300: readings, limits, flags, silence, onset, forecast."""
    points = usable(e.readings)
    if not points:
        return Markup("")
    f = _frame(e, points)
    gap = 3 * e.every * MICRO
    out = [f'<svg class="ch" viewBox="0 0 880 300" role="img" aria-label="{escape(e.label)}">']
    out += _grid(f, e)
    for a, b in holes(points, e.start, e.end if e.silent else points[-1][0], gap):
        out.append(f'<rect x="{f.x(a):.1f}" y="10" width="{f.x(b) - f.x(a):.1f}" height="266" class="gap"/>')
        if f.x(b) - f.x(a) > 26:
            out.append(
                f'<text x="{(f.x(a) + f.x(b)) / 2:.1f}" y="270" text-anchor="middle" class="lab">'
                f"{say('fresh.none', e.lang)}</text>"
            )
    out += _limits(f, e)
    out += _past(f, e)
    out += _forecast(f, e, points[-1])
    out.append(f'<path d="{f.path(thin(points, 600), gap)}" class="ser"/>')
    out += _flags(f, e)
    out += _moments(f, e)
    return Markup("".join(out) + "</svg>")


def _frame(e: Evidence, points: list[Point]) -> Frame:
    values = [v for _, v in points]
    spread = max(values) - min(values) or abs(values[0]) * 0.1 or 1.0
    values += [v for _, v, _ in e.limits if min(values) - 1.5 * spread <= v <= max(values) + 1.5 * spread]
    pad = (max(values) - min(values) or 1.0) * 0.08
    return Frame(44, 788, 10, 276, e.start, e.end, min(values) - pad, max(values) + pad)


def _grid(f: Frame, e: Evidence) -> list[str]:
    out = []
    step = _nice((f.v1 - f.v0) / 7)
    digits = max(0, -floor(log10(step) + 1e-9))
    n = ceil(f.v0 / step)
    while n * step <= f.v1:
        y = f.y(n * step)
        out.append(
            f'<path d="M44 {y:.1f}H788" class="grid"/>'
            f'<text x="38" y="{y + 4:.1f}" text-anchor="end" class="ax">{n * step:.{digits}f}</text>'
        )
        n += 1
    days = (e.end - e.start) / MICRO / 86400
    style = "%Y-%m" if days > 120 else "%m-%d" if days > 4 else "%H:%M"
    for t in _ticks(e.start, e.end):
        out.append(
            f'<path d="M{f.x(t):.1f} 276v4" class="grid"/><text x="{f.x(t):.1f}" y="292" text-anchor="middle" class="ax">'
            f"{local(t).strftime(style)}</text>"
        )
    return out


def _ticks(start: int, end: int) -> list[int]:
    """At most eight round moments of the city's day."""
    offset = round((local(start).utcoffset() or timedelta()).total_seconds() * MICRO)
    wanted = (end - start) / 8 / MICRO
    step = next((x for x in TICKS if x >= wanted), ceil(wanted / 86400 / 30) * 30 * 86400) * MICRO
    first = -(-(start + offset) // step) * step - offset
    return list(range(first, end + 1, step))


def _nice(step: float) -> float:
    """1, 2 or 5 times a power of ten, at least `step`."""
    if not isfinite(step) or step <= 0:
        return 1.0
    base = 10.0 ** floor(log10(step))
    return next(m * base for m in (1, 2, 5, 10) if m * base >= step * 0.999)


def _limits(f: Frame, e: Evidence) -> list[str]:
    out, taken = [], 0.0
    for n, v, _ in sorted(e.limits, key=lambda row: -row[1]):
        if not f.v0 <= v <= f.v1:
            continue
        y, at = f.y(v), max(f.y(v) + 4, taken + 12)
        taken = at
        out.append(
            f'<path d="M44 {y:.1f}H788" class="lim {WORDS[n]}"/><text x="794" y="{at:.1f}" class="lt {WORDS[n]}">'
            f"{ROMAN[n]} {number(v, e.decimals)}</text>"
        )
    return out


def _forecast(f: Frame, e: Evidence, last: Point) -> list[str]:
    if e.forecast is None:
        return []
    t, mid, low, high, limit = e.forecast
    start = max(t, last[0])
    ends = [(f.x(min(t + s * MICRO, e.end)), f.y(limit)) for s in (mid, low, high)]
    x, y = f.x(start), f.y(last[1])
    band = f'<path d="M{x:.1f} {y:.1f}L{ends[1][0]:.1f} {ends[1][1]:.1f}L{ends[2][0]:.1f} {ends[2][1]:.1f}Z" class="band"/>'
    return [band, f'<path d="M{x:.1f} {y:.1f}L{ends[0][0]:.1f} {ends[0][1]:.1f}" class="fc"/>']


def _past(f: Frame, e: Evidence) -> list[str]:
    """What was expected at earlier moments, cut at the frame: a fan from the reading of then to the limit, its median dashed."""
    out = []
    scale = (f.y1 - f.y0) / ((f.v1 - f.v0) or 1.0)
    for t, value, mid, low, high, limit, words in e.past:
        x, y, top = f.x(t), f.y1 - (value - f.v0) * scale, f.y1 - (limit - f.v0) * scale
        fan = f"M{x:.1f} {y:.1f}L{f.x(low):.1f} {top:.1f}L{f.x(high):.1f} {top:.1f}Z"
        out.append(f'<g><title>{escape(words)}</title><path d="{fan}" class="band"/>'
                   f'<path d="M{x:.1f} {y:.1f}L{f.x(mid):.1f} {top:.1f}" class="fc"/></g>')
    wide, high_ = f.x1 - f.x0, f.y1 - f.y0
    box = f'<svg x="{f.x0}" y="{f.y0}" width="{wide}" height="{high_}" viewBox="{f.x0} {f.y0} {wide} {high_}">'
    return [box, *out, "</svg>"] if out else []


def _flags(f: Frame, e: Evidence) -> list[str]:
    out = []
    for r in e.readings:
        if r.value is None or r.flag not in (3, 4):
            continue
        x, y = f.x(r.t), f.y(r.value)
        mark = (
            f'<path d="M{x:.1f} {y - 6:.1f}l5.5 10h-11z" class="fl"/>'
            if r.flag == 3
            else (f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8" class="flx"/>')
        )
        out.append(f"{mark}<title>{escape(say(f'flag.{r.flag}', e.lang))} {escape(r.check)}</title>" if r.check else mark)
    return [f"<g>{x}</g>" for x in out[-60:]]


def _moments(f: Frame, e: Evidence) -> list[str]:
    out = []
    for t, text, side in (
        (e.onset, say("w.trigger", e.lang, time=f"{local(e.onset):%H:%M}"), "end"),
        (e.now, say("w.now", e.lang), "start"),
    ):
        if e.start < t <= e.end:
            dx, y = (-4, 21) if side == "end" else (4, 270)
            out.append(
                f'<path d="M{f.x(t):.1f} 10V276" class="now"/>'
                f'<text x="{f.x(t) + dx:.1f}" y="{y}" text-anchor="{side}" class="lab">{escape(text)}</text>'
            )
    return out
