"""Where a site's readings go: the same partition as any Kafka client that hashes the site as its key."""
from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.shards import SHARDS, by_shard, murmur2, partition, shard

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
VECTORS = {"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
           "a-little-bit-longer-string": -1486304829,
           "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107}


@pytest.mark.parametrize("text", VECTORS)
def test_kafka_vectors(text: str) -> None:
    """murmur2 is Kafka's, by the vectors of its own test."""
    assert murmur2(text.encode()) == VECTORS[text]


@given(st.text(min_size=1))
def test_as_kafka_python(site: str) -> None:
    """The same number as the client library has it, and so the same partition for P a power of two."""
    from kafka.partitioner.default import murmur2 as theirs

    ours = murmur2(site.encode()) & 0xFFFFFFFF
    assert ours == theirs(site.encode()) & 0xFFFFFFFF
    assert partition(site, 16) == (ours & 0x7FFFFFFF) % 16


@given(st.text(min_size=1))
def test_more_partitions_split_shards_whole(site: str) -> None:
    """A partition is split by doubling P: what was together in one of 2P was together in one of P."""
    assert all(partition(site, 2 * p) % p == partition(site, p) for p in (1, 2, 4, 64, 128))
    assert 0 <= shard(site) < SHARDS


def test_by_shard_shares_out_each_site_once() -> None:
    """Over all partitions every site is in one place, and no partition is empty of a thousand sites."""
    sites = [f"site-{n}" for n in range(1000)]
    found = [by_shard(sites, p, 4) for p in range(4)]
    assert Counter(s for of in found for group in of.values() for s in group) == Counter(sites)
    assert all(number % 4 == p for p, of in enumerate(found) for number in of)
    assert min(sum(map(len, of.values())) for of in found) > 150
