"""`wanglou check` and `wanglou kinds`, as a person and as a program call them."""
import json
import socket
import sys
from pathlib import Path

import pytest

from detectors.registry import FOLDERS, load
from streams.cli import main

PACKS = Path(__file__).parents[1] / "packs"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run one command with every socket forbidden; its exit code and output."""
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    def call(*words):
        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        monkeypatch.setattr(sys, "argv", ["wanglou", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        monkeypatch.undo()
        return ended.value.code or 0, capsys.readouterr()

    return call


def test_a_good_folder(run):
    """Exit 0, hints, and one line that says how much there is."""
    code, said = run("check", "--configs", PACKS / "good")
    assert code == 0
    assert said.out.splitlines()[-1] == "2 packs, 3 sites, 16 series, 7 detectors, 1 rules, 0 faults, hints: 3"


def test_a_folder_with_faults(run, tmp_path):
    """Exit 1, every fault on a line of its own with its place, then the summary."""
    (tmp_path / "pack.yaml").write_text(
        "wanglou: 1\npack: x\nindicators:\n  a: {unit: mm, silnt: 5min}\n  b: {unit: qq, silent: never}\n")
    (tmp_path / "sites.csv").write_text("site,limit\ns,5\ns,6\n")
    code, said = run("check", "--configs", tmp_path)
    lines = said.out.splitlines()
    assert code == 1
    assert lines[0].startswith(f"{tmp_path}/pack.yaml:4:17: unknown key of indicator a 'silnt'; did you mean silent?")
    assert lines[1].startswith(f"{tmp_path}/pack.yaml:5:13: unit: unknown unit 'qq'")
    assert lines[2] == f"{tmp_path}/sites.csv:3:1: duplicate site 's', first at line 2"
    assert ", 3 faults, " in lines[-1]


def test_json(run):
    """One object with counts, faults and hints, each with its place."""
    code, said = run("check", "rain", "--configs", PACKS / "good", "--json")
    found = json.loads(said.out)
    assert (code, found["packs"], found["detectors"], found["faults"], found["hints"]) == (0, 1, 1, [], [])


def test_a_wrong_call(run, tmp_path):
    """A pack or a folder that is not there is a wrong call: exit 2, on stderr."""
    assert run("check", "rian", "--configs", PACKS / "good")[0] == 2
    code, said = run("check", "--configs", tmp_path / "none")
    assert code == 2 and "no configs folder at" in said.err and not said.out


def test_all_kinds_are_listed(run):
    """Every file of the registry is a line; none is listed by hand."""
    code, said = run("kinds", "--json")
    listed = {(each["folder"], each["name"]) for each in json.loads(said.out)}
    assert code == 0 and listed == {(folder, name) for folder in FOLDERS for name in load(folder)}
    plain = run("kinds")[1].out
    assert all(f"  {name} " in plain for _, name in listed)


def test_one_kind_is_explained(run):
    """Parameters with unit, default, bounds and words; what only the plan fills in is not shown."""
    code, said = run("kinds", "forecast")
    assert code == 0 and "within: time; must be given" in said.out
    assert "warm: count; default 5.0; at least 3; at most 16" in said.out
    assert "filled in by the plan" not in run("kinds", "sum")[1].out
    assert "expr: text; must be given" in run("kinds", "expr")[1].out
    code, said = run("kinds", "forcast")
    assert code == 2 and "did you mean forecast?" in said.err


def test_explain_a_rule(run):
    """The table of one rule, for people and for programs; a rule that is not there names the nearest."""
    code, said = run("check", "--explain", "basin/basin-wide", "--configs", PACKS / "good")
    assert code == 0 and said.out.startswith("basin/basin-wide: at_least 2 (basin/stage rain/heavy ≥ yellow) within 2h")
    assert {line.split()[-1] for line in said.out.splitlines()[4:-1]} == {"normal", "unknown", "orange"}
    code, said = run("check", "--explain", "basin/basin-wide", "--configs", PACKS / "good", "--json")
    found = json.loads(said.out)
    assert found["columns"] == ["up", "silent", "says"] and {row[-1] for row in found["rows"]} == {"normal", "unknown", "orange"}
    code, said = run("check", "--explain", "basin/basin-wild", "--configs", PACKS / "good")
    assert code == 2 and "did you mean basin/basin-wide?" in said.err
