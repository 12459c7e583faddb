"""Messages with one reading each, as columns: the plain ones compiled and at once, all others one by one through the rules. Pure.

Options of the source: `series` (field with indicator@site), or `site` and `indicator`; `time`, `value`: names of fields;
`unit`: of a time that is a number, `ms`, `us` or `s`, else times are text (ISO 8601); `format`: `json` or `msgpack`.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from math import isfinite
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams import clock
from streams.errors import UsageError
from streams.feeds.decoders.json import parsed
from streams.feeds.relay import flat, packed
from streams.feeds.relay.batches import Messages
from streams.feeds.relay.flat import POWERS, SLOW, hashed
from streams.feeds.rules import ABSENT, BIGGEST, GUESSES, Row, Rules
from streams.feeds.words import Reading, Refused

UNITS = {"": 0, "iso": 0, "us": 1, "ms": 1_000, "s": 1_000_000}
FORMATS = ("json", "msgpack")
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""What a date can say, µs UTC: the years 1 to 9999."""
_unpack = msgspec.msgpack.Decoder().decode


class Columns(NamedTuple):
    """Accepted readings in the order of their messages: number of the series, t (µs), x, flag; and what was refused."""

    series: NDArray[np.int64]
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    flag: NDArray[np.uint8]
    refused: list[tuple[int, Refused]]          # offset, and what is wrong


@dataclass(frozen=True)
class Fields:
    """What the fields of a message are called. UsageError for options that mean nothing."""

    series: str
    site: str
    indicator: str
    time: str
    value: str
    unit: int
    format: str

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Fields:
        """From a source's options."""
        series, unit, form = options.get("series", ""), options.get("unit", ""), options.get("format", "json")
        if unit not in UNITS:
            raise UsageError(f"unit {unit!r}: take ms, us or s (times that are numbers), or iso")
        if form not in FORMATS:
            raise UsageError(f"format {form!r}: take json or msgpack")
        site, indicator = ("", "") if series else (options.get("site", "site"), options.get("indicator", "indicator"))
        return cls(series, site, indicator, options.get("time", "time"), options.get("value", "value"), UNITS[unit], form)

    def names(self) -> list[str]:
        """In the order that `flat` knows, then those that make a message one for the slow way."""
        return [self.series, self.site, self.indicator, self.time, self.value, "flag", "arrived"]


class Reader:
    """The messages of one source under one plan. `names[k]` is series k; `pack[k]` its pack."""

    def __init__(self, rules: Rules, fields: Fields) -> None:
        self.rules, self.fields = rules, fields
        known = list(rules.known.values())
        self.names = [k.series for k in known]
        self.number = {key: n for n, key in enumerate(rules.known)}
        self.packs = [k.pack for k in known]
        self.scale = np.array([k.scale for k in known])
        self.ahead = np.array([k.ahead for k in known], np.int64)
        encoded = [name.encode() for name in self.names]
        self._names, self._name_at = _row(encoded)
        self._keys, self._key_at = _row([name.encode() for name in fields.names()])
        self._slots = _table(encoded)
        self._found = np.empty(10, np.int64)
        self._table = (self._keys.ctypes.data, self._key_at.ctypes.data, self._slots, len(self._slots) - 1,
                       self._names.ctypes.data, self._name_at.ctypes.data, fields.unit, POWERS, self._found.ctypes.data)
        self._read: Callable[..., None] = (flat if fields.format == "json" else packed).reader()

    def read(self, messages: Messages, now: int) -> Columns:
        """Every message, read; `now` (µs UTC) is when they came."""
        n = len(messages.start)
        series, t, x = np.full(n, SLOW, np.int64), np.zeros(n, np.int64), np.zeros(n)
        flag = np.zeros(n, np.uint8)
        self._read(messages.buffer.ctypes.data, messages.start, messages.end, *self._table, series, t, x)
        if self.names:
            at = np.maximum(series, 0)
            series[(np.abs(x) > BIGGEST) | (t > now + self.ahead[at])] = SLOW
            x *= self.scale[at]
        refused: list[tuple[int, Refused]] = []
        self.rules.guesses = GUESSES
        for i in np.flatnonzero(series == SLOW).tolist():
            start, end = int(messages.start[i]), int(messages.end[i])
            found = self.one(messages.buffer[start:end].tobytes() if start >= 0 else b"", now)
            if isinstance(found, Refused):
                refused.append((int(messages.offset[i]), found))
            else:
                indicator, _, site = found.series.partition("@")
                series[i], t[i], x[i], flag[i] = self.number[site, indicator], found.t, found.x, found.flag
        if refused:
            good = series >= 0
            series, t, x, flag = series[good], t[good], x[good], flag[good]
        return Columns(series, t, x, flag, refused)

    def one(self, data: bytes, now: int) -> Reading | Refused:
        """One message, the slow way."""
        item = self._object(data)
        if isinstance(item, Refused):
            return item
        if not isinstance(item, dict):
            return Refused("field", "", f"{type(item).__name__} instead of an object with a reading", data)
        get, fields = item.get, self.fields
        site, indicator = get(fields.site, ABSENT), get(fields.indicator, ABSENT)
        if fields.series:
            name = get(fields.series, ABSENT)
            if not isinstance(name, str) or "@" not in name:
                what = f"no field `{fields.series}`" if name is ABSENT else f"`{fields.series}` is no indicator@site"
                return Refused("field", fields.series, what, data)
            indicator, _, site = name.partition("@")
        time = get(fields.time, ABSENT)
        if fields.unit and time is not ABSENT:
            text = _written(time, fields.unit)
            if text is None:
                return Refused("time", fields.time, f"`{fields.time}` is no number of {_unit(fields.unit)} since 1970", data)
            time = text
        row = Row("", "", partial(bytes, data), site, indicator, time, get(fields.value, ABSENT), get("flag", ABSENT),
                  get("arrived", ABSENT))
        return self.rules.accept(row, now)

    def _object(self, data: bytes) -> Any:
        if self.fields.format == "msgpack":
            try:
                return _unpack(data)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                return Refused("json", "", f"not MessagePack: {error}", data)
        return parsed(data, "")


def _written(time: Any, unit: int) -> str | None:
    """A number of seconds, ms or µs since 1970 as text; None where it is none, or beyond what a date can say."""
    if isinstance(time, bool) or not isinstance(time, int | float) or (isinstance(time, float) and not isfinite(time)):
        return None
    t = time * unit if isinstance(time, int) else round(time * unit)
    return clock.iso(t) if FIRST <= t <= LAST else None


def _unit(unit: int) -> str:
    return {1: "microseconds", 1_000: "milliseconds", 1_000_000: "seconds"}[unit]


def _row(texts: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Texts one behind the other, and where each begins (and the last one ends)."""
    return np.frombuffer(b"".join(texts), np.uint8), np.array([*accumulate(map(len, texts), initial=0)], np.int64)


def _table(names: list[bytes]) -> NDArray[np.int32]:
    """Where `flat.lookup` finds the number of a name: at its code, or a few places on."""
    size = 1 << max(4, (2 * len(names)).bit_length())
    slots = np.full(size, -1, np.int32)
    for n, name in enumerate(names):
        place = hashed(name) & (size - 1)
        while slots[place] >= 0:
            place = (place + 1) & (size - 1)
        slots[place] = n
    return slots
