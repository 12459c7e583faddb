"""Rows of history as a file: CSV, or parquet where pyarrow is installed (it is no part of Wanglou)."""
from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from streams.errors import UsageError
from streams.history.take import Taken, line
from streams.replay.options import writable

HEAD = ("time", "site", "indicator", "value", "flag", "arrived")
CHUNK = 100_000


def write(rows: Iterable[Taken], out: Path | None) -> int:
    """Write to a file or, without one, to stdout; how many rows."""
    if out is not None and out.suffix == ".parquet":
        return _parquet(rows, out)
    stream = out.open("w", encoding="utf-8", newline="") if out else sys.stdout
    try:
        made = csv.writer(stream, lineterminator="\n")
        made.writerow(HEAD)
        count = 0
        for row in rows:
            made.writerow(line(row))
            count += 1
        return count
    finally:
        if out:
            stream.close()


def ready(out: Path) -> Path:
    """The file, made now. UsageError when it cannot be written, or is parquet without pyarrow."""
    if out.suffix == ".parquet" and not find_spec("pyarrow"):
        raise UsageError(f"{out}: parquet needs the library pyarrow, which is not installed; CSV needs nothing")
    return writable(out)


def _parquet(rows: Iterable[Taken], out: Path) -> int:
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    moment = arrow.timestamp("us", tz="UTC")
    kinds = (moment, arrow.string(), arrow.string(), arrow.float64(), arrow.int16(), moment)
    schema, source, count = arrow.schema(list(zip(HEAD, kinds, strict=True))), iter(rows), 0
    with parquet.ParquetWriter(out, schema) as made:
        while part := list(islice(source, CHUNK)):
            count += len(part)
            names = [row.series.partition("@") for row in part]
            columns = ([row.t for row in part], [site for _, _, site in names], [indicator for indicator, _, _ in names],
                       [row.value for row in part], [row.flag for row in part], [row.arrived for row in part])
            made.write_table(arrow.table(list(columns), schema=schema))
    return count
