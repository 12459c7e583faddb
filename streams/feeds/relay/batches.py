"""What a Kafka broker answers to a fetch, cut into messages: places in a buffer, no object a message. Pure.

Record batches of format 2 (Kafka 0.11 and newer): https://kafka.apache.org/documentation/#recordbatch. A batch whose checksum
does not match, or that says of itself what cannot be, is Corrupt; one that is cut off at the end is left for the next answer.
"""
from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import Any, NamedTuple

import cramjam
import numpy as np
from aiokafka.codec import gzip_decode, lz4_decode, snappy_decode, zstd_decode
from aiokafka.record.default_records import DefaultRecordBatch
from numpy.typing import NDArray

from detectors import kernel
from streams.feeds.relay.pointer import bytes_at

i8: Any = np.int64
Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
HEAD = struct.Struct(">qiiBIHiqqqhii")
"""Base offset, length, leader epoch, magic, checksum, attributes, last offset delta, first and last time, producer id, its
epoch, base sequence, number of records."""
_CODECS = {1: gzip_decode, 2: snappy_decode, 3: lz4_decode, 4: zstd_decode}
UNPACKED = (OSError, EOFError, zlib.error, ValueError, RuntimeError, cramjam.DecompressionError)
"""How the codecs fail, each in its own way."""
TRANSACTIONAL, CONTROL = 0x10, 0x20


class Corrupt(ValueError):
    """A record batch is not what it should be. It begins at offset `base`, `next` comes after it as far as it says; `raw`: its
    bytes, which begin at `at` of the answer.
    """

    def __init__(self, what: str, base: int, after: int, at: int, raw: bytes) -> None:
        super().__init__(f"the record batch at offset {base} {what}")
        self.base, self.next, self.at, self.raw = base, max(after, base + 1), at, raw


class Span(NamedTuple):
    """The records of one batch: `buffer[first:last]`; the batch itself is `data[at:end]`."""

    first: int
    last: int
    base: int
    records: int
    at: int
    end: int
    next: int


class Messages(NamedTuple):
    """Of one partition, in order. Values: `buffer[start:end]` each (start -1 = none), their offsets; `next` is read next."""

    buffer: Bytes
    start: Places
    end: Places
    offset: Places
    next: int


def cut(data: bytes, position: int, aborted: list[tuple[int, int]]) -> Messages | None:
    """The messages from offset `position` on, None where no batch is whole. Corrupt if the first batch is; a later one ends them.

    `aborted`: (producer, first offset) of transactions that are to be left out.
    """
    try:
        return _cut(data, position, aborted)
    except Corrupt as corrupt:
        if corrupt.at == 0:
            raise
        return _cut(data[:corrupt.at], position, aborted)


def _cut(data: bytes, position: int, aborted: list[tuple[int, int]]) -> Messages | None:
    waiting, out = sorted(aborted, key=lambda row: row[1]), set[int]()
    spans: list[Span] = []
    more: list[bytes] = []                                  # what was compressed, laid behind the data
    at, size, after = 0, len(data), -1
    while at + HEAD.size <= len(data):
        base, length, _, magic, _, attributes, last, _, _, producer, _, _, count = HEAD.unpack_from(data, at)
        end = at + 12 + length
        if magic != 2:
            raise Corrupt(f"is of format {magic}: Kafka 0.11 and newer write format 2", base, base + 1, at, data[at:end])
        if end > len(data):
            break
        after = base + last + 1
        if not DefaultRecordBatch(data[at:end]).validate_crc():
            raise Corrupt("has a wrong checksum", base, after, at, data[at:end])
        while waiting and waiting[0][1] <= base:
            out.add(waiting.pop(0)[0])
        if attributes & CONTROL:
            out.discard(producer)                           # the end of a transaction, be it this or that
        elif not (attributes & TRANSACTIONAL and producer in out):
            if attributes & 7:
                try:
                    more.append(bytes(_CODECS[attributes & 7](data[at + HEAD.size:end])))
                except UNPACKED as error:
                    raise Corrupt(f"cannot be decompressed: {error!r}", base, after, at, data[at:end]) from error
                spans.append(Span(size, size + len(more[-1]), base, count, at, end, after))
                size += len(more[-1])
            else:
                spans.append(Span(at + HEAD.size, end, base, count, at, end, after))
        at = end
    if after < 0:
        return None
    return _messages(data, np.frombuffer(b"".join([data, *more]) if more else data, np.uint8), spans, position, after)


def _messages(data: bytes, buffer: Bytes, spans: list[Span], position: int, after: int) -> Messages:
    total = sum(span.records for span in spans)
    start, end, offset = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    n, scan = 0, _places()
    for span in spans:
        found = scan(buffer.ctypes.data, span.first, span.last, span.base, span.records, start[n:], end[n:], offset[n:])
        if found != span.records:
            raise Corrupt("has records that do not fit into it", span.base, span.next, span.at, data[span.at:span.end])
        n += span.records
    if total and offset[0] < position:                      # a batch may begin before what was asked for
        keep = offset >= position
        start, end, offset = start[keep], end[keep], offset[keep]
    return Messages(buffer, start, end, offset, after)


@cache
def _places() -> Any:
    from numba import int64

    places = int64[::1]
    return kernel.build(places_of, int64(int64, int64, int64, int64, int64, places, places, places), True)


def places_of(address: int, at: int, size: int, base: int, count: int, start: Any, end: Any, offset: Any) -> int:
    """Where the value of each record between `at` and `size` lies; how many records could be read. `address`: of the bytes."""
    data = bytes_at(address)
    for n in range(count):
        length, at = varint(data, at, size)
        after = at + length
        if length < 0 or after > size or at < 0:
            return n
        at += 1
        _, at = varint(data, at, after)
        delta, at = varint(data, at, after)
        key, at = varint(data, at, after)
        at += max(key, 0)
        if at < 0 or at > after:
            return n
        value, at = varint(data, at, after)
        if at < 0 or at + max(value, 0) > after:
            return n
        start[n] = at if value >= 0 else -1
        end[n] = at + value if value >= 0 else -1
        offset[n] = base + delta
        at = after
    return count


def varint(data: Any, at: int, size: int) -> tuple[int, int]:
    """A zigzag number and the place behind it (very negative where the bytes end)."""
    value, shift = 0, 0
    while 0 <= at < size and shift < 64:
        byte = i8(data[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
    return 0, -1 << 40
