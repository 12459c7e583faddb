"""History goes into SQL and comes out of it as CSV: the same rows, once, in any order of vintages, and never an event."""
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from streams.cli import main
from streams.history.partitions import prepare
from streams.history.take import Chosen, measured, series, take
from streams.packs import load_city
from streams.replay.history import read
from streams.replay.stored import history
from streams.sql import engine

CONFIGS = Path(__file__).parent / "configs"
CSV = """time,site,indicator,value,flag,arrived
2026-06-19T01:00:00Z,lanxi,river_level,26.5,,2026-06-19T01:01:00Z
2026-06-19T01:05:00Z,lanxi,river_level,,,2026-06-19T01:06:00Z
2026-06-19T01:05:00Z,lanxi,river_level,26.7,3,2026-06-19T03:00:00Z
2026-06-19T01:05:00Z,lanxi,river_level,26.6,,2026-06-19T02:00:00Z
2026-06-19T01:10:00Z,zhuge,river_level,0.1,,
2026-06-19T01:10:00Z,nowhere,river_level,1,,
2026-06-19T01:15:00Z,zhuge,river_level,wet,,
"""
Wanglou = Callable[..., tuple[str, str]]


@pytest.fixture
def wanglou(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Wanglou:
    """The command line over databases of its own; what it printed."""
    monkeypatch.setenv("WANGLOU_DATA", str(tmp_path))

    def run(*words: object, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["wanglou", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said
        return said.out, said.err

    return run


def rows(database: Engine) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return [tuple(r) for r in connection.execute(text(
            'SELECT series, t, arrived, value, flag, "check", revision FROM reading ORDER BY 1, 2, 3'))]


def test_import_is_idempotent_and_export_gives_it_back(wanglou: Wanglou, tmp_path: Path) -> None:
    """Counts of rows and rejects; a second run changes nothing; what comes out goes in again as nothing new."""
    file = tmp_path / "past.csv"
    file.write_text(CSV, "utf-8")
    first = json.loads(wanglou("history", "import", file, "--configs", CONFIGS, "--json")[0])
    assert first == {"read": 5, "new": 5, "there": 0, "other": 0, "repeated": 0, "replaced": False, "rejects": 2, "series": 2}
    database = engine(f"sqlite:///{tmp_path}/history.db")
    before = rows(database)
    assert [(r[3], r[4], r[6]) for r in before] == [(26.5, 1, 0), (None, 1, 0), (26.6, 1, 1), (26.7, 3, 2), (0.1, 1, 0)]
    again = json.loads(wanglou("history", "import", file, "--configs", CONFIGS, "--json")[0])
    assert (again["new"], again["there"]) == (0, 5) and rows(database) == before

    out = tmp_path / "out.csv"
    wanglou("history", "export", "--out", out, "--vintages")
    assert len(read([out])) == 5
    back = json.loads(wanglou("history", "import", out, "--configs", CONFIGS, "--json")[0])
    assert (back["new"], back["other"], back["rejects"]) == (0, 0, 0) and rows(database) == before
    assert [p.name for p in tmp_path.glob("*.db")] == ["history.db"], "import touched more than history"


def test_another_value_of_the_same_arrival_is_left_or_replaced(wanglou: Wanglou, tmp_path: Path) -> None:
    """It is counted; only --replace takes it, and revisions are counted anew."""
    file = tmp_path / "past.csv"
    file.write_text(CSV, "utf-8")
    wanglou("history", "import", file, "--configs", CONFIGS)
    file.write_text(CSV.replace("26.6", "26.7"), "utf-8")
    said = json.loads(wanglou("history", "import", file, "--configs", CONFIGS, "--json")[0])
    database = engine(f"sqlite:///{tmp_path}/history.db")
    assert (said["other"], said["there"]) == (1, 4) and rows(database)[2][3] == 26.6
    wanglou("history", "import", file, "--configs", CONFIGS, "--replace")
    assert [(r[3], r[6]) for r in rows(database)][1:4] == [(None, 0), (26.7, 1), (26.7, 1)]


def test_export_chooses(wanglou: Wanglou, tmp_path: Path) -> None:
    """The newest vintage, as it was known at a time, of a site, within a time; what is not there is a wrong call."""
    file = tmp_path / "past.csv"
    file.write_text(CSV, "utf-8")
    wanglou("history", "import", file, "--configs", CONFIGS)
    newest = wanglou("history", "export", "--site", "lanxi")[0].splitlines()
    assert newest[2] == "2026-06-19T01:05:00Z,lanxi,river_level,26.7,3,2026-06-19T03:00:00Z" and len(newest) == 3
    known = wanglou("history", "export", "--as-of", "2026-06-19T02:30:00Z", "--since", "2026-06-19T01:05:00Z",
                    "--until", "2026-06-19T01:10:00Z")[0].splitlines()
    assert known[1:] == ["2026-06-19T01:05:00Z,lanxi,river_level,26.6,1,2026-06-19T02:00:00Z"]
    assert "did you mean" in wanglou("history", "export", "--series", "river_level@lanxy", code=2)[1]


def test_parquet_comes_back_as_it_went(wanglou: Wanglou, tmp_path: Path) -> None:
    """What was exported as parquet is imported as nothing new, vintages and missing values with it."""
    file, out = tmp_path / "past.csv", tmp_path / "past.parquet"
    file.write_text(CSV, "utf-8")
    wanglou("history", "import", file, "--configs", CONFIGS)
    assert wanglou("history", "export", "--out", out, "--vintages")[1].startswith("5 rows of 2 series")
    again = json.loads(wanglou("history", "import", out, "--configs", CONFIGS, "--json")[0])
    assert (again["read"], again["there"], again["rejects"]) == (5, 5, 0)


def test_without_pyarrow_parquet_is_refused(wanglou: Wanglou, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading and writing say what is missing, before anything is done."""
    monkeypatch.setattr("streams.replay.parquet.find_spec", lambda name: None)
    for words in (("export", "--out", tmp_path / "x.parquet"), ("import", tmp_path / "x.parquet")):
        assert "pyarrow, which is not installed" in wanglou("history", *words, code=2)[1]
    assert not (tmp_path / "x.parquet").exists()


def test_a_full_disk_is_said(wanglou: Wanglou, tmp_path: Path) -> None:
    """An export that does not fit ends with 1 and one line, not with where in a library it failed; CSV and parquet."""
    file = tmp_path / "past.csv"
    file.write_text(CSV, "utf-8")
    wanglou("history", "import", file, "--configs", CONFIGS)
    for name in ("full.csv", "full.parquet"):
        (tmp_path / name).symlink_to("/dev/full")
        said = wanglou("history", "export", "--out", tmp_path / name, code=1)[1]
        assert "No space left" in said and "it is not whole" in said and "Traceback" not in said


def test_wide_files(wanglou: Wanglou, tmp_path: Path) -> None:
    """--map makes indicators of columns."""
    file = tmp_path / "wide.csv"
    file.write_text("when,stage\n2026-06-19 09:00,26.5\n2026-06-19 09:05,NA\n", "utf-8")
    said = json.loads(wanglou("history", "import", file, "--configs", CONFIGS, "--time", "when", "--site", "lanxi", "--map",
                              "stage=river_level", "--tz", "Asia/Shanghai", "--json")[0])
    assert (said["new"], said["rejects"]) == (2, 0)


def test_what_the_judge_flagged_is_judged_anew(tmp_path: Path) -> None:
    """For a backtest, a flag of the source stays and one of our own checks goes; all vintages come, by arrival."""
    database = engine(f"sqlite:///{tmp_path}/history.db")
    prepare(database)
    with database.begin() as connection:
        for row in (("a@x", 1, 9, 5.0, 4, "range", 1), ("a@x", 1, 2, 4.0, 3, "", 0), ("b@x", 1, 5, None, 1, "late", 0)):
            connection.exec_driver_sql("INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    assert series(database) == ["a@x", "b@x"]
    past = history(database, ["a@x", "b@x"])
    assert past.arrived.tolist() == [2, 5, 9] and past.flag.tolist() == [3, 1, 0]
    assert [row.value for row in take(database, Chosen(("a@x",)))] == [5.0]


def test_history_without_a_word_is_still_the_process(wanglou: Wanglou, monkeypatch: pytest.MonkeyPatch) -> None:
    """`wanglou history` runs the stage."""
    ran: list[str] = []
    monkeypatch.setattr("streams.worker.app.run", lambda stage, name, settings: ran.append(name))
    wanglou("history")
    assert ran == ["history"]


def test_what_a_pack_is_judged_from() -> None:
    """Series that are measured, and for one that is made those that it is made of; never the made one itself."""
    assert set(measured(load_city(CONFIGS), "basin")) == {f"{i}@{s}" for i in ("river_level", "rain") for s in ("lanxi", "zhuge")}
