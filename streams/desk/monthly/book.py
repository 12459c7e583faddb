"""A small .xlsx by the standard library alone: sheets of texts and numbers, a bold head that stays in sight. Pure.

What ECMA-376 asks of a workbook (part 1, SpreadsheetML): content types, two relationship files, workbook, styles, sheets.
Texts are inline strings, so there is no shared table; the same rows give the same bytes.
"""
from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

Cell = str | int | float | None
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
STYLES = (f'<styleSheet xmlns="{MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
          '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2">'
          '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
          '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf xfId="0"/>'
          '<xf fontId="1" applyFont="1" xfId="0"/><xf numFmtId="9" applyNumberFormat="1" xfId="0"/></cellXfs></styleSheet>')
BOLD, PERCENT = 1, 2


@dataclass(frozen=True)
class Sheet:
    """A sheet; the first row is the head. `shares`: columns (from 0) whose numbers are shares, shown in per cent."""

    name: str
    rows: Sequence[Sequence[Cell]]
    shares: frozenset[int] = frozenset()


def book(sheets: Sequence[Sheet]) -> bytes:
    """The file. A name of a sheet has at most 31 characters and no bracket, colon or slash."""
    count = range(1, len(sheets) + 1)
    types = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>' for n in count)
    links = "".join(f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in count)
    named = "".join(f'<sheet name="{_safe(s.name)}" sheetId="{n}" r:id="rId{n}"/>' for n, s in enumerate(sheets, 1))
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
            f'<Relationship Id="rId{len(sheets) + 1}" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": STYLES,
        **{f"xl/worksheets/sheet{n}.xml": _sheet(s) for n, s in enumerate(sheets, 1)}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), HEAD + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheet(sheet: Sheet) -> str:
    width = max((len(row) for row in sheet.rows), default=1)
    cols = "".join(f'<col min="{n + 1}" max="{n + 1}" width="{_width(sheet, n)}" customWidth="1"/>' for n in range(width))
    rows = "".join(f'<row r="{n}">{"".join(_cell(sheet, n, c, x) for c, x in enumerate(row))}</row>'
                   for n, row in enumerate(sheet.rows, 1))
    return (f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
            f'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>{cols}</cols><sheetData>{rows}</sheetData>'
            '</worksheet>')


def _cell(sheet: Sheet, row: int, column: int, x: Cell) -> str:
    at, style = f'{_letters(column)}{row}', BOLD if row == 1 else PERCENT if column in sheet.shares else 0
    if x is None:
        return ""
    if isinstance(x, str):
        return f'<c r="{at}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_safe(x)}</t></is></c>'
    return f'<c r="{at}" s="{style}"><v>{x!r}</v></c>'


def _safe(text: str) -> str:
    """As XML takes it: quoted, and without the control characters that it cannot hold."""
    return escape("".join(c for c in text if c in "\t\n" or c >= " "), {'"': "&quot;"})


def _width(sheet: Sheet, column: int) -> int:
    """In characters; Chinese ones take two."""
    texts = [str(row[column]) for row in sheet.rows if column < len(row) and isinstance(row[column], str)]
    return min(60, max((sum(2 if ord(c) > 0x2E80 else 1 for c in text) for text in texts), default=8) + 2)


def _letters(n: int) -> str:
    """The name of a column.

    >>> _letters(0), _letters(25), _letters(27)
    ('A', 'Z', 'AB')
    """
    name = ""
    n += 1
    while n:
        n, rest = divmod(n - 1, 26)
        name = chr(65 + rest) + name
    return name
