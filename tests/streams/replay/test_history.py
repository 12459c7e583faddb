from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import micros
from streams.errors import UsageError, WanglouError
from streams.replay.history import History, read
from streams.replay.lines import plain
from streams.replay.raw import Columns

HEAD = "time,site,indicator,value,flag,arrived\n"
ROW = "2026-06-19T08:00:00+08:00,lanxi,river_level,26.5,,\n"


def history(folder: Path, text: str | bytes, tz: str = "", columns: Columns | None = None) -> History:
    """A history from one file of this text."""
    path = folder / "h.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read([path], tz, columns)


def test_columns(tmp_path: Path) -> None:
    """Every column comes through: zone, flag by number and word, a missing value, an arrival of its own."""
    found = history(tmp_path, HEAD + ROW + "2026-06-19T00:05:00Z,lanxi,river_level,,3,2026-06-20T00:00:00Z\n"
                    "2026-06-19T00:05:00.25Z,zhuge,rain, 1e1 ,suspect,\n")
    assert found.series == ("river_level@lanxi", "rain@zhuge")
    assert found.t.tolist() == [micros("2026-06-19T00:00:00Z"), micros("2026-06-19T00:05:00.25Z"), micros("2026-06-19T00:05:00Z")]
    assert found.arrived.tolist() == [*found.t[:2].tolist(), micros("2026-06-20T00:00:00Z")]
    assert found.flag.tolist() == [0, 3, 3]
    np.testing.assert_array_equal(found.x, [26.5, 10.0, np.nan])
    assert found.row.tolist() == [0, 2, 1] and not found.rejects


@pytest.mark.parametrize(("line", "reason"), [
    ("2026-06-19 08:00,lanxi,river_level,1,,", "zone"), ("yesterday,lanxi,river_level,1,,", "time"),
    (",lanxi,river_level,1,,", "time"),
    ("2026-02-30T00:00:00Z,lanxi,river_level,1,,", "time"), ("1750000000,lanxi,river_level,1,,", "time"),
    ("2026-06-19T08:00:00Z,lanxi,river_level,abc,,", "value"), ("2026-06-19T08:00:00Z,lanxi,river_level,１２,,", "value"),
    ("2026-06-19T08:00:00Z,lanxi,river_level,1e999,,", "infinite"), ("2026-06-19T08:00:00Z,lanxi,river_level,-inf,,", "infinite"),
    ("2026-06-19T08:00:00Z,,river_level,1,,", "site"), ("2026-06-19T08:00:00Z,lanxi, ,1,,", "indicator"),
    ("2026-06-19T08:00:00Z,lanxi,river_level,1,7,", "flag"), ("2026-06-19T08:00:00Z,lanxi,river_level,1,,soon", "arrived"),
    ("2026-06-19T08:00:00Z,lanxi,riv", "cells"), ("2026-06-19T08:00:00Z,lanxi,river_level,1,,,", "cells"),
    ('2026-06-19T08:00:00Z,"lanxi,river_level,1,,', "quotes"), ("2026-06-19T08:00:00Z,la\0nxi,river_level,1,,", "control"),
    ("2026-06-19T08:00:00Z,la\rnxi,river_level,1,,", "control"),
])
def test_a_bad_line_is_told_and_no_other_is_lost(tmp_path: Path, line: str, reason: str) -> None:
    """What cannot be read has its line number and reason; the readings round it are all there, in place."""
    found = history(tmp_path, HEAD + ROW + line + "\n\n" + ROW.replace("08:00:00", "08:05:00"))
    assert [(r.line, r.reason) for r in found.rejects] == [(3, reason)]
    assert found.row.tolist() == [0, 2]
    assert len(found.frame) == 3


