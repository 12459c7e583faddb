"""Which partition a site belongs to: everything of one site is in one place, in order.

A site has one of 256 shards for good; a partition holds every shard whose number is its own modulo P. So P may change
without a state being torn apart.
"""
from __future__ import annotations

from collections.abc import Iterable

SHARDS = 256
_M, _MASK = 0x5BD1E995, 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 as Kafka's default partitioner has it (`Utils.murmur2`), as a signed 32-bit number.

    >>> murmur2(b"21"), murmur2(b"foobar")
    (-973932308, -790332482)
    """
    n = len(data)
    h = 0x9747B28C ^ n
    whole = n & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if n & 3:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    h ^= h >> 15
    return h - (1 << 32) if h >> 31 else h


def shard(site: str) -> int:
    """0..255: murmur2 of the site's UTF-8, made positive as Kafka does."""
    return (murmur2(site.encode()) & 0x7FFFFFFF) % SHARDS


def partition(site: str, partitions: int) -> int:
    """The partition of a site's readings."""
    return shard(site) % partitions


def by_shard(sites: Iterable[str], of: int, partitions: int) -> dict[int, list[str]]:
    """The sites of one partition, by shard."""
    found: dict[int, list[str]] = {}
    for site in sites:
        number = shard(site)
        if number % partitions == of:
            found.setdefault(number, []).append(site)
    return found
