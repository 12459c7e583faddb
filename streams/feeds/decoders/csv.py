"""`time,site,indicator,value[,flag][,arrived]`, or a wide table by options; UTF-8 (with or without BOM) or GBK.

Options of a source (all text): `time` (column, or `year,month,day,hour` joined), `site` (a column; of a wide table
also the one site that all rows are of), `arrived` (column), `map` (`level=river_level,rain=rain`: columns of a wide table),
`delimiter`, `encoding`, `final_newline: required` (a last line without one may be cut inside its number: refuse it).
A line is read by itself, so one stray quote or one torn line costs no other line.
"""
from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from streams.feeds.rules import ABSENT, Row, Rules, Text, meant
from streams.feeds.words import Reading, Refused

__all__ = ["read"]

_LONG = ("time", "site", "indicator", "value")
_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes, rules: Rules, now: int | None) -> Iterator[Reading | Refused]:
    """Every cell that is a value, of every line below the header."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(_MARKS) or b"\0" in data[:4096]:
        yield Refused("encoding", "line 1", "neither UTF-8 nor GBK (UTF-16 is saved as `Unicode text`: save as CSV UTF-8)", data)
        return
    lines = data.split(b"\n")
    texts = _texts(lines, data, rules.options.get("encoding", ""))
    number, head = next(((n, t) for n, t in enumerate(texts, 1) if isinstance(t, Refused) or t.strip()), (1, ""))
    if isinstance(head, Refused):
        yield head
        return
    delimiter = rules.options.get("delimiter") or next((d for d in (",", ";", "\t") if d in head), ",")
    table = _table([c.strip() for c in _split(head, delimiter) or ()], rules)
    if isinstance(table, str):
        yield Refused("field", f"line {number}", table, data)
        return
    unended = len(lines) if lines[-1].strip() else 0
    for n in range(number + 1, len(lines) + 1):
        text = texts[n - 1]
        if isinstance(text, Refused):
            yield text
        elif text.strip():
            raw = partial(_raw, lines[number - 1], lines[n - 1])
            yield from _line(f"line {n}", text, raw, delimiter, table, rules, now, n == unended)


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the cells of a line are: `values` = (column, its place in the line, its indicator; "" = a column says so)."""

    width: int
    time: tuple[int, ...]
    site: int
    at: str
    indicator: int
    values: tuple[tuple[str, int, str], ...]
    flag: int
    arrived: int


def _table(head: list[str], rules: Rules) -> _Table | str:
    """The header understood, or what is wrong with it."""
    options, place = rules.options, {name: i for i, name in enumerate(head)}
    wide = dict(pair.split("=", 1) for pair in options.get("map", "").split(",") if "=" in pair)
    wide = {column.strip(): indicator.strip() for column, indicator in wide.items()}
    times = [c.strip() for c in options.get("time", "time").split(",")]
    site, at = options.get("site", "site"), ""
    if wide and site not in place:
        at = site                             # not a column: the one site that all rows are of
    need = [*times, *([] if at else [site]), *(wide or ("indicator", "value"))]
    faults = [f"no column `{c}`{meant(c, set(head))}" for c in need if c not in place]
    if faults:
        return "; ".join(faults) + f" (the header has: {', '.join(head)[:200]})"
    return _Table(len(head), tuple(place[c] for c in times), -1 if at else place[site], at, -1 if wide else place["indicator"],
                  tuple((c, place[c], i) for c, i in wide.items()) or (("value", place["value"], ""),),
                  -1 if wide else place.get("flag", -1), place.get(options.get("arrived", "arrived"), -1))


def _line(place: str, text: str, raw: Callable[[], bytes], delimiter: str, table: _Table, rules: Rules,
          now: int | None, unended: bool) -> Iterator[Reading | Refused]:
    """The readings of one line. A line without its end that is not whole is torn, whatever else is wrong with it."""
    cells = _split(text, delimiter)
    if cells is None:
        yield Refused("torn" if unended else "field", place, "a quote that is never closed", raw())
        return
    if len(cells) != table.width:
        what = f"{len(cells)} cells, the header has {table.width}"
        yield Refused("torn" if unended and len(cells) < table.width else "field", place,
                      f"the last line is cut off: {what}" if unended else what, raw())
        return
    if unended and (not cells[-1].strip() or rules.options.get("final_newline") == "required"):
        yield Refused("torn", place, "the last line has no end: it may be cut off", raw())
        return
    time = cells[table.time[0]] if len(table.time) == 1 else _joined([cells[i] for i in table.time])
    site = table.at or cells[table.site].strip()
    flag = cells[table.flag] if table.flag >= 0 else ABSENT
    arrived = cells[table.arrived] if table.arrived >= 0 else ABSENT
    for column, i, indicator in table.values:
        found = rules.accept(Row(place, ", ", raw, site, indicator or cells[table.indicator].strip(), time.strip(),
                                 Text(cells[i]), flag, arrived, column), now)
        if unended and isinstance(found, Refused):
            yield Refused("torn", found.place, f"the last line has no end: it may be cut off: {found.what}", found.raw)
        else:
            yield found


def _split(text: str, delimiter: str) -> list[str] | None:
    if '"' not in text:
        return text.rstrip("\r").split(delimiter)
    try:
        return next(csv.reader([text.rstrip("\r")], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _joined(cells: list[str]) -> str:
    """Columns year, month, day[, hour[, minute]] as one ISO time; what is no number is left for the check of times."""
    parts = [c.strip().split(".")[0] for c in cells]
    date = "-".join(p.zfill(4 if i == 0 else 2) for i, p in enumerate(parts[:3]))
    clock = [p.zfill(2) for p in parts[3:]]
    return date + ("T" + ":".join([*clock, "00"] if len(clock) == 1 else clock) if clock else "")


def _texts(lines: list[bytes], data: bytes, encoding: str) -> list[str | Refused]:
    """Each line as text: the whole input decides for UTF-8, else for GBK (GB 18030), else each line for itself."""
    for name in (encoding,) if encoding else ("utf-8", "gb18030"):
        try:
            return list(data.decode(name).split("\n"))
        except (UnicodeDecodeError, LookupError):
            continue
    return [_text(line, n, encoding or "utf-8") for n, line in enumerate(lines, 1)]


def _text(line: bytes, number: int, encoding: str) -> str | Refused:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        return Refused("encoding", f"line {number}", f"byte {error.start + 1} of the line is neither UTF-8 nor GBK", line)
    except LookupError:
        return Refused("encoding", f"line {number}", f"no encoding {encoding!r} is known", line)


def _raw(head: bytes, line: bytes) -> bytes:
    """The line under its header, so that a reject can be read again by itself."""
    return head.rstrip(b"\r") + b"\n" + line.rstrip(b"\r") + b"\n"
