"""What was refused, kept: one JSON record on topic `rejects` for each input that no decoder could accept.

`at` (ISO 8601), `feed`, `source`, `decoder`, `reason` (one word), `place` (`[3].site`), `what`, `raw`, and where they are
true `base64` (raw is no text) and `cut` (there was more of it).
"""
from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from streams import clock
from streams.errors import Unavailable

TOPIC = "rejects"
MOST = 2048
"""Bytes of an input that are kept; what is longer is cut and cannot be tried again."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One refused input. `at` in µs UTC; `raw` is text unless `base64`; `cut` = there was more of it."""

    at: int
    feed: str
    source: str
    decoder: str
    reason: str
    place: str
    what: str
    raw: str
    base64: bool = False
    cut: bool = False
    offset: int = -1

    def bytes(self) -> bytes:
        """The input itself, as far as it was kept."""
        return base64.b64decode(self.raw) if self.base64 else self.raw.encode()


_NAMES = [f.name for f in fields(Reject) if f.name != "offset"]


def reject(at: int, feed: str, source: str, decoder: str, reason: str, place: str, what: str, raw: bytes) -> Reject:
    """A refused input as a record. A cut that falls inside a character of UTF-8 gives that character up."""
    cut, kept = len(raw) > MOST, raw[:MOST]
    for shorter in range(4 if cut else 1):
        try:
            text = kept[:len(kept) - shorter].decode()
            return Reject(at, feed, source, decoder, reason, place, what, text, False, cut)
        except UnicodeDecodeError:
            continue
    return Reject(at, feed, source, decoder, reason, place, what, base64.b64encode(kept).decode(), True, cut)


def encode(row: Reject) -> bytes:
    """As JSON; flags that are false are left out."""
    out: dict[str, Any] = {name: getattr(row, name) for name in _NAMES if getattr(row, name) is not False}
    return msgspec.json.encode(out | {"at": clock.iso(row.at)})


def decode(data: bytes, offset: int = -1) -> Reject:
    """The way back. ValueError if it is none of ours."""
    try:
        row = msgspec.json.decode(data)
        return Reject(**{name: row[name] for name in _NAMES if name in row} | {"at": clock.micros(row["at"])}, offset=offset)
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a reject: {error}") from error


def read(broker: str, topic: str, quiet: float = 3.0) -> Iterator[Reject]:
    """Every reject that Kafka still has, oldest first, up to the end as it is now. Unavailable without a broker."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    try:
        consumer = KafkaConsumer(bootstrap_servers=broker.split(","), enable_auto_commit=False, group_id=None,
                                 consumer_timeout_ms=int(quiet * 1000))
    except (KafkaError, OSError, ValueError) as error:
        raise Unavailable(f"no broker at {broker}: {error}") from error
    try:
        where = TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        end = consumer.end_offsets([where])[where]
        while consumer.position(where) < end:
            found = consumer.poll(timeout_ms=int(quiet * 1000)).get(where, [])
            if not found:
                return
            for record in found:
                try:
                    yield decode(record.value, record.offset)
                except ValueError:
                    continue
    except KafkaError as error:
        raise Unavailable(f"{topic} cannot be read from {broker}: {error}") from error
    finally:
        consumer.close()
