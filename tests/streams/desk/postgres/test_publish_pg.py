"""Public warnings, silences, parcels and the topic alerts on a real PostgreSQL, with two desks at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select

from streams.desk.alert import Actor, Refused
from streams.desk.publish import courier, hand, log, muting, release, silences
from streams.desk.publish.tables import Parcel, Publication
from streams.desk.store import Store, broken
from streams.desk.tables import Audit

LEADER = Actor("leader", "带班领导甲", True)


def together(do: Callable[[int], Any]) -> list[str]:
    """Eight at once; the key of each refusal, "" for what was done."""
    def one(n: int) -> str:
        try:
            do(n)
        except Refused as no:
            return no.key
        return ""

    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(one, range(8)))


def test_of_many_one_submits_and_one_releases(desk: Any, url: str, change: Any) -> None:
    """Eight submissions at two desks are one; eight releases are one message."""
    desk.put(one := change("river_level", "lanxi", 3))
    other = Store(url)

    def submit(n: int) -> None:
        with (desk.store, other)[n % 2].begin() as s:
            release.submit(s, one.alert, "Alert", Actor("duty"), desk.m, {})

    def let_out(n: int) -> None:
        with (desk.store, other)[n % 2].begin() as s:
            release.release(s, f"wl-{one.alert}-1", LEADER, desk.m)

    assert together(submit) == ["", *["pub.pending"] * 7] and together(let_out) == ["", *["pub.decided"] * 7]
    with desk.store.read() as s:
        assert len(s.scalars(select(Publication)).all()) == 1 and broken(s) == 0
    other.close()


def test_muted_reported_and_written_out(desk: Any, url: str) -> None:
    """A silence holds a warning by hand; its end calls; two couriers send a parcel once; two writers fill the topic once."""
    with desk.store.begin() as s:
        silences.mute(s, "window", {"site": "lanxi"}, 2, desk.now, desk.now + 600_000_000, "闸门检修，影响水位", LEADER, desk.m)
    with desk.store.begin() as s:
        muting.walk(s, desk.m)
        id_ = hand.raise_alert(s, "basin", "堤身渗漏", "lanxi", "", 2, desk.now, LEADER, "巡查员电话报告", desk.m).id
    assert desk.alert(id_).muted and desk.steps(id_) == []
    desk.now += 600_000_000
    with desk.store.begin() as s:
        muting.walk(s, desk.m)
    assert desk.alert(id_).muted is None and desk.steps(id_)[0][2] == "called"
    other, sent = Store(url), []

    class Phone:
        def send(self, message: Any, address: str) -> Any:
            sent.append(message.key)
            return courier.Outcome(courier.Result.SENT)

    carriers = [courier.Courier(x, {"log": Phone()}, lambda: desk.m, "http://x", lambda rows: None)  # type: ignore[dict-item]
                for x in (desk.store, other)]
    assert together(lambda n: carriers[n % 2].pump()) == [""] * 8
    with desk.store.read() as s:
        assert sorted(sent) == sorted(p.id for p in s.scalars(select(Parcel))) and len(sent) == len(set(sent)) >= 4
    topic: list[bytes] = []

    class Kafka:
        def __call__(self, key: bytes, value: bytes) -> Any:
            topic.append(value)
            return self

        def get(self, seconds: float) -> None:
            """Taken."""

    writers = [log.Writer(x, lambda: desk.names, Kafka, lambda: topic[-50:]) for x in (desk.store, other)]
    assert together(lambda n: writers[n % 2].pump()) == [""] * 8
    with desk.store.read() as s:
        wanted = s.scalars(select(Audit.seq).where(Audit.alert != "", Audit.act.not_in(log.QUIET)).order_by(Audit.seq)).all()
    assert [json.loads(v)["seq"] for v in topic] == wanted
    other.close()
