"""Flat JSON objects into columns, compiled: `{"s":"level@a","t":1700000000000,"x":3.2}`, one a message.

It takes only what needs no thought: known names without escapes, whole numbers as times, decimal numbers of at most 15 digits
(these are exact: a whole number below 2**53 times or over a power of ten up to 22 is rounded once: W. D. Clinger 1990).
Everything else, right or wrong, is SLOW: it is read again by msgspec and the rules, which decide and say why. So what is
accepted here is accepted there, with the same bits (a property test holds this).
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from detectors import kernel
from streams.feeds.relay.pointer import bytes_at, wholes_at

i8: Any = np.int64

SLOW = -2
"""In the column of series: to be read by the slow way."""

SERIES, SITE, INDICATOR, TIME, VALUE = range(5)
POWERS = np.array([10.0**n for n in range(23)])
EXACT = 1 << 53
FNV, PRIME = 0xCBF29CE484222325 - (1 << 64), 0x100000001B3
"""FNV-1a of 64 bits, as signed numbers that wrap."""


def read_all(data: Any, start: Any, end: Any, keys: Any, key_at: Any, slots: Any, mask: int, names: Any, name_at: Any,
             unit: int, powers: Any, found: Any, series: Any, t: Any, x: Any) -> None:
    """Each message: number of its series, t (µs), x; or SLOW. `keys`: the field names, `slots`: the table of series.

    These and `data`, `names`, `found` (scratch) are addresses.
    """
    d, k, a, w = bytes_at(data), bytes_at(keys), wholes_at(key_at), bytes_at(names)
    b, f = wholes_at(name_at), wholes_at(found)
    for n in range(len(start)):
        series[n], t[n], x[n] = read_one(d, start[n], end[n], k, a, slots, mask, w, b, unit, powers, f)


def read_one(data: Any, at: int, end: int, keys: Any, key_at: Any, slots: Any, mask: int, names: Any, name_at: Any, unit: int,
             powers: Any, found: Any) -> tuple[int, int, float]:
    """One message; `found` is scratch: where the text of each field begins and ends."""
    when, value, seen = 0, 0.0, 0
    at = blank(data, at, end)
    if at >= end or at < 0 or data[at] != 123:                      # {
        return -2, 0, 0.0
    at += 1
    while True:
        first = blank(data, at, end) + 1
        last = text(data, first, end, 256)
        if last < 0:
            return -2, 0, 0.0
        key = which(data, first, last, keys, key_at)
        at = blank(data, last + 1, end)
        if key == -2 or at >= end or data[at] != 58:                # :
            return -2, 0, 0.0
        at = blank(data, at + 1, end)
        if at >= end:
            return -2, 0, 0.0
        if key >= 0:
            if seen >> key & 1:
                return -2, 0, 0.0
            seen |= 1 << key
        if data[at] == 34:                                          # "
            after = text(data, at + 1, end, 256 if 0 <= key < 3 else 128)    # a name that is known is UTF-8
            if after < 0 or key == 4 or (key == 3 and unit != 0):
                return -2, 0, 0.0
            if key == 3:
                good, when = iso(data, at + 1, after)
                if not good:
                    return -2, 0, 0.0
            elif key >= 0:
                found[2 * key], found[2 * key + 1] = at + 1, after
            at = after + 1
        else:
            whole, tens, at = number(data, at, end)
            if at < 0 or 0 <= key < 3:
                return -2, 0, 0.0
            if key == 3:
                if tens != 0 or unit == 0:
                    return -2, 0, 0.0
                when = whole
            elif key == 4:
                if abs(tens) > 22:
                    return -2, 0, 0.0
                value = whole * powers[tens] if tens >= 0 else whole / powers[-tens]
        at = blank(data, at, end)
        if at >= end:
            return -2, 0, 0.0
        if data[at] == 125:                                         # }
            break
        if data[at] != 44:                                          # ,
            return -2, 0, 0.0
        at += 1
    if blank(data, at + 1, end) != end or not (seen == 25 or seen == 30) or abs(when) > 4_000_000_000_000_000 // max(unit, 1):
        return -2, 0, 0.0
    if seen == 25:
        k = lookup(data, found[0], found[1], 0, 0, slots, mask, names, name_at)
    else:
        k = lookup(data, found[4], found[5], found[2], found[3], slots, mask, names, name_at)
    return k, when * max(unit, 1), value


def blank(data: Any, at: int, end: int) -> int:
    """Behind the white space of JSON."""
    while at < end and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


def text(data: Any, first: int, end: int, below: int) -> int:
    """Where the plain text (bytes `below`) that begins at `first`, behind its quote, ends; -1 where it is not plain, or none."""
    if first > end or first < 1 or data[first - 1] != 34:
        return -1
    for at in range(first, end):
        c = data[at]
        if c == 34:
            return at
        if c == 92 or c < 32 or c >= below:                         # escapes and controls need thought
            return -1
    return -1


def which(data: Any, first: int, last: int, keys: Any, key_at: Any) -> int:
    """The number of a field name, -1 = one that is passed over, -2 = one that must be read the slow way."""
    for k in range(7):
        size = key_at[k + 1] - key_at[k]
        if size == last - first and size > 0:
            i = 0
            while i < size and keys[key_at[k] + i] == data[first + i]:
                i += 1
            if i == size:
                return k if k < 5 else -2
    for i in range(first, last):
        if data[i] > 127:
            return -2
    return -1


def number(data: Any, at: int, end: int) -> tuple[int, int, int]:
    """A number of JSON as (whole, power of ten, place behind it); the place is -1 where it is not plain."""
    sign, whole, tens, digits = 1, 0, 0, 0
    if at < end and data[at] == 45:                                 # -
        sign = -1
        at += 1
    first = at
    while at < end and 48 <= data[at] <= 57 and digits < 18:
        whole = whole * 10 + i8(data[at]) - 48
        digits += 1
        at += 1
    if at == first or (data[first] == 48 and at - first > 1):
        return 0, 0, -1
    if at < end and data[at] == 46:                                 # .
        at += 1
        point = at
        while at < end and 48 <= data[at] <= 57 and digits < 18:
            whole = whole * 10 + i8(data[at]) - 48
            digits += 1
            at += 1
        tens = point - at
        if tens == 0:
            return 0, 0, -1
    if at < end and (data[at] == 101 or data[at] == 69):            # e
        at += 1
        minus = at < end and data[at] == 45
        if at < end and (data[at] == 45 or data[at] == 43):
            at += 1
        power, begun = 0, at
        while at < end and 48 <= data[at] <= 57 and at - begun < 4:
            power = power * 10 + i8(data[at]) - 48
            at += 1
        if at == begun:
            return 0, 0, -1
        tens += -power if minus else power
        if tens == 0:
            tens = 99                                               # no whole number as it is written: not for a time
    if (whole == 0 and sign < 0) or whole >= 9007199254740992 or (at < end and (48 <= data[at] <= 57 or data[at] == 46)):
        return 0, 0, -1
    return sign * whole, tens, at


def iso(data: Any, first: int, last: int) -> tuple[bool, int]:
    """`2026-06-19T09:05:00[.123](Z|+08:00)` as µs UTC; False for every other way to write a time."""
    if last - first < 20 or data[first + 4] != 45 or data[first + 7] != 45 or data[first + 10] != 84 \
            or data[first + 13] != 58 or data[first + 16] != 58:
        return False, 0
    year = 100 * pair(data, first) + pair(data, first + 2)
    month, day, hour = pair(data, first + 5), pair(data, first + 8), pair(data, first + 11)
    minute, second = pair(data, first + 14), pair(data, first + 17)
    at, micro = first + 19, 0
    if data[at] == 46:
        at += 1
        place = 100_000
        while at < last and 48 <= data[at] <= 57 and place > 0:
            micro += (i8(data[at]) - 48) * place
            place //= 10
            at += 1
        if place == 100_000:
            return False, 0
    offset = 0
    if at + 6 == last and (data[at] == 43 or data[at] == 45) and data[at + 3] == 58:
        hours, minutes = pair(data, at + 1), pair(data, at + 4)
        if not (0 <= hours < 24 and 0 <= minutes < 60):
            return False, 0
        offset = (60 * hours + minutes) * (1 if data[at] == 43 else -1)
    elif at + 1 != last or data[at] != 90:
        return False, 0
    if not (year >= 1900 and 0 < month < 13 and 0 < day <= days_of(year, month) and 0 <= hour < 24 and 0 <= minute < 60
            and 0 <= second < 60):
        return False, 0
    early = 1 if month < 3 else 0                                   # the year begins in March: days since 1970 (H. Hinnant)
    y = year - early
    in_era = y % 400
    of_year = (153 * (month + (9 if early else -3)) + 2) // 5 + day - 1
    days = y // 400 * 146_097 + in_era * 365 + in_era // 4 - in_era // 100 + of_year - 719_468
    return True, ((days * 86_400 + hour * 3600 + (minute - offset) * 60 + second) * 1_000_000) + micro


def pair(data: Any, at: int) -> int:
    """Two digits; very negative where they are none."""
    if 48 <= data[at] <= 57 and 48 <= data[at + 1] <= 57:
        two: int = 10 * i8(data[at]) + i8(data[at + 1]) - 528
        return two
    return -100_000


def days_of(year: int, month: int) -> int:
    """Days of a month."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


