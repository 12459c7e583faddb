"""History files read by pandas: `time,site,indicator,value[,flag][,arrived]`, or wide files by a map of columns.

Nothing is dropped in silence: every input row stays in `frame`, and what was refused is in `rejects`.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.reading import Block, Flag
from streams.replay.lines import Reject
from streams.replay.raw import Columns, raw
from streams.replay.times import times, zone

pd.set_option("mode.string_storage", "python")       # the same whether pyarrow is installed or not
EMPTY = ("", "na", "n/a", "nan", "null", "none")
"""What a cell of a missing value may hold (upper or lower case)."""
FLAGS = {"": 0, "0": 0, "none": 0} | {str(int(f)): int(f) for f in Flag} | {f.name.lower(): int(f) for f in Flag}
WHY = {"time": "no ISO 8601 time", "zone": "a time without a zone: give --tz", "site": "no site", "indicator": "no indicator",
       "dst": "a time that the clock of --tz showed twice or never", "value": "not a number", "infinite": "not a finite number",
       "arrived": "no ISO 8601 time of arrival with a zone", "flag": "no QARTOD flag (1, 2, 3, 4, 9)"}
WORDS = ("", "torn", *WHY)
"""Of a row: nothing is wrong; its line is torn; a fault of a cell. Kept as numbers: a long history is much sooner read."""
CELL = {"zone": "time", "dst": "time", "value": "value", "infinite": "value"}
"""Where a fault's word is not its column's name."""


@dataclass(frozen=True, eq=False)
class History:
    """Readings in the order of their arrival, and every input row in the input's order.

    `frame` holds the texts (file, line, time, site, indicator, value), one row for every value of the input;
    the arrays are parallel to each other: row of `frame`, index into `series`, t and arrived in µs UTC, x (NaN =
    missing), flag of the source.
    """

    frame: pd.DataFrame
    rejects: list[Reject]
    series: tuple[str, ...]
    row: NDArray[np.int64]
    index: NDArray[np.int32]
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    flag: NDArray[np.uint8]
    arrived: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t)

    def blocks(self, size: int = 65_536) -> Iterator[Block]:
        """The readings in blocks of about `size`; what arrived at one moment is never split."""
        start, n = 0, len(self.t)
        while start < n:
            end = min(start + size, n)
            if end < n:
                end = int(np.searchsorted(self.arrived, self.arrived[end - 1], "right"))
            part = slice(start, end)
            yield Block(self.series, self.index[part], self.t[part], self.x[part], self.flag[part], self.arrived[part],
                        ("",), np.zeros(end - start, np.uint8))
            start = end

    def pick(self, keep: NDArray[np.bool_]) -> History:
        """The same with only the readings of `keep` (parallel to `t`)."""
        return History(self.frame, self.rejects, self.series, *(getattr(self, name)[keep] for name in (
            "row", "index", "t", "x", "flag", "arrived")))


def read(files: Sequence[Path], tz: str = "", columns: Columns | None = None, texts: bool = True) -> History:
    """Read history files as one history. WanglouError when a column lacks, UsageError for a file or zone that is none.

    Without `texts` the values of `frame` are numbers where a file allows it, which is sooner read.
    """
    columns, place = columns or Columns(), zone(tz)
    tables = [_table(Path(file), columns, texts) for file in files]
    frame = pd.concat([table for table, _ in tables], ignore_index=True) if tables else pd.DataFrame()

    rejects = [reject for _, torn in tables for reject in torn.values()]
    for name in ("time", "arrived", "site", "indicator"):
        frame[name] = frame[name].astype("category")
    t, why = _times(frame["time"], place)
    arrived, when = _times(frame["arrived"], place, t)
    why[frame["torn"].to_numpy(bool)] = WORDS.index("torn")
    _note(why, when > 0, "arrived")
    x = _values(frame["value"], why)
    flag = _flags(frame["flag"], why)
    index, series = _series(frame, why)
    rejects += _rejects(frame, why)
    good = np.flatnonzero(why == 0)
    order = good[np.argsort(arrived[good], kind="stable")]
    return History(frame, sorted(rejects, key=lambda r: (r.file, r.line)), series, order, index[order], t[order], x[order],
                   flag[order], arrived[order])


def _table(path: Path, columns: Columns, texts: bool) -> tuple[pd.DataFrame, dict[int, Reject]]:
    """One file as the long table: file, line, torn, time, site, indicator, value, flag, arrived; and its torn rows."""
    wide, found = columns.values, raw(path, columns, texts)
    rows, k, n = found.rows, max(len(wide), 1), len(found.rows)
    out: dict[str, Any] = {"line": np.repeat(found.line, k), "torn": np.isin(np.arange(n), list(found.torn)).repeat(k)}
    for name, column in (("time", columns.time), ("site", columns.site), ("flag", "flag"), ("arrived", columns.arrived)):
        other = columns.site if name == "site" else ""
        out[name] = _category(rows[column], k, name == "site") if column in rows and column not in wide else _same(other, n * k)
    names = pd.Categorical(list(wide.values()))
    out["indicator"] = _category(rows["indicator"], 1, True) if not wide else \
        pd.Categorical.from_codes(np.tile(names.codes, n), names.categories)
    out["value"] = rows[list(wide)].to_numpy().ravel() if wide else rows["value"]
    return pd.DataFrame(out | {"file": _same(str(path), n * k)}), found.torn


def _category(column: pd.Series, k: int, strip: bool) -> pd.Categorical:
    """A column of texts that repeat, each row `k` times; each distinct text is stripped once."""
    cat = column.astype("category").cat
    codes, texts = pd.factorize(cat.categories.str.strip() if strip else cat.categories)
    each = codes[cat.codes.to_numpy()]
    return pd.Categorical.from_codes(each if k == 1 else np.repeat(each, k), texts)


def _same(text: str, n: int) -> Any:
    """A column that says the same in each row."""
    return pd.Categorical([text]).repeat(n)


def _times(column: pd.Series, tz: object, default: NDArray[np.int64] | None = None) -> tuple[NDArray[np.int64],
                                                                                                NDArray[np.uint8]]:
    """A column of times, each distinct text worked out once, and what is wrong; an empty one is `default` where that is given."""
    texts, codes = column.cat.categories, column.cat.codes.to_numpy()
    moments, wrong = times(texts, tz)  # type: ignore[arg-type]
    t, why = moments[codes], np.array([WORDS.index(word) for word in wrong], np.uint8)[codes]
    if default is not None:
        empty = codes == _code(texts, "")
        t, why = np.where(empty, default, t), np.where(empty, np.uint8(0), why)
    return t, why


def _code(texts: pd.Index, word: str) -> int:
    found = np.flatnonzero(texts == word)
    return int(found[0]) if len(found) else -2


def _note(why: NDArray[np.uint8], where: NDArray[np.bool_], word: str) -> None:
    """Give `word` to the rows of `where` that have no fault yet."""
    if where.any():
        why[where & (why == 0)] = WORDS.index(word)


def _values(column: pd.Series, why: NDArray[np.uint8]) -> NDArray[np.float64]:
    if column.dtype == np.float64:
        x = column.to_numpy(np.float64, copy=True)
        _note(why, np.isinf(x), "infinite")
        return x
    x = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, copy=True)
    doubt = np.flatnonzero(np.isnan(x))
    words = column.iloc[doubt].fillna("").str.strip().str.lower().isin(EMPTY).to_numpy(bool)
    bad = np.zeros(len(x), bool)
    bad[doubt[~words]] = True
    _note(why, bad, "value")
    _note(why, np.isinf(x), "infinite")
    return x


def _flags(column: pd.Series, why: NDArray[np.uint8]) -> NDArray[np.uint8]:
    codes, words = pd.factorize(column)
    known = np.array([FLAGS.get(str(word).strip().lower(), 255) for word in words], np.uint8)
    flag = known[codes] if len(codes) else np.zeros(0, np.uint8)
    _note(why, flag == 255, "flag")
    return flag


def _series(frame: pd.DataFrame, why: NDArray[np.uint8]) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Dictionary and index of the series names; rows without a site or an indicator are noted."""
    sites, indicators = frame["site"].cat, frame["indicator"].cat
    for name, column in (("site", sites), ("indicator", indicators)):
        _note(why, column.codes.to_numpy() == _code(column.categories, ""), name)
    width = max(len(sites.categories), 1)
    pairs = indicators.codes.to_numpy(np.int64) * width + sites.codes.to_numpy(np.int64)
    good, index = why == 0, np.zeros(len(why), np.int32)
    index[good], found = pd.factorize(pairs[good])
    return index, tuple(f"{indicators.categories[p // width]}@{sites.categories[p % width]}" for p in found.tolist())


def _rejects(frame: pd.DataFrame, why: NDArray[np.uint8]) -> list[Reject]:
    """The faults of cells (torn lines are known already); a wide line with one bad time is one reject."""
    bad = np.flatnonzero(why > WORDS.index("torn"))
    if not len(bad):
        return []
    part = frame.iloc[bad]
    found: dict[tuple[str, int, str], Reject] = {}
    for row, n in zip(part.to_dict("records"), why[bad].tolist(), strict=True):
        word = WORDS[n]
        cell = row[CELL.get(word, word)]
        what = f"{cell!r}: {WHY[word]}" if cell else WHY[word]
        text = ",".join(str(row[c]) for c in ("time", "site", "indicator", "value"))
        key = (str(row["file"]), int(row["line"]), f"{word} {row['indicator']}" if CELL.get(word) == "value" else word)
        found.setdefault(key, Reject(*key[:2], word, what, text))
    return list(found.values())
