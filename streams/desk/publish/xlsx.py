"""The first sheet of an .xlsx as CSV: what a report needs of ECMA-376 (cells, shared strings, dates as numbers), no more. Pure.

Nothing is computed and nothing outside of the file is looked at; a sheet that unpacks to more than its limit is refused.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
LONGEST = 20_000_000
"""Bytes that one part may unpack to."""
CELL = re.compile(r"([A-Z]{1,3})\d+")
DAYS = (20_000, 80_000)
"""A number between these in a column `time` is a day of Excel's calendar (1954 to 2119)."""


def is_xlsx(data: bytes) -> bool:
    """Whether it looks like one."""
    return data.startswith(b"PK\x03\x04")


def as_csv(data: bytes) -> bytes:
    """The first sheet as UTF-8 CSV. ValueError when it is no spreadsheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            shared = _shared(book)
            names = sorted(
                (n for n in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)),
                key=lambda n: int("".join(c for c in n if c.isdigit())),
            )
            if not names:
                raise ValueError("there is no sheet in it")
            rows = [_row(row, shared) for row in _part(book, names[0]).iter(f"{MAIN}row")]
    except (zipfile.BadZipFile, ET.ParseError, KeyError, IndexError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"no spreadsheet that can be read: {error}") from None
    width = max((len(row) for row in rows), default=0)
    times = [i for i, name in enumerate(rows[0] if rows else []) if name.strip() == "time"]
    out = io.StringIO()
    for n, row in enumerate(rows):
        cells = row + [""] * (width - len(row))
        csv.writer(out, lineterminator="\n").writerow([_time(x) if n and i in times else x for i, x in enumerate(cells)])
    return out.getvalue().encode()


def _part(book: zipfile.ZipFile, name: str) -> ET.Element:
    if book.getinfo(name).file_size > LONGEST:
        raise ValueError(f"{name} is too large")
    data = book.read(name)
    if b"<!DOCTYPE" in data[:2000]:
        raise ValueError("a DTD is not taken")
    return ET.fromstring(data)


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [
        "".join(t.text or "" for t in item.iter(f"{MAIN}t")) for item in _part(book, "xl/sharedStrings.xml").iter(f"{MAIN}si")
    ]


def _row(row: ET.Element, shared: list[str]) -> list[str]:
    out: list[str] = []
    for cell in row.iter(f"{MAIN}c"):
        found = CELL.fullmatch(cell.get("r", ""))
        at = _column(found[1]) if found else len(out)
        out += [""] * (min(at, 200) - len(out))
        value = cell.findtext(f"{MAIN}v") or ""
        if cell.get("t") == "s":
            value = shared[int(value)]
        elif cell.get("t") == "inlineStr":
            value = "".join(t.text or "" for t in cell.iter(f"{MAIN}t"))
        out.append(value)
    return out


def _column(letters: str) -> int:
    """Its number from 0.

    >>> _column("A"), _column("Z"), _column("AB")
    (0, 25, 27)
    """
    n = 0
    for letter in letters:
        n = n * 26 + ord(letter) - 64
    return n - 1


def _time(text: str) -> str:
    """A day number as a time; what is none stays as it is.

    >>> _time("46197.09375"), _time("2026-06-24 02:15")
    ('2026-06-24 02:15:00', '2026-06-24 02:15')
    """
    try:
        days = float(text)
    except ValueError:
        return text
    if not DAYS[0] < days < DAYS[1]:
        return text
    return str(datetime(1899, 12, 30) + timedelta(seconds=round(days * 86_400)))
