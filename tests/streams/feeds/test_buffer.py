"""The buffer on disk: a kill at any byte loses nothing that was told to be safe."""
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.errors import Unavailable, UsageError
from streams.feeds.buffer import HEAD, Buffer, Full

RECORDS = [("readings", i % 4, bytes([i]) * (i * 7 % 23)) for i in range(6)]


def plain(buffer: Buffer, limit: int = 1 << 20) -> list[tuple[str, int, bytes]]:
    """What waits in it."""
    return [(k.topic, k.partition, k.value) for k in buffer.read(limit)]


def test_a_file_cut_at_every_length_gives_every_whole_record(tmp_path: Path) -> None:
    """The kill may come at any byte of a write: whole records stay, in order, and new ones go behind them."""
    path = tmp_path / "a.buffer"
    buffer = Buffer(path)
    starts = buffer.append(RECORDS)
    ends = [*starts[1:], buffer.end]
    buffer.close()
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        cut = tmp_path / "cut" / "a.buffer"
        cut.parent.mkdir(exist_ok=True)
        cut.write_bytes(whole[:length])
        again = Buffer(cut)
        kept = sum(end <= length for end in ends)
        assert plain(again) == RECORDS[:kept], length
        again.append([("readings", 0, b"new")])
        assert plain(again) == [*RECORDS[:kept], ("readings", 0, b"new")]
        again.close()
        torn = cut.with_name("a.buffer.torn")
        assert torn.exists() == (length > HEAD.size and length not in ends), length
        for file in (cut, torn):
            file.unlink(missing_ok=True)


def test_a_flipped_bit_in_the_last_record_is_found(tmp_path: Path) -> None:
    """The sum says so; the ones before it are kept."""
    path = tmp_path / "a.buffer"
    buffer = Buffer(path)
    buffer.append(RECORDS)
    buffer.close()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    again = Buffer(path)
    assert plain(again) == RECORDS[:-1]
    again.close()


def test_what_is_drained_does_not_come_again(tmp_path: Path) -> None:
    """Also after a restart; a file that is drained to its end is empty and takes new records."""
    path = tmp_path / "a.buffer"
    buffer = Buffer(path)
    buffer.append(RECORDS)
    first = buffer.read(1)[0]
    buffer.advance(first.end)
    assert plain(buffer) == RECORDS[1:]
    buffer.close()
    again = Buffer(path)
    assert plain(again) == RECORDS[1:]
    again.advance(again.read()[-1].end)
    assert len(again) == 0 and path.stat().st_size == HEAD.size
    again.append([("x", 1, b"y")])
    again.close()
    third = Buffer(path)
    assert plain(third) == [("x", 1, b"y")]
    third.close()


def test_a_lost_position_costs_duplicates_never_records(tmp_path: Path) -> None:
    """A header that was torn: everything that lies there comes again."""
    path = tmp_path / "a.buffer"
    buffer = Buffer(path)
    buffer.append(RECORDS)
    buffer.advance(buffer.read(1)[0].end)
    buffer.close()
    data = bytearray(path.read_bytes())
    data[7] ^= 0xFF
    path.write_bytes(data)
    again = Buffer(path)
    assert plain(again) == RECORDS
    again.close()


def test_over_the_cap_it_refuses_and_keeps_nothing_of_the_call(tmp_path: Path) -> None:
    """All or none; what fits later is taken again."""
    buffer = Buffer(tmp_path / "a.buffer", cap=200)
    buffer.append([("t", 0, b"x" * 100)])
    with pytest.raises(Full, match="full"):
        buffer.append([("t", 0, b"y"), ("t", 0, b"z" * 100)])
    assert [r[2][:1] for r in plain(buffer)] == [b"x"]
    buffer.advance(buffer.read()[-1].end)
    buffer.append([("t", 0, b"z" * 100)])
    buffer.close()


def test_two_feeds_cannot_share_one_file(tmp_path: Path) -> None:
    """The second is told, and may have it when the first is gone."""
    first = Buffer(tmp_path / "a.buffer")
    with pytest.raises(UsageError, match="--name"):
        Buffer(tmp_path / "a.buffer")
    first.close()
    Buffer(tmp_path / "a.buffer").close()


def test_a_disk_that_is_full_at_the_start_only_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file opens, each record is refused with the reason; with room again it is taken, and read after a start."""
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        buffer = Buffer(tmp_path / "a.buffer")
        with pytest.raises(Full, match="No space left"):
            buffer.append([("t", 0, b"x")])
    buffer.append([("t", 0, b"y")])
    buffer.close()
    again = Buffer(tmp_path / "a.buffer")
    assert plain(again) == [("t", 0, b"y")]
    again.close()
    with (tmp_path / "a.buffer").open("ab") as file:
        file.write(b"torn")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(Unavailable, match="torn end: No space left"):
            Buffer(tmp_path / "a.buffer")
    again = Buffer(tmp_path / "a.buffer")           # nothing was cut, nobody holds it
    assert plain(again) == [("t", 0, b"y")] and (tmp_path / "a.buffer.torn").read_bytes() == b"torn"
    again.close()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """With the path and the reason, not as a traceback."""
    (tmp_path / "feeds").write_text("a file")
    with pytest.raises(Unavailable, match=r"a\.buffer cannot be opened"):
        Buffer(tmp_path / "feeds" / "a.buffer")


@settings(max_examples=60, deadline=None)
@given(ops=st.lists(st.one_of(st.binary(max_size=40), st.just("drain"), st.just("kill")), max_size=25))
def test_any_life_of_a_buffer_keeps_order_and_loses_nothing(tmp_path_factory: pytest.TempPathFactory, ops: list) -> None:
    """Append, drain some, be killed and opened again, in any order: out comes what went in."""
    path = tmp_path_factory.mktemp("life") / "a.buffer"
    buffer, told, drained = Buffer(path), [], []
    for op in ops:
        if op == "drain":
            kept = buffer.read(30)
            if kept:
                drained += [k.value for k in kept]
                buffer.advance(kept[-1].end)
        elif op == "kill":
            buffer.close()
            buffer = Buffer(path)
        else:
            buffer.append([("t", 0, op)])
            told.append(op)
    assert drained + [k.value for k in buffer.read()] == told
    buffer.close()
