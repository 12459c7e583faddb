"""What a row must be to be accepted: the sites and indicators of the plan, numbers, times, zones. Pure."""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from difflib import get_close_matches
from math import isfinite, nan
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from detectors.pack import City, FeedSource
from detectors.reading import Flag
from streams.errors import UsageError
from streams.feeds.words import Known, Reading, Refused

ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()
"""A field that the row does not have (None = it has it, and says that the value is missing)."""

BIGGEST = 1e15
"""No quantity of a city is larger; what is, is a fault of the sender (and its square would overflow in a detector)."""

AHEAD = 120_000_000
GUESSES = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_A_NUMBER = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
_FLAGS: dict[Any, int] = {int(f): int(f) for f in Flag} | {str(int(f)): int(f) for f in Flag} | {
    f.name.lower(): int(f) for f in Flag}


class Row(NamedTuple):
    """One row as a decoder found it: `place` + `sep` + a field's name says where; `raw` gives its bytes when they are needed."""

    place: str
    sep: str
    raw: Callable[[], bytes]
    site: Any
    indicator: Any
    time: Any
    value: Any
    flag: Any = ABSENT
    arrived: Any = ABSENT
    column: str = "value"


class Fault(Exception):
    """One thing wrong with one field."""

    def __init__(self, reason: str, field: str, what: str) -> None:
        self.reason, self.field, self.what = reason, field, what
        super().__init__(what)


class Rules:
    """The plan as a feed needs it, for one source: its factors (`scale`), its zone, its words for a missing value.

    Options of a source that are read here: `tz` (zone of times that have none), `missing` (comma-separated
    texts that mean no value). The decoders read their own from `options`.
    """

    def __init__(self, city: City, source: FeedSource | None = None) -> None:
        self.source = source or FeedSource("push")
        self.options: Mapping[str, str] = self.source.options
        self.known: dict[tuple[str, str], Known] = {}
        self.sites: set[str] = set(city.sites)
        self.measured: set[str] = set()
        self.derived: set[str] = set()
        for indicator in (i for pack in city.packs for i in pack.indicators):
            self.sites.update(indicator.sites)
            (self.derived if indicator.derive else self.measured).add(indicator.id)
            if indicator.derive:
                continue
            ahead = max(AHEAD, int(indicator.every * 1e6))
            scale = self.source.scale.get(indicator.id, 1.0)
            for site in indicator.sites:
                self.known[site, indicator.id] = Known(f"{indicator.id}@{site}", indicator.pack, scale, ahead)
        self.zone = zone(self.options.get("tz", ""))
        self.guesses = GUESSES
        self.missing = frozenset(m.strip().lower() for m in ("," + self.options.get("missing", "")).split(","))

    def accept(self, row: Row, now: int | None) -> Reading | Refused:
        """The row as a Reading, or as one Refused that names every fault of it."""
        faults: list[Fault] = []
        known = self._try(faults, self._known, row.site, row.indicator)
        t = self._try(faults, self._time, row.time, "time")
        x = self._try(faults, self._value, row.value)
        flag = self._try(faults, _flag, row.flag)
        came = None if row.arrived in (ABSENT, None, "") else self._try(faults, self._time, row.arrived, "arrived")
        if known is not None and x is not None:
            x *= known.scale
        if known is not None and t is not None:
            self._try(faults, _ahead, t, came if now is None else now, known.ahead)
        if faults:
            return _refusal(row, faults)
        assert known is not None and t is not None and x is not None and flag is not None
        return Reading(known.series, row.site, known.pack, t, x, flag, came)

    @staticmethod
    def _try(faults: list[Fault], check: Callable[..., Any], *args: Any) -> Any:
        try:
            return check(*args)
        except Fault as fault:
            faults.append(fault)
            return None

    def _known(self, site: Any, indicator: Any) -> Known:
        try:
            return self.known[site, indicator]
        except (KeyError, TypeError):
            pass
        for field, name in (("site", site), ("indicator", indicator)):
            if name is ABSENT:
                raise Fault("field", field, f"no field `{field}`")
            if not isinstance(name, str):
                raise Fault("field", field, f"{_short(name)} is no text")
        if indicator in self.derived:
            raise Fault("indicator", "indicator", f"{_short(indicator)} is derived from other indicators: it is not pushed")
        if indicator not in self.measured:
            raise Fault("indicator", "indicator", f"unknown indicator {_short(indicator)}{self._meant(indicator, self.measured)}")
        if site not in self.sites:
            raise Fault("site", "site", f"unknown site {_short(site)}{self._meant(site, self.sites)}")
        raise Fault("site", "site", f"{_short(indicator)} is not measured at {_short(site)}")

    def _meant(self, word: str, words: set[str]) -> str:
        """Guessing compares with every name, so a push of ten thousand unknown sites gets only the first guesses."""
        self.guesses -= 1
        return meant(word, words) if self.guesses >= 0 else ""

    def _time(self, text: Any, field: str) -> int:
        if text is ABSENT or text is None or text == "":
            raise Fault("field", field, f"no field `{field}`" if text is ABSENT else f"`{field}` is empty")
        if not isinstance(text, str):
            raise Fault("time", field, f"{_short(text)} is no time: write ISO 8601 with a zone, as 2026-06-19T09:05:00+08:00")
        try:
            when = datetime.fromisoformat(text.strip())
            if when.tzinfo is None and self.zone is None:
                raise Fault("zone", field, f"{_short(text)} has no zone: write 2026-06-19T09:05:00+08:00 or …Z")
            gap = (when if when.tzinfo else _placed(when, self.zone, field)) - _EPOCH
        except (ValueError, OverflowError):
            raise Fault("time", field, f"{_short(text)} is no time: write ISO 8601, as 2026-06-19T09:05:00+08:00") from None
        return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds

    def _value(self, value: Any) -> float:
        """A number as it is, text of a CSV cell through `text`; None and a missing word are NaN."""
        if isinstance(value, Text):
            return self._text(value)
        if value is None:
            return nan
        if value is ABSENT:
            raise Fault("field", "value", "no field `value`")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Fault("number", "value", f"{_short(value)} is no number")
        return _plausible(value)

    def _text(self, value: str) -> float:
        cell = value.strip()
        if cell.lower() in self.missing:
            return nan
        if cell.lower() in _NOT_A_NUMBER:
            raise Fault("nan", "value", f"{_short(cell)} is no value: leave it empty where there is none")
        if not _NUMBER.fullmatch(cell):
            raise Fault("number", "value", f"{_short(cell)} is no number")
        return _plausible(float(cell))


