"""What was forecast of a series, against what came: only what was said when a level changed is kept, so only that is shown."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.local import MICRO, moment, number, span
from streams.desk.names import said
from streams.desk.pages import chart
from streams.desk.pages.view import View
from streams.desk.tables import Event, Member
from streams.desk.words import say
from streams.events import event_of

MOST = 12
"""The newest forecasts of a view."""
FAR = 400 * 86_400 * MICRO
"""A bound so far ahead (µs) was "never"."""


@dataclass(frozen=True)
class Foretold:
    """At `t` it was said that `limit` is reached at `mid`, with 80 % between `low` and `high` (all µs UTC; None = never).

    `came` = the first good reading beyond the limit after `t`; None while there is none up to `seen`, the last good reading.
    """

    detector: str
    t: int
    value: float
    limit: float
    above: bool
    mid: int | None
    low: int | None
    high: int | None
    came: int | None = None
    seen: int = 0


def foretold(s: Session, v: View, name: str, start: int, end: int) -> list[Foretold]:
    """The forecasts that were made in a view, oldest first, each in its newest revision, with what came of it."""
    rows = s.scalars(select(Event).join(Member, Member.id == Event.member).where(
        Member.series == name, Event.time >= start, Event.time <= end).order_by(Event.time.desc(), Event.id.desc()).limit(500))
    newest: dict[tuple[str, int], Event] = {}
    for row in rows:
        old = newest.get((row.member, row.seq))
        if old is None or (row.revision, row.withdrawn) > (old.revision, old.withdrawn):
            newest[row.member, row.seq] = row
    found = [x for x in map(_of, newest.values()) if x is not None]
    return _met(sorted(found, key=lambda x: x.t)[-MOST:], v, name)


def _of(row: Event) -> Foretold | None:
    """One event as a forecast; None where it is none, or was taken back."""
    if row.withdrawn or not row.body.get("forecast"):
        return None
    c = event_of(row.body)
    if c.forecast is None or c.value is None or c.limit is None or not c.to:
        return None
    mid, low, high = (c.time + round(x * MICRO) if x == x and abs(x) * MICRO < FAR else None for x in c.forecast)
    return Foretold(c.detector, c.time, c.value, c.limit, c.direction != "low", mid, low, high)


def _met(found: list[Foretold], v: View, name: str) -> list[Foretold]:
    if not found:
        return []
    last = max(x.high or x.mid or x.t for x in found)
    points = chart.usable(v.readings.window(name, found[0].t, max(min(v.clock, 2 * last - found[0].t), last)))
    seen = points[-1][0] if points else 0
    return [replace(x, came=_came(points, x), seen=seen) for x in found]


def _came(points: Sequence[chart.Point], x: Foretold) -> int | None:
    return next((t for t, value in points if t > x.t and (value >= x.limit if x.above else value <= x.limit)), None)


def lines(found: Sequence[Foretold], v: View, decimals: int, unit: str) -> list[dict[str, Any]]:
    """A row a forecast, the newest first: when it was said, what was expected, what came."""
    return [{"at": moment(x.t, v.clock, v.lang, False), "by": _by(x, v), "limit": f"{number(x.limit, decimals)} {unit}".strip(),
             "mid": _when(x.mid, v), "band": f"{_when(x.low, v)}–{_when(x.high, v)}",
             "came": _when(x.came, v) if x.came else "", "verdict": verdict(x, v)} for x in reversed(found)]


def _by(x: Foretold, v: View) -> str:
    entry = v.names.detectors.get(x.detector)
    return (said(entry.title, v.lang) if entry else "") or x.detector.rpartition("/")[2]


def _when(t: int | None, v: View) -> str:
    return say("plans.never", v.lang) if t is None else moment(t, v.clock, v.lang, False)


def verdict(x: Foretold, v: View) -> str:
    """Within its band, before it, after it, not reached, not yet due; nobody can say where readings end before the band does."""
    if x.came is None:
        due = x.high is not None and v.clock > x.high
        return say("told.open" if not due else "told.not" if x.seen >= (x.high or 0) else "told.unknown", v.lang)
    if x.low is not None and x.came < x.low:
        return say("told.early", v.lang, span=span(x.low - x.came, v.lang))
    if x.high is not None and x.came > x.high:
        return say("told.late", v.lang, span=span(x.came - x.high, v.lang))
    return say("told.within", v.lang)


def drawn(found: Sequence[Foretold], v: View) -> list[tuple[int, float, int, int, int, float, str]]:
    """For the chart: those whose band has an end, with the words that say it."""
    return [(x.t, x.value, x.mid, x.low, x.high, x.limit, say("told.line", v.lang, at=moment(x.t, v.clock, v.lang, False),
                                                             mid=_when(x.mid, v), low=_when(x.low, v), high=_when(x.high, v)))
            for x in found if x.mid is not None and x.low is not None and x.high is not None]
