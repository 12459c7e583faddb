"""Shifts, hand-overs and the acts that go with them."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    """Forward only."""
    _alert()
    _roster()
    _changes()


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


def _roster() -> None:
    """People and shifts."""
    op.create_table('person',
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('addresses', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_person'))
    )
    op.create_table('shift',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('start', sa.BigInteger(), nullable=False),
    sa.Column('end', sa.BigInteger(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('person', sa.String(), nullable=False),
    sa.Column('stands_for', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_shift'))
    )
    with op.batch_alter_table('shift', schema=None) as batch_op:
        batch_op.create_index('ix_shift_post', ['post', 'start'], unique=False)


def _changes() -> None:
    """Swaps, hand-overs, subscriptions, drafts."""
    op.create_table('swap',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('mine', sa.String(), nullable=False),
    sa.Column('theirs', sa.String(), nullable=False),
    sa.Column('asks', sa.String(), nullable=False),
    sa.Column('other', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('answered', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_swap'))
    )
    op.create_table('handover',
    sa.Column('shift', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('outgoing', sa.String(), nullable=False),
    sa.Column('incoming', sa.String(), nullable=False),
    sa.Column('out_at', sa.BigInteger(), nullable=True),
    sa.Column('in_at', sa.BigInteger(), nullable=True),
    sa.Column('out_by', sa.String(), nullable=False),
    sa.Column('in_by', sa.String(), nullable=False),
    sa.Column('seen', sa.JSON(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('shift', name=op.f('pk_handover'))
    )
    op.create_table('calendar',
    sa.Column('hash', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_calendar'))
    )
    op.create_table('draft',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft'))
    )
