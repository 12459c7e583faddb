"""Rows of history as a file: CSV, or parquet."""
from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

from streams.history.take import Taken, line
from streams.replay import parquet
from streams.replay.options import writable
from streams.replay.parquet import is_parquet

HEAD = ("time", "site", "indicator", "value", "flag", "arrived")


def write(rows: Iterable[Taken], out: Path | None) -> int:
    """Write to a file or, without one, to stdout; how many rows."""
    if out is not None and is_parquet(out):
        return parquet.write(rows, HEAD, out)
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
    is_parquet(out)
    return writable(out)
