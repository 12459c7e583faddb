"""The short form of each drill that needs no processes; `make drills ARGS=--short` runs the others too, alone on a machine.

What must hold is the first line of its own file.
"""
from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("wanglou_drills_tools", Path(__file__).with_name("tools.py"))
assert _spec and _spec.loader
tools: Any = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = tools
_spec.loader.exec_module(tools)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A folder for all of them, and one Kafka that starts when it is first needed."""
    made = tools.Ground(tmp_path_factory.mktemp("drills"))
    yield made
    made.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("drill", [pytest.param(d, id=f"{d.number:02} {d.name}") for d in tools.drills() if not d.broker])
def test_drill(drill: Any, ground: Any) -> None:
    """Nothing lost, doubled or wrong against an uninterrupted run, and what the drill's own sentence says holds."""
    row = tools.perform(drill, ground, short=True)
    assert row.passed, "\n".join([drill.says, tools.HEAD, row.text(), *row.faults])
