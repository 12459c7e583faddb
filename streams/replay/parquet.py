"""Histories as parquet: the same columns as in CSV. Needs the extra `parquet` (pyarrow)."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from streams.errors import UsageError, WanglouError
from streams.history.take import Taken

CHUNK = 100_000


def is_parquet(path: Path) -> bool:
    """By its name. UsageError where it is, and pyarrow is not installed."""
    if path.suffix != ".parquet":
        return False
    if not find_spec("pyarrow"):
        raise UsageError(f"{path}: parquet needs pyarrow, which is not installed (the extra `parquet`); CSV needs nothing")
    return True


def columns(path: Path) -> list[str]:
    """The names of its columns. UsageError when there is no such file, WanglouError when it is no parquet."""
    return [str(name) for name in _asked(path, lambda: import_module("pyarrow.parquet").read_schema(path)).names]


def read(path: Path, names: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """These columns: of `numbers` as float64 where they are numbers (NaN = missing), others as categories of texts, "" = null.

    WanglouError when one is neither numbers nor texts nor times, or the file is damaged.
    """
    raw = _asked(path, lambda: pd.read_parquet(path, engine="pyarrow", columns=list(names)))
    kept = {name: name in numbers and pd.api.types.is_numeric_dtype(raw[name]) for name in names}
    try:
        return pd.DataFrame({name: raw[name].to_numpy("float64", na_value=float("nan")) if number else _texts(raw[name])
                             for name, number in kept.items()})
    except TypeError as error:
        raise WanglouError(f"{path}: a column of {', '.join(names)} holds lists or records: {error}") from None


def _asked(path: Path, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (OSError, ValueError) as error:              # ArrowInvalid is a ValueError
        raise WanglouError(f"{path}: is no parquet file: {error}") from None


def _texts(column: pd.Series) -> pd.Categorical:
    cat = column.astype("category").cat
    codes, names = pd.factorize(pd.Index([*map(_text, cat.categories), ""], dtype=object))
    return pd.Categorical.from_codes(codes[cat.codes.to_numpy()], names)       # of null, -1, the last: ""


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else f"{value:g}" if isinstance(value, float) else str(value)


def write(rows: Iterable[Taken], head: Sequence[str], out: Path) -> int:
    """Times as timestamps in µs UTC; how many rows."""
    arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    moment = arrow.timestamp("us", tz="UTC")
    kinds = (moment, arrow.string(), arrow.string(), arrow.float64(), arrow.int16(), moment)
    schema, source, count = arrow.schema(list(zip(head, kinds, strict=True))), iter(rows), 0
    with parquet.ParquetWriter(out, schema) as made:
        while part := list(islice(source, CHUNK)):
            count += len(part)
            names = [row.series.partition("@") for row in part]
            columns = ([row.t for row in part], [site for _, _, site in names], [indicator for indicator, _, _ in names],
                       [row.value for row in part], [row.flag for row in part], [row.arrived for row in part])
            made.write_table(arrow.table(list(columns), schema=schema))
    return count