def test_torn_last_line(tmp_path: Path) -> None:
    """A file that breaks off in the middle of a character loses that line only, and stays UTF-8 before it."""
    whole = HEAD + ROW.replace("lanxi", "兰溪") + "2026-06-19T08:05:00Z,兰"
    found = history(tmp_path, whole.encode()[:-1])
    assert found.series == ("river_level@兰溪",)
    assert [(r.line, r.reason) for r in found.rejects] == [(3, "encoding")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    """GBK and a byte order mark are read as what people saw."""
    found = history(tmp_path, (HEAD + ROW.replace("lanxi", "兰溪")).replace("\n", "\r\n").encode(encoding))
    assert found.series == ("river_level@兰溪",) and not found.rejects


def test_zone_by_name(tmp_path: Path) -> None:
    """Times without a zone are of --tz; an hour that its clock shows twice or never is refused, not guessed."""
    moments = ("1959-01-01", "2017-06-01 08:00", "2017-06-01T08:00:00Z", "2017-10-29 01:30", "2017-03-26 01:30")
    text = "time,site,indicator,value\n" + "".join(f"{t},lanxi,rain,1\n" for t in moments)
    found = history(tmp_path, text, "Europe/London")
    assert sorted(found.t.tolist()) == [micros(t) for t in (
        "1959-01-01T00:00:00Z", "2017-06-01T07:00:00Z", "2017-06-01T08:00:00Z")]
    assert [(r.line, r.reason) for r in found.rejects] == [(5, "dst"), (6, "dst")]
    with pytest.raises(UsageError, match="no such time zone"):
        history(tmp_path, text, "Mars/Olympus")


def test_wide_file(tmp_path: Path) -> None:
    """A wide file gives a reading for every mapped cell; a bad time is told once, a bad cell spoils no other."""
    text = "when,w1,w2,note\n2026-01-01,1,2,\n2026-13-01,1,2,\n2026-01-02,x,NA,\n2026-01-03,3"
    found = history(tmp_path, text, "+08:00", Columns("when", "plant", values={"w1": "flow", "w2": "level"}))
    assert found.series == ("flow@plant", "level@plant")
    np.testing.assert_array_equal(found.x, [1, 2, np.nan])
    assert [(r.line, r.reason) for r in found.rejects] == [(3, "time"), (4, "value"), (5, "cells")]
    assert len(found.frame) == 8


def test_wide_file_with_a_site_column(tmp_path: Path) -> None:
    """--site names a column where there is one, and so does --arrived: readings are in the order of their arrival."""
    text = "t,station,a,came\n2026-01-01T00:00:00Z,x,1,2026-01-03T00:00:00Z\n2026-01-01T00:00:00Z,y,2,2026-01-02T00:00:00Z\n"
    found = history(tmp_path, text, "", Columns("t", "station", "came", {"a": "no2"}))
    assert [found.series[i] for i in found.index] == ["no2@y", "no2@x"]
    assert (np.diff(found.arrived) == 86_400_000_000).all()


@pytest.mark.parametrize(("text", "error", "what"), [
    ("", WanglouError, "header"), ("time,site,value\n", WanglouError, "no column indicator; there are: time, site, value"),
    ("time,time,site\n", WanglouError, "twice"),
])
def test_bad_files(tmp_path: Path, text: str, error: type[Exception], what: str) -> None:
    """A file without the columns is refused as a whole, saying which there are."""
    with pytest.raises(error, match=what):
        history(tmp_path, text)


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is a wrong call."""
    with pytest.raises(UsageError, match=r"none\.csv: cannot be read: No such file"):
        read([tmp_path / "none.csv"])


def test_only_a_header(tmp_path: Path) -> None:
    """An empty history is no error."""
    found = history(tmp_path, HEAD)
    assert len(found) == 0 and not list(found.blocks())


def test_several_files_and_gzip(tmp_path: Path) -> None:
    """Files are one history in the order of arrival; ties keep the order of the files."""
    first, second = tmp_path / "a.csv", tmp_path / "b.csv.gz"
    first.write_text(HEAD + ROW.replace("08:00:00", "08:05:00") + ROW, "utf-8")
    second.write_bytes(gzip.compress((HEAD + ROW.replace("lanxi", "zhuge") + "bad\n").encode()))
    found = read([first, second])
    assert [found.series[i] for i in found.index] == ["river_level@lanxi", "river_level@zhuge", "river_level@lanxi"]
    assert [(Path(r.file).name, r.line) for r in found.rejects] == [("b.csv.gz", 3)]


@given(arrived=st.lists(st.integers(0, 9), min_size=1, max_size=40), size=st.integers(1, 50))
def test_blocks_hold_everything_once(tmp_path_factory: pytest.TempPathFactory, arrived: list[int], size: int) -> None:
    """Whatever the block size, the blocks are the history, in order, and no moment of arrival is split."""
    text = HEAD + "".join(f"2026-01-01T00:00:00Z,s,i,{n},,2026-01-02T00:00:0{a}Z\n" for n, a in enumerate(arrived))
    found = history(tmp_path_factory.mktemp("h"), text)
    blocks = list(found.blocks(size))
    assert [x for b in blocks for x in b.x.tolist()] == sorted(range(len(arrived)), key=lambda n: arrived[n])
    ends = [(b.arrived[0], b.arrived[-1]) for b in blocks]
    assert all(before[1] < after[0] for before, after in pairwise(ends))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_a_plain_file_reads_as_one_with_an_odd_line(tmp_path: Path, ending: str, last: bool) -> None:
    """A file without a quote and one whose first site stands in quotes are the same history, whatever ends their lines."""
    rows = [f"2026-01-0{d}T0{h}:00:00Z, a{h % 3} ,level,{d + h / 10}" for d in (1, 2, 3) for h in range(9)]
    both = []
    for name, first in (("plain", rows[0]), ("odd", rows[0].replace(" a0 ", '"a0"'))):
        text = ending.join(["time,site,indicator,value", first, *rows[1:]]) + (ending if last else "")
        (tmp_path / name).write_bytes(text.encode())
        both.append(read([tmp_path / name]))
    one, other = both

    assert plain(tmp_path / "plain") is not None and plain(tmp_path / "odd") is None
    assert one.series == other.series and len(one) == 27 and not one.rejects
    assert all(np.array_equal(getattr(one, k), getattr(other, k)) for k in ("row", "index", "t", "x", "flag", "arrived"))
    assert one.frame["line"].tolist() == other.frame["line"].tolist()
    third = read([tmp_path / "plain"], texts=False)
    assert third.frame["value"].dtype == np.float64 and np.array_equal(third.x, one.x) and np.array_equal(third.t, one.t)
