"""Accounts, sessions and what signing in needs."""
from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'


def upgrade() -> None:
    """Forward only. The key that signs answer links is made here, so two desks have the same."""
    op.create_table('account',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('hash', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=True),
    sa.Column('roles', sa.JSON(), nullable=False),
    sa.Column('areas', sa.JSON(), nullable=False),
    sa.Column('agencies', sa.JSON(), nullable=False),
    sa.Column('posts', sa.JSON(), nullable=False),
    sa.Column('locked', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('created', sa.BigInteger(), nullable=False),
    sa.Column('changed', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_account')),
    sa.UniqueConstraint('subject', name=op.f('uq_account_subject'))
    )
    op.create_table('session',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('how', sa.String(), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('created', sa.BigInteger(), nullable=False),
    sa.Column('seen', sa.BigInteger(), nullable=False),
    sa.Column('idle', sa.BigInteger(), nullable=False),
    sa.Column('ends', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account'], ['account.name'], name=op.f('fk_session_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_session'))
    )
    op.create_index(op.f('ix_session_account'), 'session', ['account'], unique=False)
    made = op.create_table('secret',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('value', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_secret'))
    )
    op.bulk_insert(made, [{'name': 'link', 'value': secrets.token_hex(32)}])
    op.create_table('link_use',
    sa.Column('alert', sa.String(), nullable=False),
    sa.Column('run', sa.BigInteger(), nullable=False),
    sa.Column('n', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['alert'], ['alert.id'], name=op.f('fk_link_use_alert')),
    sa.PrimaryKeyConstraint('alert', 'run', 'n', name=op.f('pk_link_use'))
    )
