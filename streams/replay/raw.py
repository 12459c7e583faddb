"""A history file as it lies: each of its rows with its line, texts as texts."""
from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from streams.errors import WanglouError
from streams.replay import parquet
from streams.replay.lines import Lines, Reject, lines, plain


@dataclass(frozen=True)
class Columns:
    """How a file's columns are named. With `values` (column -> indicator) the file is wide: `site` is then a column, or
    the one site that all rows are of.
    """

    time: str = "time"
    site: str = "site"
    arrived: str = "arrived"
    values: dict[str, str] = field(default_factory=dict)


class Raw(NamedTuple):
    """`rows` by the file's columns: values are texts or numbers, texts that repeat are categories. `line` of each row (from 1;
    of parquet its row), `torn`: row -> why.
    """

    rows: pd.DataFrame
    line: NDArray[np.int64]
    torn: dict[int, Reject]


def raw(path: Path, columns: Columns, texts: bool) -> Raw:
    """Read a CSV or parquet file. Without `texts` the values are numbers where all are. WanglouError when a column lacks."""
    if parquet.is_parquet(path):
        header = parquet.columns(path)
        _needed(path, header, columns)
        if doubled := {name for name in header if header.count(name) > 1}:
            raise WanglouError(f"{path}: column {min(doubled)!r} stands twice")
        known = (columns.time, columns.site, columns.arrived, "flag", *(columns.values or ("indicator", "value")))
        rows = parquet.read(path, [name for name in dict.fromkeys(known) if name in header], [*columns.values, "value"])
        return Raw(rows, np.arange(1, len(rows) + 1), {})
    whole = plain(path)
    found = Lines(str(path), whole[0]) if whole else lines(path)
    _needed(path, found.header, columns)
    repeated = {columns.time, columns.site, columns.arrived, "indicator", "flag"} - set(columns.values)
    kinds: dict[str, Any] = {name: "category" if name in repeated else str for name in found.header}
    if whole:
        quick = _numbers(whole[1], found.header, kinds) if not texts and not columns.values else None
        rows = _csv(BytesIO(whole[1]), found.header, kinds) if quick is None else quick
        return Raw(rows, np.arange(2, len(rows) + 2), {})
    rows = _csv(StringIO("\n".join(found.texts)), found.header, kinds) if found.texts else \
        pd.DataFrame(columns=found.header, dtype=str)
    return Raw(rows, np.array(found.numbers, np.int64), found.torn)


def _needed(path: Path, header: list[str], columns: Columns) -> None:
    needed = [columns.time, *(columns.values or (columns.site, "indicator", "value"))]
    needed += [columns.arrived] if columns.arrived != "arrived" else []
    if lacking := [name for name in needed if name not in header]:
        raise WanglouError(f"{path}:1: no column {', '.join(lacking)}; there are: {', '.join(header)}")


def _csv(source: Any, header: list[str], kinds: dict[str, Any]) -> pd.DataFrame:
    return pd.read_csv(source, names=header, dtype=kinds, na_filter=False, index_col=False, skip_blank_lines=False)


def _numbers(data: bytes, header: list[str], kinds: dict[str, Any]) -> pd.DataFrame | None:
    """The rows with numbers as values; None where one is no finite number."""
    try:
        rows = _csv(BytesIO(data), header, kinds | {"value": np.float64})
    except ValueError:
        return None
    return rows if np.isfinite(rows["value"].to_numpy()).all() else None
