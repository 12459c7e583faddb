"""Every benchmark runs and says something; how fast this machine is stands in no test."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from streams import broker
from streams.bench.tools.frame import names, tabled

ALONE = ("backtest", "kinds", "memory", "scale", "usual", "rules", "shops")
ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str, code: int = 0, **environment: str) -> tuple[dict[str, Any], str]:
    """`wanglou bench --quick --json`: its JSON and its words."""
    done = subprocess.run([sys.executable, "-m", "streams", "bench", *arguments, "--quick", "--json"], cwd=ROOT, text=True,
                          capture_output=True, check=False, timeout=110, env=os.environ | environment)
    assert done.returncode == code, done.stderr
    return (json.loads(done.stdout) if done.stdout else {}), done.stderr


def sound(said: dict[str, Any], words: str, *expected: str) -> list[dict[str, Any]]:
    """Each benchmark has figures, each figure a line, each number is finite and positive."""
    figures: list[dict[str, Any]] = said["figures"]
    assert {f["bench"] for f in figures} == set(expected)
    assert words.startswith("load average ")
    for figure in figures:
        numbers = {k: v for k, v in figure.items() if k not in ("bench", "name")}
        assert numbers and all(isfinite(v) and v > 0 for v in numbers.values()), figure
        assert any(line.startswith(figure["name"]) for line in words.splitlines()), figure["name"]
    return figures


def test_alone() -> None:
    """The benchmarks of the core need no broker; every kind of the registry is measured."""
    figures = sound(*run(*ALONE), *ALONE)
    kinds = {p.stem for p in (ROOT / "detectors" / "kinds").glob("[a-z]*.py")}

    assert {f["name"] for f in figures if f["bench"] == "kinds"} == {f"judge {kind.rstrip('_')}" for kind in kinds}


@pytest.mark.broker
def test_with_kafka(tmp_path: Path) -> None:
    """The benchmarks of the streams run on a Kafka that they start, and leave no process."""
    if lacking := broker.missing_kafka():
        if os.environ.get("CI"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    rest = sorted(set(names()) - set(ALONE))
    said, words = run(*rest, TMPDIR=str(tmp_path))

    assert said["not_measured"] == {}
    sound(said, words, *rest)
    assert [p for p in Path("/proc").glob("[0-9]*/environ") if str(tmp_path).encode() in _read(p)] == []
    assert [p for p in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path).encode() in _read(p)] == []
    assert list(tmp_path.iterdir()) == []


def test_unknown_name() -> None:
    """A benchmark that does not exist is a wrong call, and a near name is offered."""
    _, words = run("kindz", code=2)

    assert "did you mean kinds?" in words


def test_a_table_of_a_whole_run() -> None:
    """A row a figure and what could not be measured, the machine and its load; a part of a run is no table."""
    where = {"cpus": 2, "python": "3.11.7", "load": [0.1, 0.2, 0.3]}
    text = tabled(where, [("tick", "4 ms | all"), ("start", "2 s")], {"blocks": "no Kafka"})

    assert "2 cores, " in text and "Python 3.11;" in text and "load average 0.1 0.2 0.3 before" in text
    assert [line for line in text.splitlines() if line.startswith("| ")] == [
        "| figure | measured |", "| tick | 4 ms \\| all |", "| start | 2 s |", "| blocks | not measured: no Kafka |"]
    assert "whole run" in run("usual", "--table", "x.md", code=2)[1]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
