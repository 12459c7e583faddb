"""Histories as parquet, as other programs write them."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.errors import UsageError, WanglouError
from streams.replay.history import read
from streams.replay.raw import Columns

TIMES = ["2026-06-19T01:00:00Z", "2026-06-19T01:05:00Z", "2026-06-19T01:10:00Z"]


def told(path: Path, tz: str = "", columns: Columns | None = None) -> tuple[list[tuple[object, ...]], list[tuple[int, str]]]:
    """The readings (series, t, x, flag, arrived), and line and reason of each reject."""
    made = read([path], tz, columns)
    rows = zip([made.series[n] for n in made.index], made.t.tolist(), made.x.tolist(), made.flag.tolist(), made.arrived.tolist(), strict=True)
    return list(rows), [(r.line, r.reason) for r in made.rejects]


def test_the_same_as_csv(tmp_path: Path) -> None:
    """Times with a zone or as timestamps, numbers, flags, arrivals and gaps are read as from CSV; a row that is no reading is named."""
    frame = pd.DataFrame({"time": TIMES, "site": "lanxi", "indicator": ["level", "level", ""], "value": [1.5, np.nan, 2.0],
                          "flag": pd.array([1, None, 3], "Int64"), "arrived": [*TIMES[1:], None]})
    frame.to_csv(tmp_path / "h.csv", index=False)
    frame.to_parquet(tmp_path / "texts.parquet")
    frame.assign(time=pd.to_datetime(frame["time"]), arrived=pd.to_datetime(frame["arrived"])).to_parquet(tmp_path / "times.parquet")
    wanted, rejects = told(tmp_path / "h.csv")

    assert len(wanted) == 2 and rejects == [(4, "indicator")]
    for name in ("texts", "times"):
        rows, lines = told(tmp_path / f"{name}.parquet")
        assert repr(rows) == repr(wanted) and lines == [(3, "indicator")]


def test_what_is_no_number(tmp_path: Path) -> None:
    """An infinite value is refused at its row, as in CSV; a column of texts is read as numbers where it can be."""
    for name, values in (("a", [1.0, np.inf]), ("b", ["1", "inf"])):
        pd.DataFrame({"time": TIMES[:2], "site": "x", "indicator": "level", "value": values}).to_parquet(tmp_path / f"{name}.parquet")
        rows, rejects = told(tmp_path / f"{name}.parquet")
        assert [row[2] for row in rows] == [1.0] and rejects == [(2, "infinite")]


def test_a_wide_file(tmp_path: Path) -> None:
    """Columns are mapped to indicators; times without a zone need one."""
    frame = pd.DataFrame({"when": pd.to_datetime(["2026-06-19 09:00", "2026-06-19 09:05"]), "stage": [1, 2], "rain": [0.5, np.nan]})
    frame.to_parquet(tmp_path / "w.parquet")
    rows, rejects = told(tmp_path / "w.parquet", "Asia/Shanghai", Columns("when", "lanxi", "arrived", {"stage": "level", "rain": "rain"}))
    assert [(row[0], row[2]) for row in rows[:3]] == [("level@lanxi", 1.0), ("rain@lanxi", 0.5), ("level@lanxi", 2.0)]
    assert np.isnan(rows[3][2]) and rejects == [] and rows[0][1] == 1_781_830_800_000_000


def test_what_is_no_parquet(tmp_path: Path) -> None:
    """A file that is not there, is none, or lacks a column is named."""
    with pytest.raises(UsageError, match=r"no\.parquet: cannot be read"):
        read([tmp_path / "no.parquet"])
    (tmp_path / "x.parquet").write_text("time,site", "utf-8")
    with pytest.raises(WanglouError, match=r"x\.parquet: is no parquet file"):
        read([tmp_path / "x.parquet"])
    pd.DataFrame({"time": TIMES}).to_parquet(tmp_path / "y.parquet")
    with pytest.raises(WanglouError, match="no column site, indicator, value"):
        read([tmp_path / "y.parquet"])


def test_what_no_reading_can_be(tmp_path: Path) -> None:
    """Columns that are not asked for are left alone; one that is asked for and holds lists, one that stands twice, a torn file: each is named."""
    good = pd.DataFrame({"time": TIMES, "site": "x", "indicator": "level", "value": [1.0, 2.0, 3.0]})
    good.assign(more=[[1], [2], [3]]).to_parquet(tmp_path / "more.parquet")
    assert len(told(tmp_path / "more.parquet")[0]) == 3
    good.assign(site=[["x"], ["y"], ["z"]]).to_parquet(tmp_path / "lists.parquet")
    with pytest.raises(WanglouError, match=r"lists\.parquet: a column of time, site, indicator, value holds lists"):
        read([tmp_path / "lists.parquet"])
    table = pa.Table.from_arrays([pa.array(TIMES)] * 2 + [pa.array(["x"] * 3)] * 2 + [pa.array([1.0] * 3)], ["time", "time", "site", "indicator", "value"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(WanglouError, match="column 'time' stands twice"):
        read([tmp_path / "twice.parquet"])
    whole = (tmp_path / "more.parquet").read_bytes()
    (tmp_path / "torn.parquet").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(WanglouError, match=r"torn\.parquet: is no parquet file"):
        read([tmp_path / "torn.parquet"])
