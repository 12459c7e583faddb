"""MessagePack objects with one reading into columns, compiled: what `flat` does for JSON, on the same terms. A map of up to 15
fields with text keys; texts, whole numbers and floats (https://github.com/msgpack/msgpack/blob/master/spec.md). All else is SLOW.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from detectors import kernel
from streams.feeds.relay.flat import iso, lookup, which
from streams.feeds.relay.pointer import bytes_at, floats_at, singles_at, wholes_at

i8: Any = np.int64
TEXT, WHOLE, FLOAT, SINGLE, OTHER = range(5)
"""Kinds of a value, as `item` says them."""


def read_all(data: Any, start: Any, end: Any, keys: Any, key_at: Any, slots: Any, mask: int, names: Any, name_at: Any,
             unit: int, powers: Any, found: Any, series: Any, t: Any, x: Any) -> None:
    """As `flat.read_all`."""
    d, k, a, w = bytes_at(data), bytes_at(keys), wholes_at(key_at), bytes_at(names)
    b, f, g, h = wholes_at(name_at), wholes_at(found), floats_at(found), singles_at(found)
    for n in range(len(start)):
        series[n], t[n], x[n] = read_one(d, start[n], end[n], k, a, slots, mask, w, b, unit, f, g, h)


def read_one(data: Any, at: int, end: int, keys: Any, key_at: Any, slots: Any, mask: int, names: Any, name_at: Any, unit: int,
             found: Any, floats: Any, singles: Any) -> tuple[int, int, float]:
    """One message; `found` is scratch, `floats` and `singles` are the same bytes as numbers."""
    when, value, seen = 0, 0.0, 0
    if at < 0 or at >= end or data[at] & 240 != 128:                # a map of up to 15
        return -2, 0, 0.0
    fields = data[at] & 15
    at += 1
    for _ in range(fields):
        kind, first, last, _, at = item(data, at, end)
        if kind != 0:
            return -2, 0, 0.0
        key = which(data, first, last, keys, key_at)
        kind, first, last, whole, at = item(data, at, end)
        if key == -2 or kind == 4 or (key >= 0 and seen >> key & 1):
            return -2, 0, 0.0
        if key >= 0:
            seen |= 1 << key
        if kind == 0:
            if key == 4 or (key == 3 and unit != 0):
                return -2, 0, 0.0
            if key == 3:
                good, when = iso(data, first, last)
                if not good:
                    return -2, 0, 0.0
            elif key >= 0:
                found[2 * key], found[2 * key + 1] = first, last
            elif not plain(data, first, last):                      # only text that is UTF-8 may be passed over
                return -2, 0, 0.0
        elif 0 <= key < 3:
            return -2, 0, 0.0
        elif key == 3:
            if kind != 1 or unit == 0:
                return -2, 0, 0.0
            when = whole
        elif key == 4:
            if kind == 1:
                if abs(whole) >= 9007199254740992:
                    return -2, 0, 0.0
                value = 1.0 * whole
            else:
                found[9] = whole
                value = floats[9] if kind == 2 else 1.0 * singles[18]
                if not abs(value) < 1e300:                          # nor what is no number
                    return -2, 0, 0.0
    if at != end or not (seen == 25 or seen == 30) or abs(when) > 4_000_000_000_000_000 // max(unit, 1):
        return -2, 0, 0.0
    if seen == 25:
        k = lookup(data, found[0], found[1], 0, 0, slots, mask, names, name_at)
    else:
        k = lookup(data, found[4], found[5], found[2], found[3], slots, mask, names, name_at)
    return k, when * max(unit, 1), value


def item(data: Any, at: int, end: int) -> tuple[int, int, int, int, int]:
    """One value: its kind, where its text begins and ends, the whole number or the bits of the float, the place behind it."""
    if at >= end:
        return 4, 0, 0, 0, at
    b = i8(data[at])
    at += 1
    if b < 128:
        return 1, 0, 0, b, at
    if b >= 224:
        return 1, 0, 0, b - 256, at
    if 160 <= b < 192:
        size = b - 160
        return (0 if at + size <= end else 4), at, at + size, 0, at + size
    width = 0
    if b == 217 or b == 204 or b == 208:                            # 8 bits
        width = 1
    elif b == 218 or b == 205 or b == 209:
        width = 2
    elif b == 202 or b == 206 or b == 210:
        width = 4
    elif b == 203 or b == 207 or b == 211:
        width = 8
    if width == 0 or at + width > end:
        return 4, 0, 0, 0, at
    whole = i8(0)
    for n in range(width):
        whole = whole << 8 | i8(data[at + n])
    at += width
    if b == 217 or b == 218:
        return (0 if at + whole <= end else 4), at, at + whole, 0, at + whole
    if b == 202:
        return 3, 0, 0, whole, at
    if b == 203:
        return 2, 0, 0, whole, at
    if b == 207 and whole < 0:                                      # 2**63 and more
        return 4, 0, 0, 0, at
    if 208 <= b < 211 and whole >> (8 * width - 1):
        whole -= i8(1) << (8 * width)
    return 1, 0, 0, whole, at


def plain(data: Any, first: int, last: int) -> bool:
    """Whether a text is ASCII."""
    while first < last and data[first] < 128:
        first += 1
    return first >= last


@cache
def reader() -> Any:
    """`read_all`, compiled (from the disk cache, or now)."""
    from numba import float64, int32, int64, void

    numbers, at = int64[::1], int64
    return kernel.build(read_all, void(at, numbers, numbers, at, at, int32[::1], int64, at, at, int64, float64[::1], at, numbers,
                                       numbers, float64[::1]), True)
