"""A CSV file as lines: any of the usual encodings, and what is torn set apart with its place."""
from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from streams.errors import UsageError, WanglouError

LONGEST = 500
"""Characters of a refused line that are kept for people."""


@dataclass(frozen=True)
class Reject:
    """A line (from 1) that was not read, or a cell of it: `reason` is one word, `what` says it to people."""

    file: str
    line: int
    reason: str
    what: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass
class Lines:
    """The rows of one file: `texts` are well-formed lines of `len(header)` cells, also where a torn one was padded."""

    file: str
    header: list[str]
    texts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    torn: dict[int, Reject] = field(default_factory=dict)     # row -> why


def lines(path: Path) -> Lines:
    """Read a CSV file (UTF-8 with or without BOM, or GB 18030; `.gz` too). Blank lines are no rows.

    A row is one line: a cell may hold commas in quotes, but no line break. UsageError when there is no such file,
    WanglouError when it has no header.
    """
    text = _text(path)
    raw = text.split("\n")
    header = next(csv.reader([raw[0].rstrip("\r")]), []) if raw else []
    out = Lines(str(path), [name.strip() for name in header])
    if not any(out.header):
        raise WanglouError(f"{path}:1: a header line must stand here, such as time,site,indicator,value")
    doubled = {name for name in out.header if out.header.count(name) > 1}
    if doubled:
        raise WanglouError(f"{path}:1: column {min(doubled)!r} stands twice in the header")
    commas = len(out.header) - 1
    for number, ended in enumerate(raw[1:], 2):
        line = ended.removesuffix("\r")
        if not line.strip():
            continue
        odd = line.count(",") != commas or '"' in line or "\ufffd" in line or "\0" in line or "\r" in line
        out.texts.append(_odd(out, line, number) if odd else line)
        out.numbers.append(number)
    return out


def plain(path: Path) -> tuple[list[str], bytes] | None:
    """The header and the rows of a file in which no line needs a closer look; None where one does. No Python a line.

    UsageError when there is no such file.
    """
    data = _bytes(path).removeprefix(b"\xef\xbb\xbf")
    data = data.replace(b"\r\n", b"\n") if b"\r" in data else data
    first, _, rest = data.partition(b"\n")
    names = [name.strip() for name in first.decode("utf-8", "replace").split(",")]
    if not rest or len(names) < 2 or len(set(names)) < len(names) or not all(names) or not _clean(data):
        return None
    rest = rest if rest.endswith(b"\n") else rest + b"\n"
    return (names, rest) if all(_even(piece, len(names) - 1) for piece in pieces(rest)) else None


def pieces(rows: bytes, size: int = 1 << 20) -> Iterator[bytes]:
    """Whole lines, about `size` bytes at a time: what fits a processor's cache is read much sooner."""
    start = 0
    while start < len(rows):
        end = rows.find(b"\n", min(start + size, len(rows)) - 1) + 1
        yield rows[start:end]
        start = end


def _clean(data: bytes) -> bool:
    """UTF-8 without quotes and control characters."""
    if any(odd in data for odd in (b'"', b"\r", b"\0", b"\xef\xbf\xbd")):
        return False
    try:
        return data.isascii() or bool(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _even(rows: bytes, k: int) -> bool:
    """Whether each line has `k` commas."""
    found = np.frombuffer(rows, np.uint8)
    ends, commas = np.flatnonzero(found == ord("\n")), np.flatnonzero(found == ord(","))
    if len(commas) != len(ends) * k:
        return False
    of = commas.reshape(len(ends), k)
    return not ((of[:, -1] > ends).any() or (of[1:, 0] < ends[:-1]).any())


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _text(path: Path) -> str:
    data = _bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return data.decode("utf-8-sig", "replace")
    return data.decode("gb18030", "replace")


def _odd(out: Lines, line: str, number: int) -> str:
    """A line that needs a closer look: as it is if it holds, else padded to the right number of cells and noted."""
    cells, fault = _cells(line)
    if not fault and len(cells) != len(out.header):
        fault = "cells", f"{len(cells)} cells, the header has {len(out.header)}: torn?"
    if not fault:
        return line
    out.torn[len(out.texts)] = Reject(out.file, number, *fault, line[:LONGEST])
    kept = ["".join(c for c in cell if c not in '",\r\0') for cell in cells[:len(out.header)]]
    return ",".join(kept + [""] * (len(out.header) - len(kept)))


def _cells(line: str) -> tuple[list[str], tuple[str, str] | tuple[()]]:
    if "\ufffd" in line:
        return line.split(","), ("encoding", "bytes that are neither UTF-8 nor GB 18030")
    if "\0" in line or "\r" in line:
        return line.split(","), ("control", "a control character inside the line")
    try:
        return next(csv.reader([line], strict=True)), ()
    except csv.Error as error:
        return line.split(","), ("quotes", f"quotes do not close: {error}")


def records(path: Path) -> Iterator[tuple[int, dict[str, str], Reject | None]]:
    """The rows of a small file as (line, cells by column name, fault)."""
    found = lines(path)
    for row, cells in enumerate(csv.reader(found.texts)):
        yield found.numbers[row], dict(zip(found.header, map(str.strip, cells), strict=True)), found.torn.get(row)
