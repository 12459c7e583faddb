"""The desk's log says where a fault was, quickly, and holds no value of it: numbers of people go by there."""
from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from streams.desk import server


@pytest.fixture
def as_before() -> Iterator[None]:
    """Logging is the process's own."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.mark.usefixtures("as_before")
def test_a_fault_is_told_without_the_values(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line with the trace; what stood in the variables is not there."""

    class Failing:
        """A desk that fails while it holds a number."""

        def __init__(self, settings: Any) -> None:
            self.number = str(settings)

        def serve(self) -> None:
            """Fails."""
            number = self.number
            try:
                raise ValueError(f"{len(number)} digits")
            except ValueError:
                structlog.get_logger("streams.desk.engine").exception("the walk failed")

    monkeypatch.setattr(server, "Desk", Failing)
    server.run(13_800_000_000 + 9)  # type: ignore[arg-type]
    said = capfd.readouterr().err
    line = json.loads(said.strip().splitlines()[-1])
    assert line["message"] == "the walk failed" and "ValueError: 11 digits" in line["exception"] and "13800000009" not in said
