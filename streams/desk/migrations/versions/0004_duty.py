"""Shifts, hand-overs and the acts that go with them."""
from __future__ import annotations

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    """Forward only."""
