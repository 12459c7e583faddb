"""A delivery knows when it last left, and whose message speaks for it."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    """Forward only."""
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.add_column(sa.Column('went', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('folded', sa.String(), nullable=True))
        batch_op.create_index(batch_op.f('ix_delivery_folded'), ['folded'], unique=False)
