"""Rejects once more: each kept input read again by today's plan, and what is good now sent as if it arrived now."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from streams import clock
from streams.codec import Record
from streams.errors import Unavailable
from streams.feeds.blocks import Blocker
from streams.feeds.decoders import decode, names
from streams.feeds.guests import guests
from streams.feeds.plan import PlanWatch
from streams.feeds.run import newest
from streams.feeds.words import Reading, Refused
from streams.rejects import Reject
from streams.settings import Settings
from streams.topics import send_all
from streams.worker.generations import current


def again(settings: Settings, rows: Iterable[Reject]) -> tuple[int, list[tuple[Reject, Refused]]]:
    """How many readings were sent, and what is still refused. Unavailable without a plan or a broker."""
    found = newest(settings, print)()
    if found is None:
        raise Unavailable("there is no plan: run `wanglou topics create` or `wanglou apply`")
    settings, plan = current(settings), PlanWatch(lambda: found)
    plan.hash, plan.city = found
    blocker = Blocker(settings.partitions, guests=guests(found[1], settings.partitions))
    count, still = 0, list[tuple[Reject, Refused]]()
    for row in rows:
        for one in _read(row, plan):
            if isinstance(one, Reading):
                blocker.add(one, row.source, clock.now())
                count += 1
            else:
                still.append((row, one))
    records: list[tuple[str, int, Record]] = [("readings", c.partition, replace(c.block, sent=clock.now()))
                                              for c in blocker.close()]
    if records:
        send_all(settings, records)
    return count, still


def _read(row: Reject, plan: PlanWatch) -> Iterable[Reading | Refused]:
    if row.cut or row.decoder not in names():
        return [Refused(row.reason, row.place, f"only a part of it was kept: {row.what}")]
    return decode(row.decoder, row.bytes(), plan.rules(plan.source(row.source)), clock.now())