class Text(str):
    """A number written as text where text is right (a CSV cell); in JSON text for a number is a fault."""

    __slots__ = ()


def _plausible(value: float) -> float:
    if isinstance(value, float) and not isfinite(value):
        raise Fault("nan", "value", f"{value} is no value: leave it empty, or null, where there is none")
    if abs(value) > BIGGEST:
        raise Fault("number", "value", f"{_short(value)} is beyond anything measured (more than 1e15)")
    return float(value)


def zone(name: str) -> tzinfo | None:
    """`Asia/Shanghai`, `+08:00`, "" = none; UsageError for a zone that is none."""
    if not name or name.upper() in ("Z", "UTC"):
        return UTC if name else None
    try:
        return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo if name[0] in "+-" else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"no time zone {name!r}: write Asia/Shanghai or +08:00") from None


def _placed(when: datetime, place: tzinfo | None, field: str) -> datetime:
    """A time without a zone in the zone of its source."""
    there = when.replace(tzinfo=place)
    if there.utcoffset() != there.replace(fold=1).utcoffset():
        raise Fault("time", field, f"{when.isoformat()}: the clock of {place} showed it twice or never")
    return there


def _flag(value: Any) -> int:
    if value is ABSENT or value is None or value == "":
        return 0
    try:
        return _FLAGS[value.strip().lower() if isinstance(value, str) else value]
    except (KeyError, TypeError):
        raise Fault("field", "flag", f"{_short(value)} is no flag: 1 good, 2 unknown, 3 suspect, 4 fail, 9 missing") from None


def _ahead(t: int, arrived: int | None, ahead: int) -> None:
    if arrived is not None and t > arrived + ahead:
        raise Fault("future", "time", f"{(t - arrived) / 1e6:.0f} s after its arrival: are clock and zone of the sender right?")


def _refusal(row: Row, faults: list[Fault]) -> Refused:
    def at(fault: Fault) -> str:
        field = row.column if fault.field == "value" else fault.field
        return f"{row.place}{row.sep}{field}" if row.place else field

    first, *others = faults
    what = "; ".join([first.what, *(f"{at(f)}: {f.what}" for f in others)])
    return Refused(first.reason, at(first), what, row.raw())


def meant(word: str, words: set[str]) -> str:
    """`, did you mean lanxi?` or nothing.

    >>> meant("lanxj", {"lanxi", "yiwu"})
    ', did you mean lanxi?'
    """
    near = get_close_matches(word[:60], words, n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""


def _short(value: Any) -> str:
    """A value for a message: printable, never long."""
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return f"an integer of {value.bit_length()} bits"
    text = repr(value[:61]) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
