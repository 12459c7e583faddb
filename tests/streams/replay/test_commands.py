"""The commands over histories, run as people run them: their files, their words, their exit codes."""
from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.cli import main

CONFIGS = Path(__file__).parent / "configs"
HISTORY = "time,site,indicator,value\n" + "".join(
    f"2026-06-19T{8 + n // 12:02}:{n % 12 * 5:02}:00+08:00,lanxi,river_level,{27.5 + n / 10:.1f}\n" for n in range(24)) + (
    "2026-06-19T09:00:00+08:00,lanxi,rain,\n2026-06-19T09:00:00+08:00,nowhere,rain,1\n2026-06-19T09:30:00+08:00,zhuge,river_level,70\n"
    "2026-06-19T10:00:00+08:00,lan")


class Done(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def wanglou(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, in this process; `code` is the exit code it must have."""
    def run(*args: object, code: int = 0) -> Done:
        monkeypatch.setattr(sys, "argv", ["wanglou", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = Done(*capsys.readouterr())
        assert (ended.value.code or 0) == code, said
        return said

    return run


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A history file with a flood, a missing value, an unknown site, an impossible value and a torn end."""
    path = tmp_path / "past.csv"
    path.write_text(HISTORY, "utf-8")
    return path


def test_replay(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """Events are one object a line with the fields of the design; rejects lie beside them with line and reason."""
    out = tmp_path / "events.jsonl"
    lines = HISTORY.splitlines(keepends=True)
    past.write_text("".join([*lines[:-1], lines[-2], lines[1].replace("27.5", "27.6"), lines[-1]]), "utf-8")
    done = wanglou("replay", past, "--configs", CONFIGS, "--out", out, "--json")
    events = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    levels = [e for e in events if e["kind"] == "level"]
    assert [(e["time"], e["from"], e["to"]) for e in levels] == [("2026-06-19T00:25:00Z", "normal", "yellow")]
    assert levels[0].items() >= {"site": "lanxi", "indicator": "river_level", "detector": "basin/stage", "pack": "basin",
                                 "value": 28.0, "limit": 28.0, "seq": 1}.items()
    assert len(levels[0]["plan"]) == 16
    rejects = [json.loads(line) for line in Path(f"{out}.rejects.jsonl").read_text("utf-8").splitlines()]
    assert [(r["line"], r["reason"]) for r in rejects] == [(27, "unknown"), (31, "cells")]
    assert json.loads(done.stdout) == {"readings": 28, "events": len(events), "rejects": 2, "reasons": {"unknown": 1, "cells": 1},
                                       "not_judged": {"late": 1, "duplicate": 1}}
    assert "28 readings" in done.stderr and "2 rejects (1 unknown, 1 cells), 2 not judged (1 late, 1 duplicate)" in done.stderr


def test_as_a_process(past: Path, tmp_path: Path) -> None:
    """The installed program does the same."""
    out = tmp_path / "events.jsonl"
    command = [sys.executable, "-c", "from streams.cli import main; main()", "replay", past, "--configs", CONFIGS, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "") and "26 readings" in done.stderr
    assert out.stat().st_size > 0


def test_replay_is_the_same_again(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """Two runs give the same bytes, and a clean run leaves no rejects of an older one."""
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    wanglou("replay", past, "--configs", CONFIGS, "--out", first)
    wanglou("replay", past, "--configs", CONFIGS, "--out", second)
    assert first.read_bytes() == second.read_bytes() != b""
    past.write_text(HISTORY.splitlines()[0] + "\n" + HISTORY.splitlines()[1] + "\n", "utf-8")
    wanglou("replay", past, "--configs", CONFIGS, "--out", second)
    assert not Path(f"{second}.rejects.jsonl").exists()


def test_score(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """One row for every input row in the input's order; what was not scored has an empty score, and its words stay."""
    out = tmp_path / "scores.csv"
    wanglou("score", past, "--configs", CONFIGS, "--detector", "basin/stage", "--out", out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["time", "site", "indicator", "value", "score", "flag", "level"]
    assert [r["time"] for r in rows] == [line.split(",")[0] for line in HISTORY.splitlines()[1:]]
    assert list(rows[5].values()) == ["2026-06-19T08:25:00+08:00", "lanxi", "river_level", "28.0", "28.0", "1", "yellow"]
    assert [(r["score"], r["flag"], r["level"]) for r in rows[-4:]] == [
        ("", "9", ""), ("", "", ""), ("", "4", "normal"), ("", "", "")], "another indicator, no such site, impossible, torn"
    assert rows[-1]["site"] == "lan"


def test_backtest(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """JSON has exactly the fields of the design; without --json a table is printed."""
    labels = tmp_path / "episodes.csv"
    labels.write_text("site,level,start,end\nlanxi,,2026-06-19T09:00:00+08:00,2026-06-19T12:00:00+08:00\n", "utf-8")
    asked = ("backtest", "basin", "--configs", CONFIGS, "--history", past, "--episodes", labels)
    rows = json.loads(wanglou(*asked, "--json").stdout)
    assert list(rows[0]) == ["detector", "level", "episodes", "hits", "misses", "false_alarms", "pod", "far", "csi",
                             "lead_median_s", "lead_p10_s", "alarms_per_day", "days", "scored"]
    assert [(r["detector"], r["level"], r["hits"]) for r in rows] == [
        ("basin/stage", "yellow", 1), ("basin/stage", "orange", 0), ("basin/wet", "yellow", 0)]
    assert rows[0]["lead_median_s"] == 35 * 60 and rows[1]["lead_median_s"] is None
    plain = wanglou(*asked)
    assert "basin/stage" in plain.stdout and "POD" in plain.stdout and "past.csv:29" in plain.stderr


def test_a_packs_own_floods_of_other_years(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """Episodes of the pack that the history does not reach are named and not counted; in a file that was given they are misses."""
    folder = tmp_path / "configs"
    shutil.copytree(CONFIGS, folder)
    own = folder / "packs/basin/episodes.csv"
    own.write_text("site,level,start,end\nlanxi,,2026-06-19T09:00:00+08:00,2026-06-19T12:00:00+08:00\n"
                   "lanxi,,1998-07-25T09:00:00+08:00,1998-07-26T12:00:00+08:00\n", "utf-8")
    asked = ("backtest", "basin", "--configs", folder, "--history", past, "--json")
    mine, given = wanglou(*asked), wanglou(*asked, "--episodes", own)
    assert [json.loads(found.stdout)[0]["misses"] for found in (mine, given)] == [0, 1]
    assert "1 episodes lie outside what history holds of their site: not counted" in mine.stderr
    assert "1 episodes lie outside the history: they count as misses" in given.stderr


def test_explain(wanglou: Command, past: Path, tmp_path: Path) -> None:
    """An alert is worked out again: its events, readings with flags, limits, entry and why, and what is not there."""
    out = tmp_path / "events.jsonl"
    wanglou("replay", past, "--configs", CONFIGS, "--out", out)
    event = next(e for e in map(json.loads, out.read_text("utf-8").splitlines()) if e.get("detector") == "basin/stage")
    asked = ("explain", event["alert"], "--configs", CONFIGS, "--history", past)
    found = json.loads(wanglou(*asked, "--json").stdout)
    assert found["events"][0] == event
    assert found["limits"] == ["yellow: above 28, clears at 27.8", "orange: above 30, clears at 30, held 600 s"]
    assert found["why"] == {"zh": "超警戒水位", "en": "above the warning stage"}
    line = (CONFIGS / "packs/basin/pack.yaml").read_text("utf-8").splitlines()[int(found["file"].rpartition(":")[2]) - 1]
    assert "id: stage" in line
    assert {"series": "river_level@lanxi", "time": "2026-06-19T00:25:00Z", "arrived": "2026-06-19T00:25:00Z", "value": 28.0,
            "flag": "good", "check": ""} in found["readings"]
    assert any("begins within an hour" in line for line in found["absent"])
    plain = wanglou(*asked).stdout
    assert "normal → yellow" in plain and "超警戒水位" in plain
    lost = wanglou("explain", "0123456789abcdef", "--configs", CONFIGS, "--history", past, code=1)
    assert "does not come up" in lost.stderr and event["alert"] in lost.stderr


def test_test(wanglou: Command, tmp_path: Path) -> None:
    """A pack whose tests pass is exit 0; one wrong expectation is exit 1, with file, line, expected and got."""
    report = json.loads(wanglou("test", "basin", "--configs", CONFIGS, "--json").stdout)
    assert [(r["pack"], r["passed"], len(r["tests"])) for r in report] == [("basin", True, 3)]
    broken = tmp_path / "configs"
    shutil.copytree(CONFIGS, broken)
    path = broken / "packs/basin/tests.yaml"
    path.write_text(path.read_text("utf-8").replace("{at: 25min, detector", "{at: 30min, detector"), "utf-8")
    out = wanglou("test", "--configs", broken, code=1).stdout
    assert f"{path}:9: 30min" in out and "25min (2026-06-19T00:25:00Z) stage at lanxi: yellow" in out


@pytest.mark.parametrize(("args", "code", "what"), [
    (("replay", "none.csv", "--configs", CONFIGS, "--out", "x"), 2, "none.csv: cannot be read"),
    (("replay", "PAST", "--configs", CONFIGS, "--out", "x", "--tz", "Nowhere"), 2, "no such time zone"),
    (("replay", "PAST", "--configs", CONFIGS, "--out", "x", "--map", "a"), 2, "COLUMN=indicator"),
    (("replay", "PAST", "--configs", CONFIGS, "--out", "x", "--until", "today"), 2, "--until"),
    (("replay", "PAST", "--configs", CONFIGS, "--out", "/no/such/folder/x"), 2, "/no/such/folder/x: cannot be written"),
    (("score", "PAST", "--configs", CONFIGS, "--detector", "basin/stage", "--out", "/no/such/folder/x"), 2, "cannot be written"),
    (("score", "PAST", "--configs", CONFIGS, "--detector", "basin/stag", "--out", "x"), 2, "did you mean basin/stage?"),
    (("backtest", "bassin", "--configs", CONFIGS, "--history", "PAST", "--episodes", "e.csv"), 2, "did you mean basin?"),
    (("backtest", "basin", "--configs", CONFIGS, "--history", "PAST", "--episodes", "PAST", "--window", "3"), 2, "--window"),
])
def test_wrong_calls(wanglou: Command, past: Path, args: tuple[object, ...], code: int, what: str) -> None:
    """A wrong call is exit 2 with a line that says what would be right."""
    done = wanglou(*(past if a == "PAST" else a for a in args), code=code)
    assert what in done.stderr and "Traceback" not in done.stderr


def test_explain_a_rule_and_a_sum(wanglou: Command, tmp_path: Path) -> None:
    """An alert of a rule shows the readings of its members; one of a derived series what it was made from as well."""
    path, out = tmp_path / "h.csv", tmp_path / "events.jsonl"
    rows = [f"2026-06-19T{n // 12:02}:{n % 12 * 5:02}:00Z,{site},{name},{x}" for n in range(36)
            for site, name, x in (("lanxi", "river_level", 28 if n > 20 else 25), ("zhuge", "river_level", 28 if n > 18 else 25),
                                  ("lanxi", "rain", 5 if n > 15 else 0))]
    path.write_text("time,site,indicator,value\n" + "\n".join(rows), "utf-8")
    wanglou("replay", path, "--configs", CONFIGS, "--out", out)
    events = [e for e in map(json.loads, out.read_text("utf-8").splitlines()) if e["kind"] == "level"]
    alerts = {e.get("rule") or e["detector"]: e["alert"] for e in events}
    rule, wet = (json.loads(wanglou("explain", alerts[name], "--configs", CONFIGS, "--history", path, "--json").stdout)
                 for name in ("basin/wide", "basin/wet"))
    assert {r["series"] for r in rule["readings"]} == {"river_level@lanxi", "river_level@zhuge"}
    assert "at_least (n 2) of basin/stage" in rule["limits"][0] and any("no `why`" in line for line in rule["absent"])
    assert {r["series"] for r in wet["readings"]} == {"rain_1h@lanxi", "rain@lanxi"}
    assert ("rain_1h@lanxi", "2026-06-19T01:35:00Z", 20.0) in [(r["series"], r["time"], r["value"]) for r in wet["readings"]]
