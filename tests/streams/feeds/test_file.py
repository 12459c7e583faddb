"""Files: taken when they stand still, once, and remembered."""
from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import pytest

from detectors.reading import Block
from streams import clock
from streams.codec import decode
from streams.errors import WanglouError
from streams.feeds.blocks import Blocker
from streams.feeds.buffer import Buffer
from streams.feeds.intake import Intake, Names
from streams.feeds.producer import Outlet
from streams.feeds.rules import Rules
from streams.feeds.transports.file import Folder, load, take, watch
from streams.metrics import Metrics


def csv(*values: float) -> str:
    """A file of now."""
    return "time,site,indicator,value\n" + "".join(f"{clock.iso(clock.now())},lanxi,river_level,{v}\n" for v in values)


def test_a_file_is_ready_when_two_looks_saw_the_same(tmp_path: Path) -> None:
    """One that grows is left alone; so are hidden ones and those that are being written; a changed one comes again."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    folder = Folder(inbox, tmp_path / "m.taken")
    (inbox / "a.csv").write_text("1")
    (inbox / ".b.csv").write_text("1")
    (inbox / "c.part").write_text("1")
    assert folder.look() == []
    (inbox / "a.csv").write_text("12")
    assert folder.look() == []
    ((name, stamp),) = folder.look()
    assert name == "a.csv" and stamp[0] == 2
    assert folder.look() == [(name, stamp)], "not done yet"
    folder.remember(name, stamp)
    assert folder.look() == []
    after = Folder(inbox, tmp_path / "m.taken")
    after.recall()
    assert [after.look(), after.look()] == [[], []]
    (inbox / "a.csv").write_text("123")
    assert [len(after.look()), len(after.look())] == [0, 1]


def test_a_file_may_be_packed_and_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """By its name."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"x"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"x" * 999)[:-9])
    assert load(tmp_path / "a.csv.gz") == b"x"
    for name in ("b.csv.gz", "none.csv"):
        with pytest.raises(WanglouError, match="cannot be read"):
            load(tmp_path / name)


async def test_a_watched_folder_gives_every_reading_once(kafka, tmp_path: Path, rules: Rules) -> None:
    """Also those of a file with faults, and when Kafka comes late."""
    inbox = tmp_path / "in"
    inbox.mkdir()
    outlet = Outlet(kafka.connect, Buffer(tmp_path / "x.buffer"), retry=0.02)
    outlet.start()
    intake = Intake(Names("file", "readings", "rejects"), outlet, Blocker(4), Metrics())
    (inbox / "1.csv").write_text(csv(1.0, 2.0) + "torn,")
    watching = asyncio.ensure_future(watch(Folder(inbox, tmp_path / "m.taken"), intake, lambda: rules, "csv", every=0.02))
    (inbox / "2.csv").write_text(csv(3.0))
    async with asyncio.timeout(10):
        while len(kafka.records("readings")) < 2 or not kafka.records("rejects"):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await outlet.close()
    found = sorted(x for v in kafka.records("readings") if isinstance(b := decode(v), Block) for x in b.x.tolist())
    assert found == [1.0, 2.0, 3.0]
    assert len(kafka.records("rejects")) == 1


async def test_a_file_waits_while_nothing_takes_it(kafka, tmp_path: Path, rules: Rules) -> None:
    """A file can wait: it is not refused when the buffer is full."""
    path = tmp_path / "a.csv"
    path.write_text(csv(*map(float, range(300))))
    kafka.up = False
    outlet = Outlet(kafka.connect, Buffer(tmp_path / "x.buffer", cap=500), patience=0.1, retry=0.02)
    outlet.start()
    intake = Intake(Names("f", "readings", "rejects"), outlet, Blocker(4), Metrics())
    taking = asyncio.ensure_future(take(path, intake, rules, "csv"))
    await asyncio.sleep(0.2)
    assert not taking.done()
    kafka.up = True
    outlet.buffer.cap = 1 << 20
    receipt = await asyncio.wait_for(taking, 10)
    await outlet.close()
    assert receipt.accepted == 300
