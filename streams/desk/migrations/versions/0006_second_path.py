"""The canary, drills and what two desks share."""
from __future__ import annotations

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    """Forward only."""
