"""The short form of every drill, for `test_odd.py` and `test_even.py`: two files, so that two workers of pytest share the time."""
from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

_spec = importlib.util.spec_from_file_location("wanglou_drills_tools", Path(__file__).with_name("tools.py"))
assert _spec and _spec.loader
tools: Any = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = tools
_spec.loader.exec_module(tools)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`drill` = those whose number is as the file says."""
    if "drill" in metafunc.fixturenames:
        mine = [d for d in tools.drills() if d.number % 2 == metafunc.module.ODD]
        metafunc.parametrize("drill", [pytest.param(d, id=f"{d.number:02} {d.name}", marks=[pytest.mark.broker] * d.broker)
                                       for d in mine])


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A folder for all of them, and one Kafka that starts when it is first needed."""
    made = tools.Ground(tmp_path_factory.mktemp("drills"))
    yield made
    made.close()


@pytest.fixture
def passes(ground: Any) -> Callable[[Any], None]:
    """Perform one: nothing lost, doubled or wrong against an uninterrupted run, and what its own sentence says holds."""
    def perform(drill: Any) -> None:
        if drill.broker and (lacking := tools.lacks()) and not os.environ.get("CI"):
            pytest.skip(lacking)
        row = tools.perform(drill, ground, short=True)
        assert row.passed, "\n".join([drill.says, tools.HEAD, row.text(), *row.faults])

    return perform
