"""Lengths of time as people write them in tests and options: `90s`, `1h5min`, and calendar months, `3mo`."""
from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streams.clock import MICRO
from streams.packs.units import DURATIONS

_MONTHS = {"mo": 1, "month": 1, "months": 1, "quarter": 3, "y": 12, "year": 12, "years": 12}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]+)\s*")
_SINCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Offset:
    """A length of time: calendar months, then microseconds."""

    months: int = 0
    micros: int = 0

    def after(self, start: datetime, times: int = 1) -> int:
        """The moment `times` such lengths after `start` (months are counted in its zone), µs UTC.

        A day that the month lacks becomes the month's last day.
        """
        year, month = divmod(start.year * 12 + start.month - 1 + self.months * times, 12)
        first = start.replace(year=year, month=month + 1, day=1)
        length = ((first + timedelta(days=32)).replace(day=1) - first).days
        delta = first.replace(day=min(start.day, length)) - _SINCE
        return (delta.days * 86_400 + delta.seconds) * MICRO + delta.microseconds + self.micros * times


def offset(text: str) -> Offset:
    """A text as a length of time; ValueError says what is allowed. `0` and a leading minus are fine.

    >>> offset("1h5min"), offset("14mo"), offset("0")
    (Offset(months=0, micros=3900000000), Offset(months=14, micros=0), Offset(months=0, micros=0))
    """
    stripped = text.strip()
    body, sign = stripped.removeprefix("-"), -1 if stripped.startswith("-") else 1
    months = micros = place = 0
    while (part := _PART.match(body, place)) and (found := _part(*part.groups())):
        months, micros, place = months + found.months, micros + found.micros, part.end()
    if body != "0" and (not body or place != len(body)):
        raise ValueError(f"{text!r} is no length of time: write 90s, 5min, 1h30min, 2d, 1w, 3mo or 1y")
    return Offset(sign * months, sign * micros)


def _part(number: str, unit: str) -> Offset | None:
    word = unit if unit in DURATIONS else unit.removesuffix("s")
    if word in DURATIONS:
        return Offset(micros=round(float(number) * DURATIONS[word] * MICRO))
    if unit in _MONTHS and "." not in number:
        return Offset(months=int(number) * _MONTHS[unit])
    return None


def micros(text: str, option: str) -> int:
    """The length given to an option of a command, in microseconds; UsageError for months and for no length at all."""
    from streams.errors import UsageError

    try:
        found = offset(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if found.months:
        raise UsageError(f"{option}: a month has no fixed length; write days")
    return found.micros


def short(micros: int) -> str:
    """A length in microseconds as text that `offset` reads back.

    >>> short(3_900_000_000), short(0), short(-90_000_000)
    ('1h5min', '0', '-1min30s')
    """
    left, out = abs(micros), ""
    for unit in ("d", "h", "min"):
        count, left = divmod(left, round(DURATIONS[unit] * MICRO))
        out += f"{count}{unit}" if count else ""
    out += f"{left / MICRO:.6f}".rstrip("0").rstrip(".") + "s" if left else ""
    return ("-" if micros < 0 else "") + out if out else "0"
