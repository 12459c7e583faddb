"""CSV as people save it: UTF-8 with or without a BOM, or GBK; every cell knows its line and column."""
from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite, nan
from pathlib import Path

from streams.packs.faults import Faults, Place


@dataclass
class Row:
    """One line: cells by column name, stripped."""

    file: str
    line: int
    cells: dict[str, str]
    raw: str
    order: list[str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def at(self, column: str) -> Place:
        """Where a cell stands."""
        index = self.order.index(column) if column in self.order else 0
        return Place(self.file, self.line, _offset(self.raw, index) + 1)

    def number(self, column: str, faults: Faults) -> float:
        """A cell as a number; NaN when it is empty, or wrong (a fault)."""
        cell = self[column]
        if not cell:
            return nan
        try:
            value = float(cell) if "_" not in cell else nan
        except ValueError:
            value = nan
        if not isfinite(value):
            faults.add(self.at(column), f"column {column}: expected a number, got {cell!r}")
            return nan
        return value


@dataclass
class Sheet:
    """A table: its columns and rows (without empty lines and lines that start with #)."""

    file: str
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    head: Row | None = None

    def unknown(self, allowed: Iterable[str], faults: Faults) -> None:
        """Refuse columns that are none of the allowed ones."""
        for column in self.columns:
            if column not in set(allowed) and self.head:
                faults.unknown(self.head.at(column), "column", column, allowed)

    def need(self, columns: Iterable[str], faults: Faults) -> bool:
        """Whether all of these columns are there; those that are not are faults."""
        missing = [c for c in columns if c not in self.columns]
        if missing and self.head is not None:
            faults.add(Place(self.file, self.head.line), f"column {missing[0]} is missing; found: {', '.join(self.columns)}")
        return not missing


def read(path: Path, faults: Faults, name: str | None = None) -> Sheet:
    """A CSV file; what cannot be read is a fault and gives an empty sheet."""
    sheet = Sheet(name or str(path))
    text = _text(path, sheet.file, faults)
    lines = ["" if line.startswith("#") else line for line in text.replace("\r\n", "\n").split("\n")]
    try:
        for cells, line, raw in _lines(lines):
            _take(sheet, [c.strip() for c in cells], line, raw, faults)
    except csv.Error as error:
        faults.add(Place(sheet.file), f"not CSV: {error}")
    if text.strip() and sheet.head is None:
        faults.add(Place(sheet.file), "no line with the names of the columns")
    return sheet


def _text(path: Path, name: str, faults: Faults) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        faults.add(Place(name), f"cannot be read: {error.strerror}")
        return ""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    faults.add(Place(name), "neither UTF-8 nor GBK; save it as CSV UTF-8")
    return ""


def _lines(lines: list[str]) -> Iterable[tuple[list[str], int, str]]:
    reader = csv.reader(lines, strict=True)
    for cells in reader:
        raw = lines[reader.line_num - 1]
        if any(c.strip() for c in cells):
            yield cells, reader.line_num, raw


def _take(sheet: Sheet, cells: list[str], line: int, raw: str, faults: Faults) -> None:
    row = Row(sheet.file, line, dict(zip(sheet.columns, cells, strict=False)), raw, sheet.columns)
    if sheet.head is None:
        sheet.columns, sheet.head = cells, row
        row.order = cells
        for i, column in enumerate(cells):
            if column in cells[:i] or not column:
                faults.add(Place(sheet.file, line, _offset(raw, i) + 1), f"column {column!r} " +
                           ("twice" if column else "has no name"))
        return
    if len(cells) != len(sheet.columns):
        faults.add(Place(sheet.file, line), f"{len(cells)} cells under {len(sheet.columns)} columns")
    sheet.rows.append(row)


def _offset(raw: str, index: int) -> int:
    """Characters before the `index`-th cell of a line."""
    quoted, seen = False, 0
    for i, char in enumerate(raw):
        if seen == index:
            return i
        quoted ^= char == '"'
        seen += char == "," and not quoted
    return len(raw) if seen == index else 0
