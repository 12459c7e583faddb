"""What is played: a scenario (YAML, series notation) or a history, as readings in the order of their arrival. Pure.

A scenario: `title`, `invented`, `start` (ISO 8601 with a zone), `every`, `speed`, `source`, `tail`, and `series`:
`indicator@site: '26.5+0.1x12 _x3 28.9'` or `{every: 1h, values: '…'}`. The same text gives the same readings.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import isnan
from typing import Any, NamedTuple

import yaml

from streams.clock import iso, micros
from streams.errors import WanglouError
from streams.feeds.rules import Row, Rules
from streams.feeds.words import Reading, Refused
from streams.packs.notation import NotationError, expand
from streams.packs.units import UnitError, seconds

KEYS = {"title", "invented", "start", "every", "speed", "source", "tail", "series", "note"}
TAIL = 1800.0


class Step(NamedTuple):
    """A stretch of scenario time that ends at `at` (µs UTC): what arrived in it."""

    at: int
    readings: list[Reading]


@dataclass(frozen=True)
class Story:
    """Readings by arrival from `start` (µs UTC) on; the clock goes on for `tail` seconds after the last."""

    start: int
    readings: list[Reading]
    refused: list[Refused] = field(default_factory=list)
    title: str = ""
    invented: bool = False
    speed: float = 1.0
    source: str = ""
    tail: float = TAIL

    @property
    def end(self) -> int:
        """When the clock stops (µs UTC)."""
        return (came(self.readings[-1]) if self.readings else self.start) + int(self.tail * 1e6)

    def steps(self, width: int) -> Iterator[Step]:
        """The story cut into steps of `width` µs; a reading belongs to the step whose end it arrived before, or at."""
        at, i, n = self.start, 0, len(self.readings)
        while at < self.end or i < n:
            at += width
            first = i
            while i < n and came(self.readings[i]) <= at:
                i += 1
            yield Step(at, self.readings[first:i])


def came(reading: Reading) -> int:
    """When a reading arrived (µs UTC)."""
    return reading.t if reading.arrived is None else reading.arrived


def told(found: Iterable[Reading | Refused], start: int | None = None, **more: Any) -> Story:
    """Rows of a history, or of a scenario, as a story; it starts with its first reading unless `start` is given."""
    readings: list[Reading] = []
    refused: list[Refused] = []
    for one in found:
        if isinstance(one, Reading):
            readings.append(one)
        else:
            refused.append(one)
    readings.sort(key=came)                         # stable: what arrived together stays in the order of the file
    return Story(start if start is not None else came(readings[0]) if readings else 0, readings, refused, **more)


def scenario(text: str, rules: Rules) -> Story:
    """A scenario file. WanglouError with all its faults: a scenario is config, nothing of it is passed over."""
    try:
        body = yaml.load(text, Loader=yaml.CBaseLoader)     # every scalar stays text
    except yaml.YAMLError as error:
        raise WanglouError(f"no YAML: {error}") from None
    faults: list[str] = []
    if not isinstance(body, dict) or not isinstance(body.get("series"), dict):
        raise WanglouError("a scenario has `start`, `every` and `series: {indicator@site: notation}`")
    faults += [f"unknown key `{key}`" for key in sorted(set(body) - KEYS)]
    start, every = _number(faults, micros, body, "start"), _number(faults, seconds, body, "every", "300s")
    speed, tail = _number(faults, float, body, "speed", "1"), _number(faults, seconds, body, "tail", f"{TAIL}s")
    found: list[Reading] = []
    for name, what in body["series"].items():
        for one in _series(name, what, start, every, rules, faults):
            if isinstance(one, Refused):
                faults.append(f"{one.place}: {one.what}")
                break                               # the same fault at each of its values
            found.append(one)
    if faults:
        raise WanglouError("\n".join(faults))
    return told(found, start=int(start), title=_title(body.get("title", "")), invented=body.get("invented") == "true",
                speed=speed, source=str(body.get("source", "")), tail=tail)


def _title(title: Any) -> str:
    return " ".join(map(str, title.values())) if isinstance(title, dict) else str(title)


def _number(faults: list[str], read: Any, body: dict[str, Any], key: str, default: str = "") -> Any:
    try:
        return read(body.get(key, default))
    except (ValueError, TypeError, UnitError) as error:
        faults.append(f"{key}: {error}" if body.get(key) else f"no `{key}`")
        return 1


def _series(name: str, what: Any, start: int, every: float, rules: Rules, faults: list[str]) -> Iterator[Reading | Refused]:
    own = what if isinstance(what, dict) else {"values": what}
    every = _number(faults, seconds, own, "every", f"{every}s")
    indicator, _, site = name.partition("@")
    try:
        values = expand(str(own.get("values", "")))
    except NotationError as error:
        faults.append(f"{name}: {error}")
        return
    for i, value in enumerate(values):
        if value is not None:
            row = Row(name, ", ", name.encode, site, indicator, iso(start + round(i * every * 1e6)),
                      None if isnan(value) else value)
            yield rules.accept(row, None)
