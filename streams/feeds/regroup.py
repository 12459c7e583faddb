"""Records for the partitions of an older generation, as those for the ones of today (design 9.11). Pure.

A block is cut by site, in its own order; the clock and the word on a source go to every partition that goes on from the old one.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from detectors.reading import GUEST, Block, Tick
from streams.codec import BadRecord, decode, encode
from streams.feeds.producer import Record
from streams.shards import partition


def regroup(record: Record, older: Mapping[str, int], topic: str, partitions: int) -> list[Record]:
    """What a record becomes. `older`: topics of generations before, and how many partitions each has; others stay."""
    before = older.get(record[0])
    if before is None:
        return [record]
    heirs = range(record[1], partitions, before)
    try:
        found = decode(record[2])
    except BadRecord:                           # not of this program: whoever reads it shall say so
        return [(topic, record[1], record[2])]
    if isinstance(found, Block):
        return [(topic, p, encode(part)) for p in heirs if len(part := _part(found, p, partitions))]
    if isinstance(found, Tick):
        return [(topic, p, encode(replace(found, partition=p))) for p in heirs]
    return [(topic, p, record[2]) for p in heirs]


def _part(block: Block, p: int, partitions: int) -> Block:
    """The readings of one partition, and the guests: whose they are is not written in a block, so every heir has them."""
    home = np.array([partition(name.partition("@")[2], partitions) for name in block.series], np.int64)
    rows = np.flatnonzero((home[block.index] == p) | ((block.flag & GUEST) > 0))
    used, index = np.unique(block.index[rows], return_inverse=True)
    return replace(block, series=tuple(block.series[n] for n in used.tolist()), index=index.astype(np.int32), t=block.t[rows],
                   x=block.x[rows], flag=block.flag[rows], arrived=block.arrived[rows], source=block.source[rows])
