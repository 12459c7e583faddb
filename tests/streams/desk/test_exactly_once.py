"""The log folded exactly once: read twice, cut off anywhere, it gives the same rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from detectors.event import Change
from streams.desk.folding import consume
from streams.desk.folding.consume import apply, apply_all, position
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.store import Store, broken
from streams.desk.tables import Alert, Delivery, Member, Rung

NOW = 1_782_238_640_000_000
PICKS = st.tuples(
    st.sampled_from(["lanxi", "sanhe"]),
    st.sampled_from(["basin/river_level-stage", "basin/rising"]),
    st.integers(0, 4),
    st.integers(0, 3),
    st.integers(0, 1),
    st.booleans(),
)


def picture(store: Store) -> dict[str, list[Any]]:
    """All that must be equal: alerts, members, steps, deliveries; and an unbroken chain."""
    with store.read() as s:
        assert broken(s) == 0
        return {
            "alert": [
                (a.id, a.level, a.shown, a.state, a.run, a.ladder, a.value, a.rev)
                for a in s.scalars(select(Alert).order_by(Alert.id))
            ],
            "member": [(m.id, m.level) for m in s.scalars(select(Member).order_by(Member.id))],
            "step": [(x.alert, x.run, x.n, x.state) for x in s.scalars(select(Rung).order_by(Rung.alert, Rung.run, Rung.n))],
            "delivery": sorted((d.key, d.text) for d in s.scalars(select(Delivery))),
        }


class Killed(BaseException):
    """The process ends here."""


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(PICKS, min_size=1, max_size=3), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 7), max_size=3),
    back=st.integers(0, 3),
)
def test_the_same_rows_however_often_it_was_cut_off(
    rows: list[list[tuple[Any, ...]]], cuts: list[int], back: int, city: Any, change: Callable[..., Change]
) -> None:
    """A crash inside a transaction leaves nothing; records that are read again change nothing."""
    log = [
        [
            change("river_level", site, to, 0, seq, NOW + seq, NOW, detector=path, revision=revision, withdrawn=gone)
            for site, path, to, seq, revision, gone in record
        ]
        for record in rows
    ]
    m = Moment(NOW, Names(city))
    with tempfile.TemporaryDirectory() as folder:
        plain, cut = Store(f"sqlite:///{Path(folder) / 'plain.db'}"), Store(f"sqlite:///{Path(folder) / 'cut.db'}")
        for offset, record in enumerate(log):
            apply(plain, "events", offset, record, m, True)
        for offset, record in enumerate(log):
            if offset in cuts:
                _die_inside(cut, offset, record, m)
            again = [(n, log[n]) for n in range(max(0, offset - back), offset + 1)]
            assert apply_all(cut, "events", again, m, True) <= 1

        assert picture(cut) == picture(plain)
        assert position(cut, "events") == len(log)
        plain.close()
        cut.close()


def _die_inside(store: Store, offset: int, record: list[Change], m: Moment) -> None:
    """Everything of the record was done but the commit."""
    patch = pytest.MonkeyPatch()

    def die(*_: object) -> None:
        raise Killed

    with patch.context() as p, pytest.raises(Killed):
        p.setattr(consume.calls, "settle", die)
        apply(store, "events", offset, [*record, _poke()], m, True)


def _poke() -> Change:
    """Makes sure that something is settled."""
    return Change(
        time=NOW,
        arrived=NOW,
        alert="poke",
        pack="basin",
        site="hengjin",
        indicator="reservoir",
        detector="basin/reservoir-stage",
        to=2,
        value=1.0,
        score=1.0,
        limit=1.0,
        since=NOW,
    )


def test_a_record_that_cannot_be_read_hides_none_behind_it(tmp_path: Path, city: Any, change: Callable[..., Change]) -> None:
    """Bytes that are none of ours are audited and passed over."""
    from streams.codec import Changes, encode
    from streams.desk.tables import Audit

    store = Store(f"sqlite:///{tmp_path}/desk.db")
    consumer = consume.Consumer(store, "127.0.0.1:1", "events", lambda: Moment(NOW, Names(city)))
    consumer.live = True
    consumer._take_all([(0, b"nonsense"), (1, encode(Changes((change(),))))])
    with pytest.MonkeyPatch().context() as p:      # a fault of our own, as one of the database's
        p.setattr(consume, "apply", lambda *_: (_ for _ in ()).throw(IntegrityError("x", {}, Exception("null"))))
        consumer._take(2, encode(Changes((change(),))))
        p.setattr(consume, "apply", lambda *_: (_ for _ in ()).throw(OperationalError("x", {}, Exception("away"))))
        with pytest.raises(OperationalError):
            consumer._take(3, encode(Changes((change(),))))
    with store.read() as s:
        assert list(s.scalars(select(Audit.act).order_by(Audit.seq)))[:2] == ["unreadable", "opened"]
        assert s.scalar(select(Alert.level)) == 3
    assert position(store, "events") == 3
    store.close()
