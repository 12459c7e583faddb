"""The first tables."""
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None


def upgrade() -> None:
    """Forward only."""
    op.create_table('alert',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('open', sa.Boolean(), server_default=sa.true(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=False),
    sa.Column('indicator', sa.String(), nullable=False),
    sa.Column('detector', sa.String(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('site', sa.String(), nullable=False),
    sa.Column('area', sa.String(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('shown', sa.BigInteger(), nullable=False),
    sa.Column('first', sa.BigInteger(), nullable=False),
    sa.Column('direction', sa.String(), nullable=False),
    sa.Column('confidence', sa.String(), nullable=False),
    sa.Column('check', sa.String(), nullable=False),
    sa.Column('value', sa.Double(), nullable=True),
    sa.Column('score', sa.Double(), nullable=True),
    sa.Column('bound', sa.Double(), nullable=True),
    sa.Column('time', sa.BigInteger(), nullable=False),
    sa.Column('arrived', sa.BigInteger(), nullable=False),
    sa.Column('onset', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=True),
    sa.Column('forecast', sa.JSON(), nullable=True),
    sa.Column('silent_since', sa.BigInteger(), nullable=True),
    sa.Column('as_of', sa.BigInteger(), nullable=True),
    sa.Column('covers', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('members', sa.JSON(), nullable=False),
    sa.Column('covered_by', sa.String(), nullable=True),
    sa.Column('retired', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('revised', sa.BigInteger(), nullable=False),
    sa.Column('owed', sa.BigInteger(), nullable=False),
    sa.Column('run', sa.BigInteger(), nullable=False),
    sa.Column('ladder', sa.String(), nullable=False),
    sa.Column('opened', sa.BigInteger(), nullable=False),
    sa.Column('raised', sa.BigInteger(), nullable=False),
    sa.Column('called', sa.BigInteger(), nullable=True),
    sa.Column('answered', sa.BigInteger(), nullable=True),
    sa.Column('answered_by', sa.String(), nullable=False),
    sa.Column('back', sa.BigInteger(), nullable=True),
    sa.Column('acted', sa.BigInteger(), nullable=True),
    sa.Column('acted_by', sa.String(), nullable=False),
    sa.Column('news', sa.String(), nullable=False),
    sa.Column('closed', sa.BigInteger(), nullable=True),
    sa.Column('closed_by', sa.String(), nullable=False),
    sa.Column('disposition', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('plan', sa.String(), nullable=False),
    sa.Column('rev', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert'))
    )
    with op.batch_alter_table('alert', schema=None) as batch_op:
        batch_op.create_index('ix_alert_state', ['open', 'state'], unique=False)
        batch_op.create_index('uq_alert_open', ['key'], unique=True, sqlite_where=sa.text('open = 1'),
                              postgresql_where=sa.text('open'))

    op.create_table('audit',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('act', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('what', sa.JSON(), nullable=False),
    sa.Column('prev_hash', sa.String(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_audit'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_alert'), ['alert'], unique=False)

    op.create_table('chain',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_chain'))
    )
    op.create_table('item',
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('pack', sa.String(), nullable=False),
    sa.Column('site', sa.String(), nullable=False),
    sa.Column('indicator', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('detail', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'name', name=op.f('pk_item'))
    )
    op.create_table('mute',
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('post', name=op.f('pk_mute'))
    )
    op.create_table('position',
    sa.Column('topic', sa.String(), nullable=False),
    sa.Column('partition', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('offset', sa.BigInteger(), nullable=False),
    sa.Column('arrived', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('topic', 'partition', name=op.f('pk_position'))
    )
    op.create_table('delivery',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('run', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('channel', sa.String(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('receipt', sa.String(), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_at', sa.BigInteger(), nullable=False),
    sa.Column('created', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('sent_at', sa.BigInteger(), nullable=True),
    sa.Column('detail', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_delivery_alert')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_delivery'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delivery_alert'), ['alert'], unique=False)
        batch_op.create_index('ix_delivery_due', ['state', 'next_at'], unique=False)

    op.create_table('member',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('detector', sa.String(), nullable=False),
    sa.Column('series', sa.String(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_member_alert')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_member'))
    )
    with op.batch_alter_table('member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_member_alert'), ['alert'], unique=False)
        batch_op.create_index(batch_op.f('ix_member_series'), ['series'], unique=False)

    op.create_table('step',
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('run', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('of', sa.BigInteger(), nullable=False),
    sa.Column('post', sa.String(), nullable=False),
    sa.Column('channels', sa.JSON(), nullable=False),
    sa.Column('within', sa.Double(), nullable=False),
    sa.Column('receipt', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('due_at', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.BigInteger(), nullable=False),
    sa.Column('calls', sa.BigInteger(), nullable=False),
    sa.Column('called_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_step_alert')),
    sa.PrimaryKeyConstraint('alert', 'run', 'n', name=op.f('pk_step'))
    )
    with op.batch_alter_table('step', schema=None) as batch_op:
        batch_op.create_index('ix_step_due', ['state', 'due_at'], unique=False)

    op.create_table('event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('member', sa.String(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('time', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['member'], ['member.id'], name=op.f('fk_event_member')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event')),
    sa.UniqueConstraint('member', 'seq', 'revision', 'withdrawn', name=op.f('uq_event_member'))
    )
