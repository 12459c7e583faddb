"""What stands of a member's events, asked of the database, is what `alert.level_of` says of all of them."""
from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from streams.desk.alert import level_of
from streams.desk.folding import fold
from streams.desk.store import Store
from streams.desk.tables import Event

ROWS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.booleans(), st.integers(0, 9), st.integers(0, 4)),
                unique_by=lambda r: r[:3], max_size=14)


def test_the_database_and_the_rule_agree(tmp_path_factory: Any) -> None:
    """Whatever was revised or withdrawn, and in whichever order it came; another member's events play no part."""
    folder: Path = tmp_path_factory.mktemp("standing")
    store = Store(f"sqlite:///{folder}/desk.db")

    @settings(max_examples=60, deadline=None)
    @given(rows=ROWS, others=ROWS)
    def agree(rows: list[Any], others: list[Any]) -> None:
        with store.begin() as s:
            s.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            s.execute(delete(Event))
            for member, found in (("a", rows), ("b", others)):
                s.add_all(Event(member=member, seq=n, revision=r, withdrawn=w, time=t, level=to, body={}) for n, r, w, t, to in found)
            s.flush()
            last = fold._standing(s, "a")
            assert (last.level if last else 0) == level_of(rows)
            s.execute(delete(Event))

    agree()
    store.close()
