"""Alembic's steps of the desk's database, run at every start (see store.migrate)."""
