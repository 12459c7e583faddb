"""The bytes on the topics. First byte = version, second = record type, then MessagePack; columns are little-endian.

b block · t tick · p plan · s source · f fit · a part (area sum) · x fence · c changes
"""
from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.event import Change
from detectors.reading import Block, Fence, Fit, Part, PlanRecord, Source, Tick

VERSION = 1
CHANGES = b"\x01c"
"""How a record of changes begins."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The level changes of one block: where it lay in `readings` (evidence) and what changed.

    `sent` (wall clock of the readings) is written into each change that has none; read back, it stands there only.
    """

    changes: tuple[Change, ...]
    partition: int = -1
    offset: int = -1
    sent: int = 0


Record = Block | Tick | PlanRecord | Source | Fit | Part | Fence | Changes
_PLAIN: dict[bytes, Any] = {b"t": Tick, b"p": PlanRecord, b"s": Source, b"f": Fit, b"a": Part, b"x": Fence}
_LETTER = {kind: letter for letter, kind in _PLAIN.items()}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


class BadRecord(ValueError):
    """Bytes that are no record of ours."""


def encode(record: Record) -> bytes:
    """A record as bytes."""
    if isinstance(record, Block):
        return b"\x01b" + _pack(_block(record))
    if isinstance(record, Changes):
        return b"\x01c" + _pack([[_change(c, record.sent) for c in record.changes], record.partition, record.offset])
    letter = _LETTER[type(record)]
    return b"\x01" + letter + _pack([getattr(record, f.name) for f in fields(record)])


def decode(data: bytes) -> Record:
    """Bytes as a record; BadRecord if they are none of ours or of a newer version."""
    try:
        if data[0] != VERSION:
            raise BadRecord(f"record version {data[0]}, this program reads {VERSION}")
        letter = data[1:2]
        if letter == b"b":
            return _unblock(*_columns(memoryview(data)[2:]))
        body = _unpack(memoryview(data)[2:])
        if letter == b"c":
            return Changes(tuple(_unchange(c) for c in body[0]), body[1], body[2])
        record: Record = _PLAIN[letter](*(tuple(v) if isinstance(v, list) else v for v in body))
        return _typed(record)
    except BadRecord:
        raise
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise BadRecord(f"not a record: {error}") from error


def told(data: bytes) -> list[dict[str, Any]]:
    """The changes of a record as fields that differ from their default, for who needs only a few of them; [] of other records."""
    if data[:2] != b"\x01c":
        return []
    return [{_CHANGE[i]: value for i, value in body.items() if i < len(_CHANGE)} for body in _unpack(memoryview(data)[2:])[0]]


_TYPES: dict[str, Any] = {"int": int, "str": str, "bool": bool, "float": (int, float), "tuple[float, ...]": tuple}


def _typed(record: Record) -> Record:
    for f in fields(record):
        if not isinstance(getattr(record, f.name), _TYPES[str(f.type)]):
            raise BadRecord(f"{type(record).__name__}.{f.name} is {getattr(record, f.name)!r}")
    return record


def _block(b: Block) -> list[Any]:
    same = len(b.arrived) > 0 and bool((b.arrived == b.arrived[0]).all())
    return [b.series, b.index.astype("<i4").tobytes(), b.t.astype("<i8").tobytes(), b.x.astype("<f8").tobytes(),
            b.flag.tobytes() if b.flag.any() else b"",
            int(b.arrived[0]) if same else b.arrived.astype("<i8").tobytes(),
            b.sources, b.source.tobytes() if b.source.any() else b"", b.sent]


_columns = msgspec.msgpack.Decoder(tuple[(msgspec.Raw, *[Any] * 8)]).decode  # type: ignore[misc]
_names: dict[bytes, tuple[str, ...]] = {}
LONG, MOST = 2048, 16


def _dictionary(raw: msgspec.Raw) -> tuple[str, ...]:
    """The names of a block. A long list that was read before is the same tuple again: a busy partition says it in every block."""
    data = bytes(raw)
    names = _names.get(data)
    if names is None:
        names = tuple(_unpack(data))
        if len(data) >= LONG:
            if len(_names) >= MOST:
                _names.clear()
            _names[data] = names
    return names


def _unblock(series: msgspec.Raw, index: Any, t: Any, x: Any, flag: Any, arrived: Any, sources: Any, source: Any,
             sent: Any) -> Block:
    n = len(t) // 8
    block = Block(_dictionary(series), np.frombuffer(index, "<i4"), np.frombuffer(t, "<i8"), np.frombuffer(x, "<f8"),
                  _bytes(flag, n), np.full(n, arrived, np.int64) if isinstance(arrived, int) else np.frombuffer(arrived, "<i8"),
                  tuple(sources), _bytes(source, n), sent)
    columns = (block.index, block.x, block.flag, block.arrived, block.source)
    if any(len(c) != n for c in columns) or (n and not 0 <= block.index.min() <= block.index.max() < len(block.series)):
        raise BadRecord("columns of a block disagree")
    return block


def _bytes(column: bytes, n: int) -> NDArray[np.uint8]:
    return np.frombuffer(column, np.uint8) if column else np.zeros(n, np.uint8)


_CHANGE = tuple(f.name for f in fields(Change))
_values = attrgetter(*_CHANGE)
_DEFAULT = tuple(f.default for f in fields(Change))
_NUMBERS = range(len(_CHANGE))
_ROWS = {"forecast", "members"}
_SENT = _CHANGE.index("sent")


def _change(change: Change, sent: int) -> dict[int, Any]:
    """Only what differs from the default, by field number; so a field may be added at the end."""
    found = {i: value for i, value, default in zip(_NUMBERS, _values(change), _DEFAULT, strict=True)
             if value is not default and value != default}
    if sent:
        found.setdefault(_SENT, sent)
    return found


def _unchange(body: dict[int, Any]) -> Change:
    known: dict[str, Any] = {_CHANGE[i]: v for i, v in body.items() if i < len(_CHANGE)}
    for name in _ROWS & known.keys():
        if isinstance(known[name], list):
            known[name] = tuple(known[name])
    return Change(**known)
