"""Settings from the environment, and the logs of a process."""
from __future__ import annotations

import json
import logging

import pytest
import structlog

from streams import logs
from streams.errors import UsageError
from streams.settings import mistyped, settings


def test_databases_follow_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that is not named is a file in `data`; what is given comes before the environment."""
    monkeypatch.setenv("WANGLOU_DATA", "/srv/wl")
    monkeypatch.setenv("WANGLOU_HISTORY_URL", "postgresql+psycopg://h/db")
    ours = settings(broker="k:1", configs=None)
    assert (ours.state_url, ours.history_url, ours.broker) == ("sqlite:////srv/wl/state.db", "postgresql+psycopg://h/db", "k:1")
    assert ours.topic("levels") == "wanglou.levels"


@pytest.mark.parametrize(("name", "value"), [("PARTITIONS", "6"), ("PARTITIONS", "many"), ("TICKS", "sometimes"),
                                              ("SNAPSHOT_SECONDS", "0")])
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A value that cannot be is an error of the call that names the variable."""
    monkeypatch.setenv(f"WANGLOU_{name}", value)
    with pytest.raises(UsageError, match=f"WANGLOU_{name}={value!r}|WANGLOU_{name}={value}:"):
        settings()


def test_a_mistyped_name_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown variables are ignored by pydantic without a word: we say what was probably meant, and leave other names alone."""
    monkeypatch.setenv("WANGLOU_BROKR", "k:1")
    settings()
    assert "WANGLOU_BROKR is not a setting; did you mean WANGLOU_BROKER?" in capsys.readouterr().err
    assert mistyped("WANGLOU_TOKEN_GATE_7") == ""


def test_logs_are_json_and_spare(capfd: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line; a library that repeats itself is written once, and its chatter not at all."""
    before = logging.root.handlers[:]
    logs.configure()
    try:
        structlog.get_logger("wanglou.test").info("river", place="红")
        for n in range(50):
            logging.getLogger("aiokafka.conn").warning("Unable connect to %s", n)
        logging.getLogger("faust").info("chatter")
    finally:
        logging.root.handlers[:] = before
        structlog.reset_defaults()
    first, second = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (first["message"], first["logger"], first["place"], first["severity"]) == ("river", "wanglou.test", "红", "info")
    assert (second["message"], second["severity"]) == ("Unable connect to 0", "warning")


def test_held_back_lines_are_counted() -> None:
    """When a repeated line is written again it says how many were held back."""
    sparing = logs.Sparing(every=0.0)
    sparing.last["aiokafka", "x"] = (float("-inf"), 7)
    record = logging.LogRecord("aiokafka", logging.WARNING, "", 0, "x", (), None)
    assert sparing.filter(record) and record.msg == "x [7 more like this]"