def lookup(data: Any, first: int, last: int, more: int, most: int, slots: Any, mask: int, names: Any, name_at: Any) -> int:
    """The number of a series by its name, in one piece or as indicator and site; SLOW if it is not known."""
    code = -3750763034362895579
    for i in range(first, last):
        code = (code ^ i8(data[i])) * 1099511628211
    size = last - first
    if most > 0:
        code = (code ^ 64) * 1099511628211
        for i in range(more, most):
            code = (code ^ i8(data[i])) * 1099511628211
        size += 1 + most - more
    place = (code ^ (code >> 29)) & mask
    while slots[place] >= 0:
        k = slots[place]
        if name_at[k + 1] - name_at[k] == size and same(data, first, last, more, most, names, name_at[k]):
            break
        place = (place + 1) & mask
    found: int = slots[place]
    return found if found >= 0 else -2


def same(data: Any, first: int, last: int, more: int, most: int, names: Any, at: int) -> bool:
    """Whether the name that begins at `at` is this text (or these two with an @ between)."""
    for i in range(first, last):
        if data[i] != names[at]:
            return False
        at += 1
    if most > 0:
        if names[at] != 64:
            return False
        at += 1
        for i in range(more, most):
            if data[i] != names[at]:
                return False
            at += 1
    return True


def hashed(name: bytes) -> int:
    """The code of a name, as `lookup` works it out."""
    code = FNV
    for byte in name:
        code = ((code ^ byte) * PRIME + (1 << 63)) % (1 << 64) - (1 << 63)
    return code ^ (code >> 29)


@cache
def reader() -> Any:
    """`read_all`, compiled (from the disk cache, or now)."""
    from numba import float64, int32, int64, void

    numbers, at = int64[::1], int64
    return kernel.build(read_all, void(at, numbers, numbers, at, at, int32[::1], int64, at, at, int64, float64[::1], at, numbers,
                                       numbers, float64[::1]), True)
