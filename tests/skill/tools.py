"""What every measure of skill shares: where the open data lie, a row of the table, one detector over a history."""
from __future__ import annotations

import gzip
from collections.abc import Iterator
from csv import DictReader
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOLD = "told beside the plain rule"
"""The aim of a row that only has to be told beside the plain rule."""


@dataclass(frozen=True)
class Row:
    """One line of `make skill`. `better` = the aim is reached, or of TOLD better than the plain rule; None where nothing was asked."""

    data: str
    measure: str
    ours: str
    simple: str                     # the plain rule beside it, in the same run
    reach: str
    better: bool | None = None
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def missed(self) -> bool:
        """Whether an aim is missed: to be no better than the plain rule is one only where more than a comparison was asked."""
        return self.better is False and self.reach != TOLD

    @property
    def mark(self) -> str:
        """What the last column says."""
        if self.reach == TOLD:
            return {True: "better", False: "**not better than the plain rule**", None: ""}[self.better]
        return {True: "reached", False: "**not reached**", None: ""}[self.better]


class Absent(Exception):
    """The data set is not on this machine."""


def folder(name: str) -> Path:
    """The folder of a data set; Absent where it is not there."""
    found = DATA / name
    if not found.is_dir():
        raise Absent(f"{name}: no open data on this machine")
    return found


def micros(text: str) -> int:
    """µs UTC of an ISO time that names no zone."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV, packed or not."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        yield from DictReader(file)


def configs(name: str) -> Any:
    """The city of `tests/skill/NAME`."""
    from streams.packs import load_city

    return load_city(HERE / name)


def history(series: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]], lag: int = 0) -> Any:
    """`indicator@site` -> (t in µs UTC, values; NaN = missing) as one history; each reading arrives `lag` µs after its time."""
    import pandas as pd

    from streams.replay.history import History

    names = tuple(series)
    t = np.concatenate([series[n][0] for n in names])
    x = np.concatenate([series[n][1] for n in names])
    index = np.repeat(np.arange(len(names), dtype=np.int32), [len(series[n][0]) for n in names])
    order = np.argsort(t, kind="stable")
    return History(pd.DataFrame(index=range(len(t))), [], names, order, index[order], t[order], x[order],
                   np.zeros(len(t), np.uint8), t[order] + lag)


def scores(city: Any, made: Any, detector: str) -> NDArray[np.float64]:
    """The score of a detector at every row of the history's input, as `wanglou score` gives it (NaN = not scored)."""
    from streams.replay.score import score

    return score(city, made, detector).score


def alarms(city: Any, made: Any, detector: str, site: str, level: int) -> list[tuple[int, int]]:
    """When the detector was known to be at `level` or above (µs UTC, by arrival), as `wanglou backtest` sees it."""
    from streams.replay.judged import Judged

    return [(span.start, span.end) for span in Judged(city, made).alarms(detector, site, level)]
