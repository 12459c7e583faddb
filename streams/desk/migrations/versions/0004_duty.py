"""Shifts, hand-overs and the acts that go with them."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    """Forward only."""
    _alert()


def _alert() -> None:
    """Verification, the next report, what is being handed over. Open alerts are owed news as their level asks by default."""
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('peak', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
        batch_op.add_column(sa.Column('due', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('idle_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('offered', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('verified', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('verified_by', sa.String(), server_default='', nullable=False))
    op.execute("UPDATE alert SET peak = CASE WHEN first > shown THEN first ELSE shown END")
    op.execute("UPDATE alert SET due = CASE WHEN COALESCE(acted, 0) > answered THEN acted ELSE answered END + 1000000 * "
               "CASE shown WHEN 4 THEN 1800 WHEN 3 THEN 3600 WHEN 2 THEN 14400 ELSE 86400 END "
               "WHERE state IN ('answered', 'acting') AND answered IS NOT NULL")
