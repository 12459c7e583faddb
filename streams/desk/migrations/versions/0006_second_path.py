"""The canary and drills."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    """Forward only."""
    op.create_table('canary',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('waits', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('came', sa.BigInteger(), nullable=True),
    sa.Column('took', sa.BigInteger(), nullable=True),
    sa.Column('fault', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canary'))
    )
    op.create_table('drill',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=False),
    sa.Column('indicator', sa.String(), nullable=False),
    sa.Column('sites', sa.JSON(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('asked', sa.BigInteger(), nullable=False),
    sa.Column('told', sa.BigInteger(), nullable=True),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('ended', sa.BigInteger(), nullable=True),
    sa.Column('ended_by', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('alerts', sa.JSON(), nullable=False),
    sa.Column('fault', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drill'))
    )
