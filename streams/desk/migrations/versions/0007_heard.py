"""Which series have ever spoken."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    """Forward only. What stands in the desk already, a warning or a silence, has spoken."""
    op.create_table('heard',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('series', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_heard')),
    sa.UniqueConstraint('series', name=op.f('uq_heard_series'))
    )
    op.execute("INSERT INTO heard (series) SELECT DISTINCT name FROM item WHERE kind = 'fresh' AND state <> 'never' "
               "UNION SELECT series FROM member WHERE series <> ''")
