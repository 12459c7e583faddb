"""What is published, muted, handed out and reported by hand."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    """Forward only."""
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.add_column(sa.Column('muted', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('muted_by', sa.String(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('muted_at', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('muted_until', sa.BigInteger(), nullable=True))
    _publication()
    _silence()
    _work()


def _publication() -> None:
    op.create_table('publication',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('chain', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('words', sa.JSON(), nullable=False),
    sa.Column('valid', sa.Double(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('proposed', sa.BigInteger(), nullable=False),
    sa.Column('proposed_by', sa.String(), nullable=False),
    sa.Column('proposer', sa.String(), nullable=False),
    sa.Column('decided', sa.BigInteger(), nullable=True),
    sa.Column('decided_by', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('sent', sa.BigInteger(), nullable=True),
    sa.Column('expires', sa.BigInteger(), nullable=True),
    sa.Column('sender', sa.String(), nullable=False),
    sa.Column('cap', sa.String(), nullable=False),
    sa.Column('national', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_publication_alert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_publication'))
    )
    op.create_index(op.f('ix_publication_alert'), 'publication', ['alert'], unique=False)
    op.create_index('ix_publication_state', 'publication', ['state', 'sent'], unique=False)


def _silence() -> None:
    op.create_table('silence',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=False),
    sa.Column('indicator', sa.String(), nullable=False),
    sa.Column('detector', sa.String(), nullable=False),
    sa.Column('site', sa.String(), nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('start', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('ended_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_silence'))
    )
    op.create_index('ix_silence_state', 'silence', ['state', 'until'], unique=False)


def _work() -> None:
    op.create_table('work_order',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('unit', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('made', sa.BigInteger(), nullable=False),
    sa.Column('made_by', sa.String(), nullable=False),
    sa.Column('due', sa.BigInteger(), nullable=True),
    sa.Column('changed', sa.BigInteger(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_work_order_alert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_work_order'))
    )
    op.create_index(op.f('ix_work_order_alert'), 'work_order', ['alert'], unique=False)
    op.create_index(op.f('ix_work_order_token'), 'work_order', ['token'], unique=False)
    op.create_table('parcel',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('created', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('detail', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_parcel'))
    )
    op.create_index(op.f('ix_parcel_ref'), 'parcel', ['ref'], unique=False)
    op.create_index('ix_parcel_due', 'parcel', ['state', 'next_at'], unique=False)
