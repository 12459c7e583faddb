"""`{site, indicator, time, value[, flag][, arrived]}`: one object, a list of them, or one a line (NDJSON).

Other fields are passed over. A list that is no JSON at all is refused as a whole, with its line and column; of
NDJSON only the bad line. NaN and Infinity, which are not JSON but are sent all the same, cost only their own row.
"""
from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from streams.feeds.rules import ABSENT, Row, Rules
from streams.feeds.words import Reading, Refused

__all__ = ["read"]

_FIELDS = ("site", "indicator", "time", "value")
_fast = msgspec.json.Decoder().decode


def read(data: bytes, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
    """Every object of the input; `format: ndjson` in the source's options says that each line is one."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if rules.options.get("format") == "ndjson":
        return _lines(data, rules, now)
    document = parsed(data, "")
    if not isinstance(document, Refused):
        return _rows(document, rules, now)
    first, _, rest = data.lstrip().partition(b"\n")
    if rest and first.startswith(b"{") and not isinstance(parsed(first, ""), Refused):
        return _lines(data, rules, now)
    return iter([document])


def _rows(document: Any, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
    if isinstance(document, list):
        for i, item in enumerate(document):
            yield _row(item, f"[{i}]", ".", rules, now)
    else:
        yield _row(document, "", ".", rules, now)


def _lines(data: bytes, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
    lines = data.split(b"\n")
    torn = len(lines) if lines[-1].strip() else 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        item = parsed(line, f"line {number}")
        if isinstance(item, Refused):
            cut = number == torn and item.reason == "json"
            yield Refused("torn", item.place, f"the last line is cut off: {item.what}", line) if cut else item
        else:
            yield _row(item, f"line {number}", ", ", rules, now)


def parsed(data: bytes, place: str) -> Any:
    """The value, or a Refused with line and column. The slow reader is asked only when the fast one refuses."""
    try:
        return _fast(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Refused("encoding", place, f"byte {error.start} is no UTF-8: JSON is sent as UTF-8", data)
    except json.JSONDecodeError as error:
        where = f"{place}, column {error.colno}" if place else f"line {error.lineno}, column {error.colno}"
        return Refused("json", where, f"not JSON: {error.msg}", data)
    except (ValueError, RecursionError) as error:
        return Refused("json", place, f"not JSON that can be read: {type(error).__name__}", data)


def _row(item: Any, place: str, sep: str, rules: Rules, now: int | None) -> Reading | Refused:
    if not isinstance(item, dict):
        what = f"{type(item).__name__} instead of an object {{site, indicator, time, value}}"
        return Refused("field", place, what, _bytes(item))
    get = item.get
    site, indicator, time, value = (get(name, ABSENT) for name in _FIELDS)
    return rules.accept(Row(place, sep, partial(_bytes, item), site, indicator, time, value,
                            get("flag", ABSENT), get("arrived", ABSENT)), now)


def _bytes(item: Any) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode("utf-8", "replace")
