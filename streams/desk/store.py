"""The desk's database: opened and brought up to date at start, one transaction a deed, one chain of audit rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from streams.desk.duty import tables as _duty  # noqa: F401
from streams.desk.exercise import tables as _exercise  # noqa: F401
from streams.desk.people import tables as _people  # noqa: F401  (its tables belong to this database)
from streams.desk.people.current import on_record
from streams.desk.publish import tables as _publish  # noqa: F401
from streams.desk.tables import Alert, Audit, Chain
from streams.sql import engine

LOCK = 0x77_6C_64_65
"""Advisory lock of PostgreSQL under which the tables are made."""

TURN = f"SELECT set_config('idle_in_transaction_session_timeout', '10s', true), pg_advisory_xact_lock({LOCK + 2})"
"""The turn to write, of all desks at one database; who freezes within it loses it after ten seconds."""


class Store:
    """Sessions of one desk database. `url` as SQLAlchemy writes it; a SQLite file's folder is made."""

    def __init__(self, url: str) -> None:
        self.engine = engine(url)
        migrate(self.engine)
        self._reading = self.engine.execution_options(reading=True)

    @contextmanager
    def begin(self, turn: bool = True) -> Iterator[Session]:
        """One transaction that writes: all of it or nothing. On both databases one writes at a time: each deed ends in the one
        chain of audit rows, so deeds that took their alerts first would wait for one another in a circle. Without `turn` (on
        PostgreSQL) it waits for nobody: for what writes no audit and may hold its row for long.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            if turn and self.engine.dialect.name == "postgresql":
                session.execute(text(TURN))
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A look at the database that blocks nobody."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def head(self) -> int:
        """The number of the newest audit row; 0 = none."""
        with self.read() as s:
            return s.scalar(select(Chain.seq)) or 0


def migrate(made: Engine) -> None:
    """Bring the tables up to date; two desks that start at once do it one after the other."""
    config = Config()
    config.set_main_option("script_location", "streams.desk:migrations")
    with made.begin() as connection:
        if made.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def audit(s: Session, at: int, act: str, alert: Alert | None = None, post: str = "", **what: Any) -> int:
    """One row of the chain, in the transaction of the deed it tells of. The alert's `rev` becomes its number."""
    end = s.get(Chain, 1, with_for_update=True)
    if end is None:
        end = Chain(id=1, seq=0, hash="")
        s.add(end)
    row = Audit(
        seq=end.seq + 1,
        at=at,
        alert=alert.id if alert else "",
        act=act,
        post=post,
        what={k: v for k, v in (on_record() | what).items() if v not in (None, "")},
        prev_hash=end.hash,
        hash="",
    )
    row.hash = digest(row)
    s.add(row)
    end.seq, end.hash = row.seq, row.hash
    if alert:
        alert.rev = row.seq
    return row.seq


def digest(row: Audit) -> str:
    """The hash of an audit row over all of it and the hash before it."""
    said = json.dumps(
        [row.prev_hash, row.seq, row.at, row.alert, row.act, row.post, row.what], ensure_ascii=False, sort_keys=True
    )
    return blake2b(said.encode(), digest_size=16).hexdigest()


def broken(s: Session) -> int:
    """The number of the first audit row that does not fit the chain; 0 = all fit."""
    before = ""
    for n, row in enumerate(s.scalars(select(Audit).order_by(Audit.seq)), 1):
        if row.seq != n or row.prev_hash != before or row.hash != digest(row):
            return n
        before = row.hash
    return 0


def claim(s: Session, id_: str) -> Alert | None:
    """An alert, locked for this transaction, as it is now; None while another has it (it is looked at again soon)."""
    query = select(Alert).where(Alert.id == id_).with_for_update(skip_locked=True)
    return s.scalar(query, execution_options={"populate_existing": True})


def alert_for(s: Session, id_: str) -> Alert | None:
    """An alert, locked for this transaction."""
    return s.get(Alert, id_, with_for_update=True)
