"""How the rows of tables are written down and found again: by name, piece by piece, with the layout they were written in."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import numpy as np

from detectors.event import Change
from detectors.loops import SERIES
from detectors.reading import Rows
from detectors.table import Said, Table, Waiting

LAYOUT = "#"            # a row whose name starts so describes a layout; its data is what later rows are read by
_SOURCE = SERIES.names.index("source") if SERIES.names else 0
_NONE: list[Any] = []
_FIELDS = attrgetter(*(f.name for f in fields(Change)))       # `astuple` copies each field deeply: most of the time of a snapshot


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows of one table as they were at one moment: a copy, so they may be written down later and in another thread."""

    table: Table
    rows: Rows
    data: Any                           # little-endian float64, a line a row
    sources: tuple[str, ...]
    log: dict[int, list[Any]]
    waiting: dict[int, list[Any]]

    def written(self, first: int = 0, last: int | None = None) -> Iterator[tuple[Any, ...]]:
        """(series, layout, bytes, extras) of these rows; each layout stands before the first row that has it."""
        table, known = self.table, set[str]()
        width = self.data.shape[1] * 8
        view = memoryview(self.data).cast("B") if self.data.size else memoryview(b"")
        prefix, sites, varied = f"{table.group.indicator.id}@", table.sites, table.group.varied
        named = table.live.part.shape[1] and self.data[:, table.group.at["series"].start + _SOURCE].astype(int).tolist()
        name = ""
        for n, row in enumerate(self.rows[first:last].tolist(), first):
            if varied or not name:
                name, parts = layout(table, sites[row])
                if name not in known:
                    known.add(name)
                    yield LAYOUT, name, b"", parts
            extras = [self.sources[named[n]], self.log.get(row, _NONE), self.waiting.get(row, _NONE)]
            yield prefix + sites[row], name, view[n * width:(n + 1) * width], extras


def cut(table: Table, rows: Rows, sources: list[str]) -> Cut:
    """A copy of these rows of a table; `sources`: the names behind their numbers. They count as saved from here on."""
    table.dirty[rows] = False
    table.known[rows] = True
    some = rows.tolist() if table.log or table.waiting else ()
    log = {r: [[s.detector, s.announced, list(_FIELDS(s.change))] for s in table.log[r]] for r in some if r in table.log}
    waiting = {r: [[t, list(w.values), list(w.flags), w.first, w.told, list(w.known)] for t, w in table.waiting[r].items()]
               for r in some if r in table.waiting}
    return Cut(table, rows, table.matrix[rows].astype("<f8", copy=False), tuple(sources), log, waiting)


def dump(tables: list[Table], sites: set[str] | None, sources: list[str]) -> list[tuple[Any, ...]]:
    """(series, layout, bytes, extras) of each series of the sites; first the layouts they use. Little-endian float64."""
    found: list[tuple[Any, ...]] = []
    for table in tables:
        rows = np.array([n for n, s in enumerate(table.sites) if sites is None or s in sites], np.int64)
        found += cut(table, rows, sources).written()
    layouts = {row[1]: row for row in found if row[0] == LAYOUT}
    return [*layouts.values(), *(row for row in found if row[0] != LAYOUT)]


def layout(table: Table, site: str) -> tuple[str, list[Any]]:
    """The hash of a row's layout at a site, and what it stands for; worked out once."""
    group = table.group
    key = site if group.varied else ""
    if key not in group.layouts:
        parts = [group.width, group.ring, [[p.name, p.stamp(site), p.width] for p in group.pieces],
                 [d.path for d in group.detectors]]
        group.layouts[key] = blake2b(repr(parts).encode(), digest_size=8).hexdigest(), parts
    return group.layouts[key]


def load(table_of: Mapping[str, Table], rows: Iterable[Any], sources: list[str]) -> None:
    """Put rows back where their series now is. A piece with another stamp starts anew; heads follow `was:`; `sources` grows."""
    layouts: dict[str, Any] = {}
    for series, name, data, extras in rows:
        if series == LAYOUT:
            layouts[name] = extras
            continue
        indicator, _, site = series.partition("@")
        table = table_of.get(indicator)
        if table is None or site not in table.row:
            continue
        row, old = table.row[site], np.frombuffer(data, "<f8")
        table.known[row] = True
        if layout(table, site)[0] == name:
            table.matrix[row] = old
            places = list(range(len(table.group.detectors)))
        else:
            places = _migrate(table, row, site, old, layouts[name])
        _extras(table, row, extras, places, sources)


def _migrate(table: Table, row: int, site: str, old: Any, parts: Any) -> list[int]:
    """Copy each piece that still means the same; where each old detector now is (-1 = gone)."""
    group = table.group
    width, ring, pieces, paths = parts
    renamed = {f"{d.pack}/{d.was}": d.path for d in group.detectors if d.was}
    start, at = 0, {}
    for name, stamp, size in pieces:
        label, _, path = name.partition(":")
        at[f"{label}:{renamed.get(path, path)}" if path in renamed else name] = (start, stamp, size)
        start += size
    sides = [(table.live, 0)] + ([(table.base, width if ring else 0)] if table.base is not None else [])
    for side, offset in sides:
        for piece in group.pieces:
            begin, stamp, size = at.get(piece.name, (0, "", 0))
            if 0 < size <= piece.width and stamp == piece.stamp(site):          # a piece only ever grows at its end
                first = group.at[piece.name].start
                side.part[row, first:first + size] = old[offset + begin:offset + begin + size]
    if group.ring and ring:
        n = int(old[2 * width])
        keep = min(n, group.ring)
        columns = tuple(old[2 * width + 1 + ring * c + n - keep:2 * width + 1 + ring * c + n] for c in range(4))
        table.keep(row, columns)
    table.dirty[row] = True
    new = [d.path for d in group.detectors]
    return [new.index(p) if (p := renamed.get(path, path)) in new else -1 for path in paths]


def _extras(table: Table, row: int, extras: Any, places: list[int], sources: list[str]) -> None:
    source, log, waiting = extras
    if source not in sources:
        sources.append(source)
    table.live.series["source"][row] = sources.index(source)
    said = [Said(places[d], announced, _change(c))
            for d, announced, c in log if places[d] >= 0]
    table.log.pop(row, None)                    # the same row may come again, newer: it stands for all of it
    table.waiting.pop(row, None)
    if said:
        table.log[row] = said
    if waiting:
        table.waiting[row] = {t: Waiting(values, flags, first, told, known) for t, values, flags, first, told, known in waiting}


def _change(values: list[Any]) -> Change:
    """A change from the list of its fields; fields may have been added at the end since."""
    named: dict[str, Any] = {f.name: tuple(v) if isinstance(v, list) else v for f, v in zip(fields(Change), values, strict=False)}
    return Change(**named)
