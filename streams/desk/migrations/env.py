"""Alembic's environment: the connection comes from store.migrate, there is no ini file."""
from __future__ import annotations

from alembic import context

from streams.desk.duty import tables as _duty  # noqa: F401
from streams.desk.exercise import tables as _exercise  # noqa: F401
from streams.desk.people import tables as _people  # noqa: F401
from streams.desk.publish import tables as _publish  # noqa: F401
from streams.desk.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
