"""Records on disk while Kafka is away: an append-only file, drained in order, that survives a kill at any byte.

    header: b"WLB1", u64 drained up to, u32 CRC of these 12 bytes; then records: u32 length, u32 CRC, MessagePack

`append` returns when the records are synced. A torn tail (the kill came while writing, so nobody was told that it is
safe) is cut off at opening and kept beside in `….torn`. The header is synced before an emptied file is cut, so an old
position can never hide new records; a position that is lost costs duplicates, never readings.
"""
from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import msgspec

from streams.errors import Unavailable, UsageError

HEAD, FRAME = struct.Struct("<4sQI"), struct.Struct("<II")
MAGIC = b"WLB1"
MOST = 64 << 20
"""No record is longer; a length beyond it is rubbish."""


class Full(Unavailable):
    """Neither Kafka nor the disk takes more: what comes now is refused, visibly."""


class Kept(NamedTuple):
    """One record of the file: it lies from `start` to `end`."""

    start: int
    end: int
    topic: str
    partition: int
    value: bytes


class Buffer:
    """The file of one feed. UsageError when another process has it open, Unavailable when the disk has no room to open it.

    A disk that is full holds up nothing else: the file opens, what Kafka takes goes through, `append` says Full.
    """

    def __init__(self, path: Path, cap: int = 256 << 20) -> None:
        self.path, self.cap = path, cap
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        except OSError as error:
            raise Unavailable(f"the buffer {path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise UsageError(f"another feed has {path} open: give this one its own --name") from None
        self.position, self.end = HEAD.size, HEAD.size
        try:
            self._recover()
        except OSError as error:
            os.close(self._file)
            raise Unavailable(f"the buffer {path} cannot be read or cleared of a torn end: {error.strerror}") from error

    def __len__(self) -> int:
        """Bytes that Kafka does not have yet."""
        return self.end - self.position

    def room(self, size: int) -> bool:
        """Whether `size` bytes more may come in."""
        return self.end + size <= self.cap

    def append(self, records: list[tuple[str, int, bytes]]) -> list[int]:
        """Write and sync (topic, partition, value); where each begins. Full (cap or disk): then none of them is kept."""
        frames = [_frame(msgspec.msgpack.encode(r)) for r in records]
        size = sum(map(len, frames))
        if not self.room(size):
            raise Full(f"the buffer {self.path} is full ({self.cap >> 20} MB) and Kafka is away")
        try:
            data, at = memoryview(b"".join(frames)), self.end
            while data:
                written = os.pwrite(self._file, data, at)
                data, at = data[written:], at + written
            os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, self.end)
            raise Full(f"the buffer {self.path} cannot be written: {error.strerror}") from error
        starts = []
        for frame in frames:
            starts.append(self.end)
            self.end += len(frame)
        return starts

    def read(self, limit: int = 4 << 20) -> list[Kept]:
        """The oldest records that are not drained, up to about `limit` bytes."""
        found: list[Kept] = []
        for kept in self._scan(self.position):
            found.append(kept)
            if kept.end - self.position >= limit:
                break
        return found

    def advance(self, position: int) -> None:
        """Kafka has everything before `position`. A file that is drained to its end becomes empty."""
        self._mark(position)
        if position == self.end:
            self._mark(HEAD.size)
            os.fsync(self._file)
            os.ftruncate(self._file, HEAD.size)
            self.end = HEAD.size

    def close(self) -> None:
        """Let another process have the file."""
        os.close(self._file)

    def _mark(self, position: int) -> None:
        body = HEAD.pack(MAGIC, position, 0)[:-4]
        os.pwrite(self._file, body + struct.pack("<I", crc32(body)), 0)
        self.position = position

    def _recover(self) -> None:
        head, size = os.pread(self._file, HEAD.size, 0), os.fstat(self._file).st_size
        marked = HEAD.size
        if len(head) == HEAD.size and head[:4] == MAGIC and crc32(head[:-4]) == HEAD.unpack(head)[2]:
            marked = HEAD.unpack(head)[1]
        self.end = size if size > HEAD.size else HEAD.size
        ends = [HEAD.size, *(kept.end for kept in self._scan(HEAD.size))]
        if size > ends[-1]:
            torn = os.pread(self._file, size - ends[-1], ends[-1])
            with self.path.with_name(self.path.name + ".torn").open("ab") as aside:
                aside.write(torn)
            os.ftruncate(self._file, ends[-1])
        self.end = ends[-1]
        try:
            self._mark(max(e for e in ends if e <= max(marked, HEAD.size)))
            os.fsync(self._file)
        except OSError:                             # a full disk: without a header an empty file says the same
            if len(self):
                raise

    def _scan(self, start: int) -> Iterator[Kept]:
        """Whole records from `start` on; stops at the first that is none."""
        while start + FRAME.size <= self.end:
            size, check = FRAME.unpack(os.pread(self._file, FRAME.size, start))
            end = start + FRAME.size + size
            if size > MOST or end > self.end:
                return
            body = os.pread(self._file, size, start + FRAME.size)
            if len(body) != size or crc32(body) != check:
                return
            topic, partition, value = msgspec.msgpack.decode(body)
            yield Kept(start, end, topic, partition, value)
            start = end


def _frame(body: bytes) -> bytes:
    return FRAME.pack(len(body), crc32(body)) + body
