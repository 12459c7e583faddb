"""Series notation: a short text for many values, as promtool writes them, so a storm fits on one line.

Items stand apart by spaces:

    26.5          one value
    26.5x3        26.5 four times: the value and three more (as in promtool)
    26.5+0.1x12   thirteen values: 26.5, 26.6 … 27.7 (n steps make n + 1 values)
    28-0.5x2      28, 27.5, 27
    _             no reading at all in this place
    _x3           no reading in three places (here n is the count itself, as in promtool)
    nan           a reading that arrives without a value (missing); nanx3 four of them

Steps are worked out in decimals, so 26.5+0.1x5 ends in exactly 27.0.
"""
from __future__ import annotations

import re
from decimal import Decimal

MOST = 1_000_000
"""Values in one text; a slip of a finger must not fill the memory."""

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_ITEM = re.compile(rf"(?:(?P<gap>_)|(?P<nan>nan)|(?P<a>[+-]?{_NUMBER})(?P<b>[+-]{_NUMBER})?)(?:x(?P<n>[0-9]+))?")


class NotationError(ValueError):
    """A text that is no series notation; `column` (from 1) is where in the text."""

    def __init__(self, column: int, what: str) -> None:
        self.column = column
        super().__init__(f"column {column}: {what}")


def expand(text: str) -> list[float | None]:
    """The values of a text, one a place; None = no reading there, NaN = a reading without a value.

    >>> expand("26.5+0.1x2 _x2 28.9")
    [26.5, 26.6, 26.7, None, None, 28.9]
    >>> expand("1 2+x")
    Traceback (most recent call last):
    streams.packs.notation.NotationError: column 3: '2+x' is none of 5, 5x3, 5+0.1x3, _, _x3, nan
    """
    values: list[float | None] = []
    for word in re.finditer(r"\S+", text):
        values.extend(_item(word.group(), word.start() + 1, MOST - len(values)))
    if not values:
        raise NotationError(1, "no values")
    return values


def _item(word: str, column: int, room: int) -> list[float | None]:
    found = _ITEM.fullmatch(word)
    if found is None or (found["b"] and not found["n"]):
        raise NotationError(column, f"{word!r} is none of 5, 5x3, 5+0.1x3, _, _x3, nan")
    more = int(found["n"] or 0)
    if more + 1 > room:
        raise NotationError(column, f"{word!r} makes more than {MOST} values")
    if found["gap"]:
        return [None] * (more if found["n"] else 1)
    if found["nan"]:
        return [float("nan")] * (more + 1)
    first, step = Decimal(found["a"]), Decimal(found["b"] or 0)
    return [float(first + i * step) for i in range(more + 1)]
